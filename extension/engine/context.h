/*
 * Flagsmith's engine as one function: an evaluation context in, an evaluation result out,
 * both as JSON.
 */
#ifndef FLAGSMITH_CONTEXT_H
#define FLAGSMITH_CONTEXT_H

#include "evaluation.h"

/*
 * Reads the identity of an evaluation context, for an environment compiled of it.
 * *identity points into context and memory of the current context.  Where the context has
 * no identity, *present is false.  Returns false and fills in *error if it is malformed.
 */
extern bool context_identity(const JsonValue *context, const Environment *environment,
                             Identity *identity, bool *present, EngineError *error);

/* A trait's value as conditions see it. */
extern Trait context_trait(const JsonValue *value);

/*
 * Sets one trait of an identity, if any condition of the environment reads it.  value is
 * kept by reference.
 */
extern void context_set_trait(const Environment *environment, Identity *identity,
                              Str name, const JsonValue *value);

/* Appends the evaluation result as JSON: flags by name, and the segments that match. */
extern void context_write_result(StringInfo buffer, const EvaluationResult *result);

#endif
