/*
 * The state of one evaluation, shared by the files that do it: evaluation.c goes over
 * segments and features, match.c decides whether a segment matches, flags.c resolves
 * flags that conditions read.
 */
#ifndef FLAGSMITH_EVALUATION_INTERNAL_H
#define FLAGSMITH_EVALUATION_INTERNAL_H

#include "evaluation.h"

/* What is known of a segment's match. */
typedef enum MatchMemo
{
	MATCH_UNKNOWN,
	MATCH_NO,
	MATCH_YES
} MatchMemo;

/* What is known of a flag that a condition has read. */
typedef struct FlagState
{
	bool resolved;
	bool cyclic;
	uint32 stack_place; /* 1-based place among those being resolved; 0: it is not */
	FlagResult result;  /* if resolved */
	JsonValue *json;    /* the result as JSON, made when a query reads it */
} FlagState;

typedef struct Evaluation
{
	const Environment *environment;
	const Identity *identity;
	uint32 depth;       /* nested rules and flags */
	MatchMemo *matches; /* by segment */
	FlagState *states;  /* by flag; NULL before the first read */
	uint32 *stack;      /* flags being resolved */
	uint32 nstack;
	uint32 *resolved; /* flags resolved, in that order */
	uint32 nresolved;
	uint32 cycle_hits; /* how often a cycle was cut */
	JsonFlags flags;   /* how queries read flags */
	JsonValue *root;   /* the context that queries see; NULL before the first */
} Evaluation;

extern void evaluation_begin(Evaluation *evaluation, const Environment *environment,
                             const Identity *identity);

/* Whether the segment's rules match, evaluated now. */
extern bool match_segment(Evaluation *evaluation, const Segment *segment);

/* The result of a flag that a condition reads, resolved now if need be; NULL: null. */
extern const FlagResult *flags_read(Evaluation *evaluation, uint32 flag);

/* The value of one member of that result. */
extern ContextValue flags_read_member(Evaluation *evaluation, uint32 flag,
                                      FlagMember member);

/* The first node that the path finds in the context, with its flags. */
extern const JsonValue *flags_query(Evaluation *evaluation, const JsonPath *path);

/* The answer of a flag for the identity: its variant and its reason. */
extern FlagResult evaluation_answer(const Evaluation *evaluation, const Flag *flag,
                                    const FeatureContext *feature, const Segment *segment,
                                    FlagReason reason);

/* The identity's own override of the flag, or NULL. */
extern const FeatureContext *evaluation_identity_override(const Evaluation *evaluation,
                                                          uint32 flag);

#endif
