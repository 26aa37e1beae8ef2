/*
 * What environment keys open, as this backend has found it in the tables.  Who asks with keys
 * that open nothing takes no memory.
 */
#ifndef FLAGSMITH_KEY_CACHE_H
#define FLAGSMITH_KEY_CACHE_H

#include "freshness.h"
#include "source.h"

/* Longer keys are looked up each time. */
#define CACHED_KEY_SIZE 128

/* A key, and what it opens where. */
typedef struct CachedKey
{
	char key[CACHED_KEY_SIZE]; /* empty if it is too long */
	const Source *source;
	SourceKey opens;
	Freshness freshness;
} CachedKey;

/* Finds out what the key opens, for the snapshot of that mark; false if nothing. */
extern bool key_cache_find(Str key, const SnapshotMark *mark, CachedKey *found);

/* Whether it still opens that. */
extern bool key_cache_holds(const CachedKey *entry, const SnapshotMark *mark);

/* Whether it is this key, and not too long. */
extern bool key_cache_is(const CachedKey *entry, Str key);

#endif
