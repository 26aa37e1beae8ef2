/*
 * The cache of compiled environments.
 */
#include "postgres.h"
#include "compat.h"

#include <limits.h>

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache.h"
#include "freshness.h"
#include "key_cache.h"
#include "report.h"

SQL_FUNCTION(flagsmith_cache_stats);

#define MAX_PINS 64

typedef struct Entry
{
	EnvironmentId id; /* two words, without padding */
	StoredEnvironment *stored;
	Freshness freshness;
	uint64 last_use;
} Entry;

/* An environment in use, and how deep in subtransactions. */
typedef struct Pin
{
	StoredEnvironment *stored;
	int nest_level;
} Pin;

static int cache_size = 64 * 1024; /* kB */

static HTAB *entries = NULL;

/* The key that was opened last, and its entry, NULL if that has gone: a statement that
 * calls for each row of a table finds both without looking anything up. */
static CachedKey last_key;
static Entry *last_entry = NULL;

static Pin pins[MAX_PINS];
static int npins = 0;
static uint64 uses = 0;
static CacheStats stats;

static void
free_stored(StoredEnvironment *stored)
{
	if (stored->pins > 0)
		stored->discarded = true;
	else
		MemoryContextDelete(stored->context);
}

static void
unpin(StoredEnvironment *stored)
{
	if (--stored->pins == 0 && stored->discarded)
		MemoryContextDelete(stored->context);
}

/* Drops the pins of functions that an error has ended. */
static void
release_pins(int nest_level)
{
	while (npins > 0 && pins[npins - 1].nest_level >= nest_level)
		unpin(pins[--npins].stored);
}

static void
at_xact_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		release_pins(0);
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
               void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		release_pins(GetCurrentTransactionNestLevel());
}

void
cache_init(void)
{
	DefineCustomIntVariable(
		"flagsmith.cache_size", "Memory for compiled environments in each backend.",
		"The least recently used leave; the one in use always stays.", &cache_size,
		64 * 1024, 0, INT_MAX, PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	MarkGUCPrefixReserved("flagsmith");
	freshness_init();
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}

static void
create_table(void)
{
	HASHCTL control = {.keysize = sizeof(EnvironmentId),
	                   .entrysize = sizeof(Entry),
	                   .hcxt = CacheMemoryContext};

	if (entries == NULL)
		entries = hash_create("flagsmith environments", 64, &control,
		                      HASH_ELEM | HASH_CONTEXT | HASH_BLOBS);
}

static EnvironmentId
id_of(const CachedKey *key)
{
	return (EnvironmentId){key->source, key->opens.environment_id};
}

bool
cache_try_environment_id(Str environment_key, EnvironmentId *id)
{
	SnapshotMark mark = freshness_catch_up();
	CachedKey key;

	if (!key_cache_find(environment_key, &mark, &key))
		return false;
	*id = id_of(&key);
	return true;
}

EnvironmentId
cache_environment_id(Str environment_key)
{
	EnvironmentId id;

	if (!cache_try_environment_id(environment_key, &id))
		report_unknown_key();
	return id;
}

static Size
size_of(const Entry *entry)
{
	return MemoryContextMemAllocated(entry->stored->context, true);
}

static void
remove_entry(Entry *entry)
{
	StoredEnvironment *stored = entry->stored;

	if (entry == last_entry)
		last_entry = NULL;
	stats.environments--;
	stats.bytes -= size_of(entry);
	hash_search(entries, &entry->id, HASH_REMOVE, NULL);
	free_stored(stored);
}

static Entry *
least_recently_used(void)
{
	HASH_SEQ_STATUS status;
	Entry *entry, *oldest = NULL;

	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (oldest == NULL || entry->last_use < oldest->last_use)
			oldest = entry;
	return oldest;
}

/* Makes room, but for the newest entry, which is about to be used. */
static void
evict(void)
{
	while (stats.environments > 1 && stats.bytes > (int64) cache_size * 1024)
		remove_entry(least_recently_used());
}

static StoredEnvironment *
build(EnvironmentId id, const SourceVersion *version)
{
	instr_time start, end;
	StoredEnvironment *stored;

	INSTR_TIME_SET_CURRENT(start);
	stored = stored_build(id, version);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	if (stored == NULL)
		report_unknown_key();
	stats.builds++;
	stats.build_time += INSTR_TIME_GET_MILLISEC(end);
	return stored;
}

/* Builds the environment, which is of this version, and puts it in its place. */
static Entry *
insert_entry(EnvironmentId id, const Freshness *freshness, const SourceVersion *version)
{
	StoredEnvironment *stored = build(id, version);
	Entry *entry = hash_search(entries, &id, HASH_ENTER, NULL);

	MemoryContextSetParent(stored->context, CacheMemoryContext);
	entry->stored = stored;
	entry->freshness = *freshness;
	stats.environments++;
	stats.bytes += size_of(entry);
	return entry;
}

/* Whether nothing has come that could have changed the entry. */
static bool
is_undisputed(const Entry *entry, const SnapshotMark *mark)
{
	return !freshness_has_come(entry->stored->next_change) &&
	       freshness_holds(&entry->freshness, mark);
}

/* Compares the entry with the tables, by the stamp; whoever differs is built anew. */
static Entry *
renew_entry(Entry *entry, EnvironmentId id)
{
	Freshness freshness = freshness_now();
	SourceVersion version;

	if (!id.source->version(id.id, &version))
		report_unknown_key();
	if (entry != NULL && !freshness_has_come(entry->stored->next_change) &&
	    version.stamp == entry->stored->version.stamp)
	{
		stats.hits++;
		entry->freshness = freshness;
		entry->stored->version = version;
		return entry;
	}
	stats.misses++;
	if (entry != NULL)
	{
		stats.invalidations++;
		remove_entry(entry);
	}
	return insert_entry(id, &freshness, &version);
}

static Entry *
find_entry(EnvironmentId id, const SnapshotMark *mark)
{
	Entry *entry;

	create_table();
	entry = hash_search(entries, &id, HASH_FIND, NULL);
	if (entry == NULL || !is_undisputed(entry, mark))
		return renew_entry(entry, id);
	stats.hits++;
	return entry;
}

/* Whether this is the last key, and opens what it did. */
static bool
is_last(Str key, const SnapshotMark *mark)
{
	return last_entry != NULL && key_cache_is(&last_key, key) &&
	       key_cache_holds(&last_key, mark) && is_undisputed(last_entry, mark);
}

/* Sets last_key and last_entry; false if the key opens nothing. */
static bool
open_last(Str key)
{
	SnapshotMark mark = freshness_catch_up();
	CachedKey found;

	if (is_last(key, &mark))
	{
		stats.hits++;
		return true;
	}
	if (!key_cache_find(key, &mark, &found))
		return false;
	last_entry = find_entry(id_of(&found), &mark);
	last_key = found;
	return true;
}

bool
cache_try_open(Str environment_key, OpenEnvironment *open)
{
	if (!open_last(environment_key))
		return false;
	last_entry->last_use = ++uses;
	evict();
	if (npins == MAX_PINS)
		ereport(ERROR,
		        (errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
		         errmsg("flagsmith functions call each other deeper than %d levels",
		                MAX_PINS)));
	*open = (OpenEnvironment){last_entry->stored, last_key.opens.is_server_side};
	open->stored->pins++;
	pins[npins++] = (Pin){open->stored, GetCurrentTransactionNestLevel()};
	return true;
}

OpenEnvironment
cache_open(Str environment_key)
{
	OpenEnvironment open;

	if (!cache_try_open(environment_key, &open))
		report_unknown_key();
	return open;
}

void
cache_close(OpenEnvironment *open)
{
	Assert(npins > 0 && pins[npins - 1].stored == open->stored);
	npins--;
	unpin(open->stored);
	open->stored = NULL;
}

/* cache_stats(OUT ...) RETURNS record: what this backend's cache holds and has done. */
Datum
flagsmith_cache_stats(PG_FUNCTION_ARGS)
{
	TupleDesc description;
	Datum values[7];
	bool nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(stats.environments);
	values[1] = Int64GetDatum(stats.bytes);
	values[2] = Int64GetDatum(stats.hits);
	values[3] = Int64GetDatum(stats.misses);
	values[4] = Int64GetDatum(stats.builds);
	values[5] = Int64GetDatum(stats.invalidations);
	values[6] = Float8GetDatum(stats.build_time);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(description, values, nulls)));
}
