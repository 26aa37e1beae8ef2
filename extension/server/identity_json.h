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

/*
 * Puts the flags into the order in which the source gives them to an identity: by the
 * lowest id of the states between which was chosen, where it wants that.
 */
extern void identity_order_flags(const StoredEnvironment *stored,
                                 const Identity *identity, EvaluationResult *result);

/* Appends the flags that the key may see, with commas between them. */
extern void identity_append_flags(StringInfo buffer, const OpenEnvironment *open,
                                  const EvaluationResult *result);

#endif
