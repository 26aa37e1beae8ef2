/*
 * Context values: what they are made of and how they compare.
 *
 * Python's integers have no end.  Here one that fits is an int64; the rare one beyond
 * keeps its canonical digits, which order by sign, length and bytes, so that nothing has
 * to calculate with them.
 */
#include "platform.h"

#include <math.h>

#include "pynumber.h"
#include "pystr.h"

/* 2^63, the first float beyond int64. */
#define INT64_END 9223372036854775808.0

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads up to 19 digits into a magnitude; returns false if it is beyond int64. */
static bool
read_int64(Str digits, bool negative, int64 *result)
{
	uint64 magnitude = 0;
	uint64 limit = (uint64) PG_INT64_MAX + (negative ? 1 : 0);

	if (digits.len > 19)
		return false;
	for (uint32 i = 0; i < digits.len; i++)
		magnitude = magnitude * 10 + (uint64) (digits.data[i] - '0');
	if (magnitude > limit)
		return false;
	*result = negative ? (int64) (0 - magnitude) : (int64) magnitude;
	return true;
}

ContextValue
value_from_digits(Str digits, bool negative)
{
	ContextValue value = {.type = VALUE_INT};
	char *text;

	while (digits.len > 0 && digits.data[0] == '0')
	{
		digits.data++;
		digits.len--;
	}
	if (read_int64(digits, negative, &value.integer))
		return value;
	text = palloc((Size) digits.len + 2);
	text[0] = '-';
	memcpy(text + negative, digits.data, digits.len);
	text[digits.len + negative] = '\0';
	value.digits = str_make(text, (Size) digits.len + negative);
	return value;
}

/* A float of a text that strtod() is known to read whole; too large is infinity. */
static ContextValue
float_value(Str text)
{
	ContextValue value = {.type = VALUE_FLOAT};
	char room[64];
	char *copy = text.len < sizeof(room) ? room : palloc((Size) text.len + 1);

	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	value.number = strtod(copy, NULL);
	if (copy != room)
		pfree(copy);
	return value;
}

ContextValue
value_from_number(Str text)
{
	bool negative = text.len > 0 && text.data[0] == '-';

	for (uint32 i = 0; i < text.len; i++)
	{
		if (text.data[i] == '.' || text.data[i] == 'e' || text.data[i] == 'E')
			return float_value(text);
	}
	return value_from_digits(str_make(text.data + negative, text.len - negative),
	                         negative);
}

ContextValue
value_from_json(const JsonValue *json)
{
	StringInfoData buffer;

	switch (json->type)
	{
		case JSON_NULL:
			return NULL_VALUE;
		case JSON_BOOL:
			return (ContextValue){.type = VALUE_BOOL, .boolean = json->boolean};
		case JSON_NUMBER:
			return value_from_number(json->raw);
		case JSON_STRING:
			return (ContextValue){.type = VALUE_STRING, .string = json->string};
		case JSON_ARRAY:
		case JSON_OBJECT:
		case JSON_FLAGS:
			break;
	}
	initStringInfo(&buffer);
	py_str(&buffer, json);
	return (ContextValue){.type = VALUE_STRING,
	                      .string = str_make(buffer.data, buffer.len)};
}

/* The number of digits from text.data[at] on. */
static uint32
count_digits(Str text, uint32 at)
{
	uint32 start = at;

	while (at < text.len && is_digit(text.data[at]))
		at++;
	return at - start;
}

ContextValue
value_coerce_string(ContextValue value)
{
	Str text = value.string;
	uint32 sign;
	uint32 whole;
	uint32 fraction;

	sign = text.data[0] == '-' ? 1 : 0;
	whole = count_digits(text, sign);
	if (whole == 0)
		return value;
	if (sign + whole == text.len)
		return whole > PY_INT_MAX_DIGITS ? (ContextValue){.type = VALUE_UNREADABLE}
		                                 : value_from_number(text);
	if (text.data[sign + whole] != '.')
		return value;
	fraction = count_digits(text, sign + whole + 1);
	if (fraction == 0 || sign + whole + 1 + fraction != text.len)
		return value;
	return value_from_number(text);
}

Str
value_text(const ContextValue *value, char *buffer)
{
	switch (value->type)
	{
		case VALUE_NULL:
		case VALUE_UNREADABLE:
			break;
		case VALUE_BOOL:
			return value->boolean ? STR("True") : STR("False");
		case VALUE_INT:
			if (value->digits.data != NULL)
				return value->digits;
			return str_make(
				buffer, snprintf(buffer, VALUE_TEXT_MAX, INT64_FORMAT, value->integer));
		case VALUE_FLOAT:
			return str_make(buffer, py_float_repr(value->number, buffer));
		case VALUE_STRING:
			return value->string;
	}
	return STR("None");
}

/* The sign of an int: -1, 0 or 1. */
static int
int_sign(const ContextValue *value)
{
	if (value->digits.data != NULL)
		return value->digits.data[0] == '-' ? -1 : 1;
	return (value->integer > 0) - (value->integer < 0);
}

/* Orders two canonical decimal texts. */
static int
compare_digits(Str a, Str b)
{
	bool negative = a.data[0] == '-';
	int order;

	if (negative != (b.data[0] == '-'))
		return negative ? -1 : 1;
	if (a.len != b.len)
		order = a.len < b.len ? -1 : 1;
	else
		order = str_compare(a, b) < 0 ? -1 : !str_equal(a, b);
	return negative ? -order : order;
}

static int
compare_ints(const ContextValue *a, const ContextValue *b)
{
	if (a->digits.data != NULL && b->digits.data != NULL)
		return compare_digits(a->digits, b->digits);
	if (a->digits.data != NULL)
		return int_sign(a);
	if (b->digits.data != NULL)
		return -int_sign(b);
	return (a->integer > b->integer) - (a->integer < b->integer);
}

/* Orders an int64 and a float within int64's range, whose whole part has an exact int64. */
static int
compare_small(int64 integer, double number)
{
	int64 whole = (int64) number;
	double rest = number - (double) whole;

	if (integer != whole)
		return integer < whole ? -1 : 1;
	return (rest < 0) - (rest > 0);
}

static int
compare_int_float(const ContextValue *integer, double number)
{
	/* the longest finite float has 309 digits before the point, and a sign */
	char whole[312];

	if (isinf(number))
		return number > 0 ? -1 : 1;
	if (number < INT64_END && number >= -INT64_END)
		return integer->digits.data != NULL ? int_sign(integer)
		                                    : compare_small(integer->integer, number);
	if (integer->digits.data == NULL)
		return number > 0 ? -1 : 1;
	return compare_digits(
		integer->digits, str_make(whole, snprintf(whole, sizeof(whole), "%.0f", number)));
}

int
value_compare_numbers(const ContextValue *a, const ContextValue *b)
{
	if (a->type == VALUE_INT && b->type == VALUE_INT)
		return compare_ints(a, b);
	if (a->type == VALUE_INT)
		return compare_int_float(a, b->number);
	if (b->type == VALUE_INT)
		return -compare_int_float(b, a->number);
	return (a->number > b->number) - (a->number < b->number);
}

int64
value_integer_member(const JsonValue *object, Str name)
{
	const JsonValue *member = json_get(object, name);
	ContextValue value;

	if (member == NULL || member->type != JSON_NUMBER)
		return 0;
	value = value_from_json(member);
	return value.type == VALUE_INT && value.digits.data == NULL ? value.integer : 0;
}
