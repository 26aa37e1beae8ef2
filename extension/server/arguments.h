/*
 * Between Datums and the engine's texts.
 */
#ifndef FLAGSMITH_ARGUMENTS_H
#define FLAGSMITH_ARGUMENTS_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "engine/json.h"

/* The bytes of a text, json or other plain varlena; detoasted in the current context. */
extern Str argument_text(Datum datum);

/* A jsonb as a tree, in the current memory context.  What is the input's name in errors. */
extern JsonValue argument_jsonb(Datum datum, const char *what);

/* The text argument of that number (from 0); data == NULL if it is null. */
extern Str argument_optional_text(FunctionCallInfo fcinfo, int number);

/* The same as an identifier, which must not be null or empty. */
extern Str argument_identifier(FunctionCallInfo fcinfo, int number);

/* The jsonb argument of that number as traits, an object; NULL if it is null. */
extern Jsonb *argument_traits(FunctionCallInfo fcinfo, int number);

/* A jsonb of a JSON text. */
extern Datum argument_make_jsonb(Str text);

/*
 * A text or json Datum that is written in place: begin, with room for so many bytes;
 * append; end.  The buffer is the Datum then.
 */
extern void argument_begin_text(StringInfo buffer, Size room);
extern Datum argument_end_text(StringInfo buffer);

/* A text or json Datum. */
extern Datum argument_make_text(Str text);

/* An array of so many elements of a type; nulls says which are null, NULL: none is. */
extern Datum argument_make_array(Datum *elements, bool *nulls, int count, Oid type);

#endif
