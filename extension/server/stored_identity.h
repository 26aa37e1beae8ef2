/*
 * The identity that is evaluated: what is stored of it, and the traits given over that.
 */
#ifndef FLAGSMITH_STORED_IDENTITY_H
#define FLAGSMITH_STORED_IDENTITY_H

#include "stored.h"

/* Reads what is stored of an identity. */
extern void stored_identity_read(const StoredEnvironment *stored, Str identifier,
                                 SourceIdentity *source);

/*
 * Makes the identity to evaluate, of what is stored (SOURCE_IDENTITY_NONE: nothing) with
 * the given traits, an object or NULL, over it.  identifier.data may be NULL if nothing is
 * stored: then there is nothing to hash.  New in the current memory context, and pointing
 * into source and given.
 */
extern Identity *stored_identity_make(const StoredEnvironment *stored, Str identifier,
                                      const SourceIdentity *source,
                                      const JsonValue *given);

/* Both in one: reads, and lays the given traits (a jsonb object, or NULL) over that. */
extern Identity *stored_identity(const StoredEnvironment *stored, Str identifier,
                                 Jsonb *traits);

/*
 * Makes an identity of which nothing is stored, with just these traits (a jsonb object,
 * or NULL): read off one by one when conditions ask for them, as few may be asked for.
 * identifier.data may be NULL.
 */
extern Identity *stored_identity_given(const StoredEnvironment *stored, Str identifier,
                                       Jsonb *traits);

/*
 * The traits that stored_identity() or stored_identity_make() was given and has read, as
 * a JSON object.  Strings in it have no raw text.
 */
extern const JsonValue *stored_identity_traits(const Identity *identity);

#endif
