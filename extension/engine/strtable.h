/*
 * A table of texts, numbered in the order in which they were added: the names of flags,
 * the traits that conditions read, the members of an IN list.
 */
#ifndef FLAGSMITH_STRTABLE_H
#define FLAGSMITH_STRTABLE_H

#include "str.h"

typedef struct StrTable StrTable;

/* An empty table in the current memory context, which owns all that is added. */
extern StrTable *strtable_create(uint32 expected);

/* The number of text, added if it is new.  The bytes are shared, not copied. */
extern uint32 strtable_add(StrTable *table, Str text);

/* The same, but the bytes of a new one are copied into the current memory context. */
extern uint32 strtable_add_copy(StrTable *table, Str text);

/* The number of text, or -1. */
extern int64 strtable_find(const StrTable *table, Str text);

extern uint32 strtable_count(const StrTable *table);

/* All texts by their numbers: an array, new in the current memory context. */
extern Str *strtable_texts(const StrTable *table);

#endif
