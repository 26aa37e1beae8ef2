/*
 * Invalidation: counting messages, comparing snapshots, and the trigger that sends.
 */
#include "postgres.h"
#include "compat.h"

#include "access/parallel.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "freshness.h"

SQL_FUNCTION(flagsmith_invalidate);

/* The relation whose messages tell of changes; it holds no rows. */
#define SENTINEL_SCHEMA "flagsmith"
#define SENTINEL_NAME "cache_sentinel"

static uint64 changes = 0;
static int nwatched = 0;
static Oid watched[FRESHNESS_MAX_WATCHED + 1];

/* Relcache callback.  InvalidOid stands for all relations. */
static void
count_change(Datum argument, Oid relation)
{
	if (!OidIsValid(relation))
	{
		changes++;
		return;
	}
	for (int i = 0; i < nwatched; i++)
		if (watched[i] == relation)
		{
			changes++;
			return;
		}
}

void
freshness_init(void)
{
	CacheRegisterRelcacheCallback(count_change, (Datum) 0);
}

static Oid
find_sentinel(void)
{
	Oid schema = get_namespace_oid(SENTINEL_SCHEMA, true);

	return OidIsValid(schema) ? get_relname_relid(SENTINEL_NAME, schema) : InvalidOid;
}

void
freshness_watch(int nrelations, const Oid *relations)
{
	Oid sentinel = find_sentinel();

	Assert(nrelations <= FRESHNESS_MAX_WATCHED);
	nwatched = nrelations;
	memcpy(watched, relations, sizeof(Oid) * nwatched);
	watched[nwatched++] = sentinel;
}

static SnapshotMark
mark_of(Snapshot snapshot)
{
	uint32 hash = 0;

	if (snapshot->xcnt > 0)
		hash = hash_bytes((const unsigned char *) snapshot->xip,
		                  sizeof(TransactionId) * snapshot->xcnt);
	/* on a standby all transactions in progress are in the second list */
	if (snapshot->subxcnt > 0)
		hash = hash_combine(hash, hash_bytes((const unsigned char *) snapshot->subxip,
		                                     sizeof(TransactionId) * snapshot->subxcnt));
	return (SnapshotMark){snapshot->xmin, snapshot->xmax, snapshot->curcid, hash};
}

static bool
marks_equal(const SnapshotMark *a, const SnapshotMark *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->curcid == b->curcid &&
	       a->hash == b->hash;
}

/*
 * Whether a mark is surely not older than another.  Command ids compare within one
 * transaction, and xmax moves on with the end of any that has written.
 */
static bool
is_as_new(const SnapshotMark *mark, const SnapshotMark *than)
{
	if (mark->xmax != than->xmax)
		return TransactionIdFollows(mark->xmax, than->xmax);
	return mark->xmin == than->xmin && mark->hash == than->hash &&
	       mark->curcid >= than->curcid;
}

Freshness
freshness_now(void)
{
	Freshness freshness = {.changes = changes, .for_snapshot = true};
	SnapshotMark newest;

	freshness.mark = mark_of(GetActiveSnapshot());
	/* parallel workers may take no snapshot of their own */
	if (IsInParallelMode())
		return freshness;
	newest = mark_of(GetLatestSnapshot());
	freshness.for_snapshot = !marks_equal(&freshness.mark, &newest);
	return freshness;
}

uint64
freshness_changes(void)
{
	return changes;
}

SnapshotMark
freshness_catch_up(void)
{
	/* a statement inside a transaction may take no new lock, which would do this */
	AcceptInvalidationMessages();
	return mark_of(GetActiveSnapshot());
}

bool
freshness_holds(const Freshness *freshness, const SnapshotMark *mark)
{
	if (freshness->changes != changes)
		return false;
	return freshness->for_snapshot ? marks_equal(&freshness->mark, mark)
	                               : is_as_new(mark, &freshness->mark);
}

bool
freshness_has_come(TimestampTz moment)
{
	return moment != DT_NOEND && moment <= GetCurrentTransactionStartTimestamp();
}

void
freshness_announce(void)
{
	/* found by name: under Citus the trigger's own table is a shard */
	Oid sentinel = find_sentinel();

	if (OidIsValid(sentinel))
		CacheInvalidateRelcacheByRelid(sentinel);
}

/* invalidate() RETURNS trigger */
Datum
flagsmith_invalidate(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
		        (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
		         errmsg("flagsmith.invalidate() can only be called as a trigger")));
	freshness_announce();
	PG_RETURN_POINTER(NULL);
}
