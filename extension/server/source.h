/*
 * A source: the place where configuration and identities come from.
 *
 * This is the one seam towards stored data.  Who evaluates knows a few verbs (find a key,
 * load an environment, read an identity, write an identity's traits) and not what tables
 * are behind them.
 */
#ifndef FLAGSMITH_SOURCE_H
#define FLAGSMITH_SOURCE_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "answers.h"

/* What a key opens. */
typedef struct SourceKey
{
	int64 environment_id;
	bool is_server_side;
	TimestampTz expires_at; /* DT_NOEND: never */
} SourceKey;

/* An environment as the builder takes it; all in the current memory context. */
typedef struct SourceEnvironment
{
	Str name;
	Str api_key;
	bool hide_disabled_flags;
	bool hide_sensitive_data;
	Str context; /* the evaluation context, without an identity, as JSON */
	Attributes
		*attributes; /* of its feature contexts, whose "attributes" are places here */
	bool has_identity_overrides; /* whether any identity has some */
	int64 stamp;                 /* changes with whatever the rest is made of */
	TimestampTz next_change;     /* the next scheduled change; DT_NOEND: none */
} SourceEnvironment;

/* A stored identity; all in the current memory context. */
typedef struct SourceIdentity
{
	Jsonb *traits; /* NULL if the identity is not stored */
	Str overrides; /* JSON array of feature contexts; data == NULL if there are none */
} SourceIdentity;

typedef struct Source
{
	/* Names the relations that configuration is read from; returns how many there are. */
	int (*relations)(Oid *relations, int size);
	/* Finds out what a key opens; false if nothing. */
	bool (*find_key)(Str key, SourceKey *found);
	/* Loads an environment; false if it has gone. */
	bool (*load_environment)(int64 environment_id, SourceEnvironment *environment);
	/* The environment's stamp as it is now; false if it has gone. */
	bool (*stamp)(int64 environment_id, int64 *stamp);
	/* Reads an identity; its overrides only if asked to. */
	void (*read_identity)(int64 environment_id, Str identifier, bool with_overrides,
	                      SourceIdentity *identity);
	/* Merges traits (a jsonb object; null removes) into the stored ones, under a lock of
	 * the row, and returns all of them as jsonb. */
	Datum (*write_traits)(int64 environment_id, Str identifier, Datum traits);
} Source;

/* The extension's own tables. */
extern const Source table_source;

#endif
