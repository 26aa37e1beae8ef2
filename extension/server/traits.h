/*
 * Traits: a jsonb object as the tree that the engine reads.
 */
#ifndef FLAGSMITH_TRAITS_H
#define FLAGSMITH_TRAITS_H

#include "utils/jsonb.h"

#include "engine/evaluation.h"

/*
 * The members of a jsonb object in its order, new in the current memory context and
 * pointing into the jsonb; no members if it is NULL or no object.  Strings in it have no
 * raw text.
 */
extern JsonValue traits_read(Jsonb *jsonb);

/* The trait of that name as conditions see it, VALUE_NULL if there is none; likewise. */
extern Trait traits_find(Jsonb *jsonb, Str name);

/* A jsonb object of traits; new in the current memory context. */
extern Datum traits_make_jsonb(const JsonValue *traits);

/* Whether two values are the very same: 7 and 7.0 are not. */
extern bool traits_equal(const JsonValue *a, const JsonValue *b);

/* Lays the given traits over the stored ones; null takes a stored one away. */
extern JsonValue traits_merge(const JsonValue *stored, const JsonValue *given);

#endif
