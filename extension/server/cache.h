/*
 * The cache: which environment a key opens, and that environment compiled, in each
 * backend.
 *
 * Entries are checked against freshness.h: after a change somewhere, an environment is
 * compared by its stamp and built again only if it differs; keys are simply looked up
 * again.  The cache is bounded by flagsmith.cache_size, the least recently used leaves.
 */
#ifndef FLAGSMITH_CACHE_H
#define FLAGSMITH_CACHE_H

#include "stored.h"

/* An environment, and with what kind of key it was asked for. */
typedef struct OpenEnvironment
{
	StoredEnvironment *stored;
	bool is_server_side;
} OpenEnvironment;

typedef struct CacheStats
{
	int64 environments, bytes, hits, misses, builds, invalidations;
	double build_time; /* milliseconds, all builds together */
} CacheStats;

/* Defines the settings and registers callbacks; once, when the module is loaded. */
extern void cache_init(void);

/*
 * Hands out the compiled environment of a key: the one place where evaluation gets it
 * from.  It stays valid until cache_close(), or the end of the (sub)transaction after an
 * error.  Raises an error if the key opens nothing.
 */
extern OpenEnvironment cache_open(Str environment_key);

/* The same, but returns false if the key opens nothing. */
extern bool cache_try_open(Str environment_key, OpenEnvironment *open);

extern void cache_close(OpenEnvironment *open);

/* Which environment the key opens, or an error. */
extern EnvironmentId cache_environment_id(Str environment_key);

/* The same, but returns false if the key opens nothing. */
extern bool cache_try_environment_id(Str environment_key, EnvironmentId *id);

/* Whether the key may see the flag at all. */
static inline bool
open_shows_flag(const OpenEnvironment *open, const Flag *flag)
{
	return open->is_server_side ||
	       !answers_of(flag->feature)->attributes.is_server_key_only;
}

/* Whether an answer is left out because the flag is disabled. */
static inline bool
open_hides_result(const OpenEnvironment *open, const FlagResult *result)
{
	return open->stored->hide_disabled_flags && !result->feature->enabled;
}

#endif
