/*
 * Arrays in PostgreSQL's binary format, which needs no escapes and no parser.
 */
#ifndef ARRAY_H
#define ARRAY_H

#include "buffer.h"

/* Object identifiers of types, the same in every PostgreSQL. */
#define TEXT_TYPE 25
#define TEXT_ARRAY_TYPE 1009
#define JSONB_TYPE 3802
#define JSONB_ARRAY_TYPE 3807

/* Of the format of jsonb, which it begins with. */
#define JSONB_VERSION "\1"

/* Begins an array of so many elements; each is then added.  All: false without memory. */
bool array_begin(Buffer *array, uint32_t element_type, uint32_t count);
bool array_add_text(Buffer *array, const char *data, size_t length);
bool array_add_jsonb(Buffer *array, const char *json, size_t length);

#endif
