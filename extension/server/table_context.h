/*
 * The evaluation context of a stored environment, written from the extension's tables.
 */
#ifndef FLAGSMITH_TABLE_CONTEXT_H
#define FLAGSMITH_TABLE_CONTEXT_H

#include "lib/stringinfo.h"

#include "answers.h"

/*
 * Appends the context, without an identity, as JSON, and returns the attributes of its
 * feature contexts, by the numbers that it gives them.  All is in the current memory
 * context.  Runs between SPI_connect() and SPI_finish(), with the active snapshot.
 */
extern Attributes *table_context_write(StringInfo buffer, int64 environment_id,
                                       Str api_key, Str name);

#endif
