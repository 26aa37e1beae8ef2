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
#include "utils/catcache.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache.h"
#include "freshness.h"
#include "report.h"

SQL_FUNCTION(flagsmith_cache_stats);

/* Longer keys are looked up each time. */
#define CACHED_KEY_SIZE 128

#define MAX_PINS 64

typedef struct Entry
{
	EnvironmentId id; /* two words, without padding */
	StoredEnvironment *stored;
	Freshness freshness;
	uint64 last_use;
} Entry;

/* What a key opens, and where. */
typedef struct FoundKey
{
	const Source *source;
	SourceKey key;
} FoundKey;

typedef struct KeyEntry
{
	char key[CACHED_KEY_SIZE];
	FoundKey found;
	Freshness freshness;
} KeyEntry;

/* An environment in use, and how deep in subtransactions. */
typedef struct Pin
{
	StoredEnvironment *stored;
	int nest_level;
} Pin;

static int cache_size = 64 * 1024; /* kB */

/* The first that knows a key has it: while a Flagsmith is attached, its dashboard rules
 * over a copy of an environment. */
static const Source *const sources[] = {&attached_source, &table_source};

static HTAB *entries = NULL;
static HTAB *keys = NULL;

/* The key that was opened last, and its entry, NULL if that has gone: a statement that
 * calls for each row of a table finds both without looking anything up. */
static KeyEntry last_key;
static Entry *last_entry = NULL;

static Pin pins[MAX_PINS];
static int npins = 0;
static uint64 uses = 0;
static CacheStats stats;

static HTAB *
create_table(const char *name, Size key_size, Size entry_size, int flags)
{
	HASHCTL control = {
		.keysize = key_size, .entrysize = entry_size, .hcxt = CacheMemoryContext};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_CONTEXT | flags);
}

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
create_tables(void)
{
	if (keys != NULL)
		return;
	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	entries = create_table("flagsmith environments", sizeof(EnvironmentId), sizeof(Entry),
	                       HASH_BLOBS);
	keys =
		create_table("flagsmith keys", CACHED_KEY_SIZE, sizeof(KeyEntry), HASH_STRINGS);
}

static bool
has_come(TimestampTz moment)
{
	return moment != DT_NOEND && moment <= GetCurrentTransactionStartTimestamp();
}

/* Watches the tables of all sources, whatever they are in the catalog now. */
static void
watch_relations(void)
{
	Oid relations[FRESHNESS_MAX_WATCHED];
	int count = 0;

	for (size_t i = 0; i < lengthof(sources); i++)
		count += sources[i]->relations(relations + count, FRESHNESS_MAX_WATCHED - count);
	freshness_watch(count, relations);
}

/* Looks a key up in the tables. */
static bool
look_up_key(Str key, FoundKey *found, Freshness *freshness)
{
	watch_relations();
	*freshness = freshness_now();
	for (size_t i = 0; i < lengthof(sources); i++)
	{
		found->source = sources[i];
		if (found->source->find_key(key, &found->key))
			return true;
	}
	return false;
}

/* Whether what a key opened still holds. */
static bool
is_current(const KeyEntry *entry, const SnapshotMark *mark)
{
	return freshness_holds(&entry->freshness, mark) &&
	       !has_come(entry->found.key.expires_at);
}

/* Finds out what the key opens; false if nothing. */
static bool
find_key(Str key, const SnapshotMark *mark, KeyEntry *found)
{
	KeyEntry *entry;

	*found = (KeyEntry){0};
	if (key.data == NULL)
		return false;
	create_tables();
	if (key.len >= CACHED_KEY_SIZE)
		return look_up_key(key, &found->found, &found->freshness);
	memcpy(found->key, key.data, key.len);
	entry = hash_search(keys, found->key, HASH_FIND, NULL);
	if (entry != NULL && is_current(entry, mark))
	{
		*found = *entry;
		return true;
	}
	/* whoever asks with wrong keys takes no memory */
	hash_search(keys, found->key, HASH_REMOVE, NULL);
	if (!look_up_key(key, &found->found, &found->freshness))
		return false;
	entry = hash_search(keys, found->key, HASH_ENTER, NULL);
	*entry = *found;
	return true;
}

static EnvironmentId
id_of(const FoundKey *found)
{
	return (EnvironmentId){found->source, found->key.environment_id};
}

bool
cache_try_environment_id(Str environment_key, EnvironmentId *id)
{
	SnapshotMark mark = freshness_catch_up();
	KeyEntry key;

	if (!find_key(environment_key, &mark, &key))
		return false;
	*id = id_of(&key.found);
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
	return !has_come(entry->stored->next_change) &&
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
	if (entry != NULL && !has_come(entry->stored->next_change) &&
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
	Entry *entry = hash_search(entries, &id, HASH_FIND, NULL);

	if (entry == NULL || !is_undisputed(entry, mark))
		return renew_entry(entry, id);
	stats.hits++;
	return entry;
}

/* Whether this is the last key, and opens what it did. */
static bool
is_last(Str key, const SnapshotMark *mark)
{
	return last_entry != NULL && key.len > 0 && key.len < CACHED_KEY_SIZE &&
	       memcmp(last_key.key, key.data, key.len) == 0 &&
	       last_key.key[key.len] == '\0' && is_current(&last_key, mark) &&
	       is_undisputed(last_entry, mark);
}

/* Sets last_key and last_entry; false if the key opens nothing. */
static bool
open_last(Str key)
{
	SnapshotMark mark = freshness_catch_up();
	KeyEntry found;

	if (is_last(key, &mark))
	{
		stats.hits++;
		return true;
	}
	if (!find_key(key, &mark, &found))
		return false;
	last_entry = find_entry(id_of(&found.found), &mark);
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
	*open = (OpenEnvironment){last_entry->stored, last_key.found.key.is_server_side};
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
