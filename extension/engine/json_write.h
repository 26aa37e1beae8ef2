/*
 * Writing JSON.
 */
#ifndef FLAGSMITH_JSON_WRITE_H
#define FLAGSMITH_JSON_WRITE_H

#include "platform.h"

#include "lib/stringinfo.h"

#include "json.h"

/* Appends text as a JSON string, quotes included. */
extern void json_write_string(StringInfo buffer, Str text);

/* Appends a piece of JSON as it is. */
static inline void
json_write_raw(StringInfo buffer, Str json)
{
	appendBinaryStringInfo(buffer, json.data, (int) json.len);
}

/* A text as the JSON value that it is when written; new in the current memory context,
 * but for the text itself. */
extern JsonValue json_make_string(Str text);

#endif
