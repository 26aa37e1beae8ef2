/*
 * Evaluating an identity in an environment.
 */
#ifndef FLAGSMITH_EVALUATION_H
#define FLAGSMITH_EVALUATION_H

#include "platform.h"

#include "lib/stringinfo.h"

#include "environment.h"

/*
 * How deep one evaluation may go through nested rules and flags that depend on flags, all
 * in all.  Beyond it conditions are false; Python's engine raises much earlier.
 */
#define EVALUATION_MAX_DEPTH 2000

/* The segment that the reason of an identity's override names, as in Flagsmith's SDKs. */
#define IDENTITY_OVERRIDES_SEGMENT "identity_overrides"

/* A trait's value as conditions see it. */
typedef struct Trait
{
	ContextValue value; /* coerced; VALUE_NULL if the identity has no such trait */
	bool nested; /* value is the text of an array or object, which paths do not see */
} Trait;

typedef struct IdentityOverride
{
	const Flag *flag;
	const FeatureContext *feature;
} IdentityOverride;

typedef struct Identity
{
	ContextValue identifier; /* as it is given: coerced when it is read */
	ContextValue key;        /* likewise */
	Str hash_key;  /* the key's text, which splits are hashed with; data == NULL: none */
	Trait *traits; /* one for each trait of the environment; NULL: read_trait has them */
	Trait (*read_trait)(void *argument, Str name); /* each time a condition asks */
	uint32 noverrides;
	const IdentityOverride *overrides;
	/* The identity as JSON, asked for only by an environment that needs_root; NULL: it is
	 * part of the environment's root, or there is none. */
	const JsonValue *(*json)(void *argument);
	void *argument;
} Identity;

typedef enum FlagReason
{
	REASON_STATIC,  /* the default, which no segment overrides */
	REASON_DEFAULT, /* the default, none of whose overrides matches */
	REASON_TARGETING_MATCH,
	REASON_SPLIT,
	REASON_CIRCULAR_DEPENDENCY
} FlagReason;

typedef struct FlagResult
{
	const Flag *flag;
	const FeatureContext *feature;
	const Segment *segment; /* whose override it is; NULL: the default */
	int variant;
	FlagReason reason;
} FlagResult;

typedef struct EvaluationResult
{
	uint32 nflags;
	FlagResult *flags; /* in the environment's order */
	uint32 nsegments;
	const Segment **segments; /* those that match, in the environment's order */
} EvaluationResult;

/*
 * Evaluates all flags and segments.  identity is NULL where the context has none.  The
 * result is new in the current memory context and points into environment and identity.
 */
extern void evaluation_run(const Environment *environment, const Identity *identity,
                           EvaluationResult *result);

/* Evaluates one flag, and no more segments than it takes. */
extern FlagResult evaluation_flag(const Environment *environment,
                                  const Identity *identity, const Flag *flag);

/* Whether the identity is in one segment. */
extern bool evaluation_segment(const Environment *environment, const Identity *identity,
                               const Segment *segment);

/* The reason as Flagsmith words it: "TARGETING_MATCH; segment=beta". */
extern void evaluation_append_reason(StringInfo buffer, const FlagResult *result);

/* The segment that an identity's own overrides name as their source. */
extern const Segment *evaluation_identity_segment(void);

/* The default of a flag, of no identity: no segment, no variant. */
extern FlagResult evaluation_default(const Flag *flag);

#endif
