/*
 * Identities in the extension's own tables: members of its Source.
 */
#ifndef FLAGSMITH_TABLE_IDENTITY_H
#define FLAGSMITH_TABLE_IDENTITY_H

#include "source.h"

extern void table_read_identity(int64 environment_id, Str identifier, bool with_overrides,
                                SourceIdentity *identity);
extern Datum table_write_traits(int64 environment_id, Str identifier, Datum traits);
extern const char *table_trait_fault(Str name, const JsonValue *value);

#endif
