/*
 * A source: the place where configuration and identities come from.
 *
 * This is the one seam towards stored data.  Who evaluates knows a few verbs (find a key,
 * load an environment, read an identity, write an identity's traits) and not what tables
 * are behind them.  A key tells whose environment it opens.
 */
#ifndef FLAGSMITH_SOURCE_H
#define FLAGSMITH_SOURCE_H

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
	bool allow_client_traits;    /* whether a client-side key may set traits */
	bool persist_trait_data;
	bool stop_serving_flags;
	bool hashes_identity_ids; /* percentages are hashed with the identity's id */
	bool orders_by_state;     /* an identity's flags: identity_order_flags() */
	Str listed; /* JSON array of the states that a list of the environment's flags has;
	             * data == NULL: its defaults */
	Attributes *listed_attributes; /* of these, by their "attributes" */
	TimestampTz next_change;       /* the next scheduled change; DT_NOEND: none */
} SourceEnvironment;

/* Which version of an environment there is now. */
typedef struct SourceVersion
{
	int64 stamp;            /* changes with whatever a SourceEnvironment is made of */
	TimestampTz updated_at; /* when it last changed, as answers say */
	TimestampTz changed_at; /* when anything of its document last changed */
	bool shares_second;     /* whether that changed before in the same second, too */
} SourceVersion;

/* A stored identity; all in the current memory context. */
typedef struct SourceIdentity
{
	bool exists;
	int64 id;               /* 0: it has none, or does not exist */
	JsonValue traits;       /* an object, in the order in which they are shown */
	const int64 *trait_ids; /* of these, in the same order; NULL: they have none */
	JsonValue
		system_traits; /* an object: seen by conditions over the traits, not shown */
	Str overrides; /* JSON array of feature contexts; data == NULL if there are none */
	Attributes *attributes; /* of these, by their "attributes"; NULL: these say it all */
} SourceIdentity;

/* One that is not stored. */
#define SOURCE_IDENTITY_NONE                                                             \
	((SourceIdentity){.traits = {.type = JSON_OBJECT, .raw = STR_INIT("{}")},            \
	                  .system_traits = {.type = JSON_OBJECT, .raw = STR_INIT("{}")}})

/* So many evaluations of a feature, as an SDK has counted them. */
typedef struct SourceEvaluation
{
	Str feature;
	Str identifier; /* data == NULL: not said */
	int enabled;    /* -1: not said */
	int64 count;
} SourceEvaluation;

/* So many requests to the API, as an API tier has counted them. */
typedef struct SourceUsage
{
	int64 environment_id;
	Str resource; /* what was asked for: one that a route names */
	Str host;     /* which the requests were sent to */
	Str labels;   /* what application and SDK say of themselves, a JSON object */
	int64 count;
} SourceUsage;

typedef struct Source
{
	/* Names the relations that configuration is read from; returns how many there are. */
	int (*relations)(Oid *relations, int size);
	/* Finds out what a key opens; false if nothing. */
	bool (*find_key)(Str key, SourceKey *found);
	/* Loads an environment; false if it has gone. */
	bool (*load_environment)(int64 environment_id, SourceEnvironment *environment);
	/* Finds out its version; false if it has gone. */
	bool (*version)(int64 environment_id, SourceVersion *version);
	/* Reads an identity; its overrides only if asked to. */
	void (*read_identity)(int64 environment_id, Str identifier, bool with_overrides,
	                      SourceIdentity *identity);
	/* Merges traits (a jsonb object; null removes) into the stored ones, under a lock of
	 * the row, creates the identity if need be, and returns all traits as jsonb. */
	Datum (*write_traits)(int64 environment_id, Str identifier, Datum traits);
	/* Why a trait cannot be stored, as the API words it; NULL: it can. */
	const char *(*trait_fault)(Str name, const JsonValue *value);
	/* The environment document, json; (Datum) 0 if the environment has gone. */
	Datum (*document)(int64 environment_id);
	/* Adds evaluations, of features that there are, to the statistics.  labels: what
	 * application and SDK say of themselves, a JSON object. */
	void (*record_evaluations)(int64 environment_id, const SourceEvaluation *evaluations,
	                           int count, Str labels);
	/* Adds requests to the statistics, of any of its environments. */
	void (*record_usage)(const SourceUsage *usage, int count);
} Source;

/* The extension's own tables. */
extern const Source table_source;

/* The tables of a Flagsmith whose schema is attached. */
extern const Source attached_source;

/* Which environment, of which source. */
typedef struct EnvironmentId
{
	const Source *source;
	int64 id;
} EnvironmentId;

#endif
