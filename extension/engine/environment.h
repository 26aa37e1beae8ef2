/*
 * A compiled environment: all that the evaluation of an identity needs, and nothing that
 * has to be parsed, sorted or looked up by name on the way.
 *
 * It is made of an evaluation context (Flagsmith's JSON form of an environment, with or
 * without an identity) and is immutable afterwards.  It keeps no pointer into that JSON.
 */
#ifndef FLAGSMITH_ENVIRONMENT_H
#define FLAGSMITH_ENVIRONMENT_H

#include "segment.h"

/* One segment's override of a flag. */
typedef struct Override
{
	uint32 segment;
	const FeatureContext *feature;
} Override;

/* All that goes by one name: the environment's default and the overrides. */
typedef struct Flag
{
	Str name; /* set where there is a default or an output */
	const FeatureContext
		*feature; /* the default; NULL: only mentioned, no such feature */
	int64 output; /* its place among the outputs, or -1 */
	uint32 noverrides;
	Override *overrides; /* in the order of the segments */
} Flag;

/* A flag of the result. */
typedef struct Output
{
	uint32 flag;
	const FeatureContext *feature; /* where no override matches */
} Output;

typedef struct Environment
{
	StrTable *flag_names; /* numbers the flags */
	uint32 nflags;
	Flag *flags;
	uint32 nfeatures;
	FeatureContext *features; /* in the context's order */
	uint32 noutputs;
	Output *outputs;
	uint32 nsegments;
	Segment *segments; /* in the context's order */
	StrTable *segment_names;
	uint32 *named_segments; /* by these numbers: the first that bears the name */
	StrTable *traits;       /* numbers the traits that conditions read */
	Str *trait_names;       /* by these numbers */
	bool reads_flags; /* whether a segment does: then the order of evaluation counts */
	bool needs_root;  /* whether a condition queries the whole context */
	JsonValue root;   /* then a copy of it */
} Environment;

/*
 * Makes an empty environment in the current memory context.  Whatever happens afterwards,
 * environment_release() frees what it holds beside memory.
 */
extern Environment *environment_create(void);

/*
 * Compiles the evaluation context into the empty environment, in the current memory
 * context.  Returns false and fills in *error if the context is malformed.
 */
extern bool environment_compile(Environment *environment, const JsonValue *context,
                                EngineError *error);

extern void environment_release(Environment *environment);

/* The number of the trait of that name, or -1 if no condition reads it. */
static inline int64
environment_trait(const Environment *environment, Str name)
{
	return strtable_find(environment->traits, name);
}

static inline uint32
environment_ntraits(const Environment *environment)
{
	return strtable_count(environment->traits);
}

/* The flag of that name among the outputs, or NULL. */
extern const Flag *environment_flag(const Environment *environment, Str name);

/* The segment of that name (the first, if several bear it), or NULL. */
extern const Segment *environment_segment(const Environment *environment, Str name);

#endif
