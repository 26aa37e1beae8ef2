/*
 * A stored environment, compiled: immutable, in a memory context of its own.
 */
#ifndef FLAGSMITH_STORED_H
#define FLAGSMITH_STORED_H

#include "utils/jsonb.h"

#include "answers.h"
#include "source.h"

typedef struct StoredEnvironment
{
	const Source *source;
	int64 id;
	Str api_key;
	bool hide_disabled_flags;
	bool hide_sensitive_data;
	bool has_identity_overrides;
	bool allow_client_traits;
	bool persist_trait_data;
	bool stop_serving_flags;
	bool hashes_identity_ids;
	bool orders_by_state;
	FlagResult *listed; /* what a list of its flags has; NULL: its defaults */
	uint32 nlisted;
	Environment *environment;
	MemoryContext context; /* where all of it lies */
	Size document_size;    /* about what an identity document takes */
	SourceVersion version;
	TimestampTz next_change;
	int pins;       /* users in this backend (cache.c) */
	bool discarded; /* to be freed by the last of them */
} StoredEnvironment;

/*
 * Loads and compiles an environment, which is of this version.  Its context is a child of
 * the current one until the caller moves it, so that an error leaves nothing behind.
 * Returns NULL if there is no such environment.
 */
extern StoredEnvironment *stored_build(EnvironmentId id, const SourceVersion *version);

#endif
