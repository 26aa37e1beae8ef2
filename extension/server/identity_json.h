/*
 * The JSON of identities: their traits and flags as Flagsmith's API writes them.
 */
#ifndef FLAGSMITH_IDENTITY_JSON_H
#define FLAGSMITH_IDENTITY_JSON_H

#include "lib/stringinfo.h"

#include "cache.h"

/* Appends a trait; id 0 is null.  Of arrays and objects, the text that conditions see. */
extern void identity_append_trait(StringInfo buffer, int64 id, Str name,
                                  const JsonValue *value, bool transient);

/* Appends the flags that the key may see, with commas between them. */
extern void identity_append_flags(StringInfo buffer, const OpenEnvironment *open,
                                  const EvaluationResult *result);

#endif
