/*
 * Stored environments, compiled, and the identities that are evaluated in them.
 */
#ifndef FLAGSMITH_STORED_H
#define FLAGSMITH_STORED_H

#include "engine/evaluation.h"

#include "source.h"

/* What the database knows of a feature state beside what the engine needs. */
typedef struct Attributes
{
	int64 id;
	int64 feature_id;
	int64 feature_segment; /* 0: none */
	bool is_multivariate;
	bool is_server_key_only;
	Str feature_type; /* JSON text */
} Attributes;

typedef struct StoredEnvironment
{
	const Source *source;
	int64 id;
	Str api_key;
	bool hide_disabled_flags;
	bool hide_sensitive_data;
	Environment *environment;
} StoredEnvironment;

/* An environment, and with what kind of key it was asked for. */
typedef struct OpenEnvironment
{
	const StoredEnvironment *stored;
	bool is_server_side;
} OpenEnvironment;

/*
 * Hands out the compiled environment of a key: the one place where evaluation gets it
 * from.  It lives as long as the current memory context.  Raises an error if the key
 * opens nothing.
 */
extern OpenEnvironment stored_open(Str environment_key);

/* The id of the environment that the key opens, or an error. */
extern int64 stored_environment_id(Str environment_key);

/*
 * Makes the identity to evaluate: with the stored traits and overrides if is_stored, and
 * with the given traits (a JSON object, or NULL) over them.  identifier.data may be NULL
 * if nothing is stored: then there is nothing to hash.
 */
extern Identity *stored_identity(const StoredEnvironment *stored, Str identifier,
                                 bool is_stored, const JsonValue *traits);

/* The traits that stored_identity() put together, as a JSON object. */
extern const JsonValue *stored_traits(const Identity *identity);

/* The attributes of the state that a result comes from. */
extern Attributes stored_attributes(const FeatureContext *feature);

/* Whether the key may see the flag at all. */
extern bool stored_is_visible(const OpenEnvironment *open, const Flag *flag);

/* Whether the answer is left out because the flag is disabled. */
extern bool stored_is_hidden(const OpenEnvironment *open, const FlagResult *result);

#endif
