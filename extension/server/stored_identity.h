/*
 * The identity that is evaluated: what is stored of it, and the traits given over that.
 */
#ifndef FLAGSMITH_STORED_IDENTITY_H
#define FLAGSMITH_STORED_IDENTITY_H

#include "stored.h"

/*
 * Makes the identity to evaluate: with the stored traits and overrides if is_stored, and
 * with the given traits (a jsonb object, or NULL) over them.  identifier.data may be NULL
 * if nothing is stored: then there is nothing to hash.  New in the current memory context.
 */
extern Identity *stored_identity(const StoredEnvironment *stored, Str identifier,
                                 bool is_stored, Jsonb *traits);

/*
 * The traits that stored_identity() put together, as a JSON object.  Strings in it have
 * no raw text.
 */
extern const JsonValue *stored_identity_traits(const Identity *identity);

#endif
