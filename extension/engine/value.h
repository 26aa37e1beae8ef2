/*
 * A context value: what a condition compares.  Flagsmith knows five kinds, and tells int
 * from float by how a number was written.
 */
#ifndef FLAGSMITH_VALUE_H
#define FLAGSMITH_VALUE_H

#include "json.h"

typedef enum ValueType
{
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_UNREADABLE /* reading it makes the engine raise: no condition on it is true */
} ValueType;

typedef struct ContextValue
{
	ValueType type;
	union
	{
		bool boolean;
		int64 integer; /* unless digits are given */
		double number;
		Str string;
	};
	Str digits; /* an int beyond int64: its canonical decimal digits, with a '-' if
				 * negative; else data == NULL */
} ContextValue;

#define NULL_VALUE ((ContextValue){.type = VALUE_NULL})

/*
 * The context value of a JSON scalar, before coercion: strings stay strings.  Arrays and
 * objects become their Python text, str(value), as the engine does with a trait.  Text is
 * shared with json or new in the current memory context.
 */
extern ContextValue value_from_json(const JsonValue *json);

/* The same of a number's text as JSON writes it; `1` is an int, `1.0` and `1e2` floats. */
extern ContextValue value_from_number(Str text);

/*
 * An int of decimal digits (at least one, any number of leading zeros); what is beyond
 * int64 is new in the current memory context.
 */
extern ContextValue value_from_digits(Str digits, bool negative);

/*
 * The same as value_from_number of a string that looks like a number, -?[0-9]+ or
 * -?[0-9]+\.[0-9]+ in ASCII; others stay.  An int of more than PY_INT_MAX_DIGITS digits,
 * leading zeros counted, at which Python raises ValueError, becomes VALUE_UNREADABLE.
 */
extern ContextValue value_coerce_string(ContextValue value);

static inline ContextValue
value_coerce(ContextValue value)
{
	/* nearly all are told by their first character, '-' or a digit */
	if (value.type != VALUE_STRING || value.string.len == 0 ||
	    value.string.data[0] > '9' || value.string.data[0] < '-')
		return value;
	return value_coerce_string(value);
}

/* Python's str(value), in buffer or shared with value; null is "None".  A caller gives a
 * buffer of VALUE_TEXT_MAX bytes, which the result may point into. */
#define VALUE_TEXT_MAX 40
extern Str value_text(const ContextValue *value, char *buffer);

/* The integer that a member of object is; 0 if it is missing or anything else. */
extern int64 value_integer_member(const JsonValue *object, Str name);

/* The value with its texts copied into the current memory context. */
static inline ContextValue
value_copy(ContextValue value)
{
	if (value.type == VALUE_STRING)
		value.string = str_copy(value.string);
	if (value.digits.data != NULL)
		value.digits = str_copy(value.digits);
	return value;
}

/* Orders two numbers (VALUE_INT or VALUE_FLOAT, none a NaN) exactly: <0, 0 or >0. */
extern int value_compare_numbers(const ContextValue *a, const ContextValue *b);

#endif
