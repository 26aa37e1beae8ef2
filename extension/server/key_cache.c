/*
 * The cache of keys.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "key_cache.h"

/* The first that knows a key has it: while a Flagsmith is attached, its dashboard rules
 * over a copy of an environment. */
static const Source *const sources[] = {&attached_source, &table_source};

static HTAB *keys = NULL;

static void
create_table(void)
{
	HASHCTL control = {.keysize = CACHED_KEY_SIZE, .entrysize = sizeof(CachedKey)};

	if (keys != NULL)
		return;
	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	control.hcxt = CacheMemoryContext;
	keys = hash_create("flagsmith keys", 64, &control,
	                   HASH_ELEM | HASH_CONTEXT | HASH_STRINGS);
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
look_up(Str key, CachedKey *found)
{
	watch_relations();
	found->freshness = freshness_now();
	for (size_t i = 0; i < lengthof(sources); i++)
	{
		found->source = sources[i];
		if (found->source->find_key(key, &found->opens))
			return true;
	}
	return false;
}

bool
key_cache_holds(const CachedKey *entry, const SnapshotMark *mark)
{
	return freshness_holds(&entry->freshness, mark) &&
	       !freshness_has_come(entry->opens.expires_at);
}

bool
key_cache_is(const CachedKey *entry, Str key)
{
	return key.len > 0 && key.len < CACHED_KEY_SIZE &&
	       memcmp(entry->key, key.data, key.len) == 0 && entry->key[key.len] == '\0';
}

bool
key_cache_find(Str key, const SnapshotMark *mark, CachedKey *found)
{
	CachedKey *entry;

	*found = (CachedKey){0};
	if (key.data == NULL)
		return false;
	create_table();
	if (key.len >= CACHED_KEY_SIZE)
		return look_up(key, found);
	memcpy(found->key, key.data, key.len);
	entry = hash_search(keys, found->key, HASH_FIND, NULL);
	if (entry != NULL && key_cache_holds(entry, mark))
	{
		*found = *entry;
		return true;
	}
	hash_search(keys, found->key, HASH_REMOVE, NULL);
	if (!look_up(key, found))
		return false;
	entry = hash_search(keys, found->key, HASH_ENTER, NULL);
	*entry = *found;
	return true;
}
