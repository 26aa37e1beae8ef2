/*
 * Python's str() of what json.loads() makes of a JSON value: True, None, 1.5, and
 * {'a': ['b']} for the nested ones.  Conditions see it where a trait, or an element of an
 * IN list, is no string.
 */
#ifndef FLAGSMITH_PYSTR_H
#define FLAGSMITH_PYSTR_H

#include "platform.h"

#include "lib/stringinfo.h"

#include "json.h"

/* Appends str(value): a string as it is, anything else as repr() writes it. */
extern void py_str(StringInfo buffer, const JsonValue *value);

/* The same as a text of its own, just as long as it is, in the current memory context. */
extern Str py_str_text(const JsonValue *value);

/* Python's bool(value): false are null, false, 0, and whatever is empty. */
extern bool py_is_true(const JsonValue *value);

#endif
