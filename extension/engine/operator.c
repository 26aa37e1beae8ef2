/*
 * The operators of conditions.
 *
 * Where Flagsmith's engine raises an exception (a bad regular expression, modulo by zero,
 * a value of a type that cannot be cast), the condition is false.
 */
#include "operator.h"

#include <math.h>

#include "hash.h"
#include "in_list.h"
#include "pynumber.h"
#include "pystr.h"

#define SEMVER_SUFFIX ":semver"

/* How a context value stands to the operand; sets of them say which operator matches. */
#define ORDER_LESS 1
#define ORDER_EQUAL 2
#define ORDER_GREATER 4
#define ORDER_NONE 8    /* a NaN is neither */
#define ORDER_INVALID 0 /* they cannot be compared: no operator matches */

static bool
is_string(const JsonValue *value)
{
	return value != NULL && value->type == JSON_STRING;
}

/* Python's float(value); false where it raises. */
static bool
cast_float(const JsonValue *value, double *number)
{
	ContextValue given;

	if (value->type == JSON_STRING)
		return py_float(value->string, number);
	if (value->type == JSON_BOOL)
	{
		*number = value->boolean;
		return true;
	}
	if (value->type != JSON_NUMBER)
		return false;
	given = value_from_json(value);
	if (given.type == VALUE_INT)
		return py_int_to_float(&given, number);
	*number = given.number;
	return true;
}

/* Python's int(value); false where it raises. */
static bool
cast_int(const JsonValue *value, ContextValue *integer)
{
	if (value->type == JSON_STRING)
		return py_int(value->string, integer);
	if (value->type == JSON_BOOL)
	{
		*integer = (ContextValue){.type = VALUE_INT, .integer = value->boolean};
		return true;
	}
	if (value->type != JSON_NUMBER)
		return false;
	*integer = value_copy(value_from_json(value));
	if (integer->type == VALUE_FLOAT)
	{
		char digits[400]; /* the longest double has 309 */

		if (!isfinite(integer->number))
			return false;
		snprintf(digits, sizeof(digits), "%.0f", trunc(integer->number));
		*integer = value_copy(value_from_number(str_make(digits, strlen(digits))));
	}
	return true;
}

static void
cast_version(CastOperand *cast, Str value)
{
	uint32 suffix = strlen(SEMVER_SUFFIX);

	if (value.len < suffix ||
	    memcmp(value.data + value.len - suffix, SEMVER_SUFFIX, suffix) != 0)
		return;
	cast->version = palloc0(sizeof(VersionOperand));
	cast->version->text = str_make(value.data, value.len - suffix);
	cast->version->valid = semver_parse(cast->version->text, &cast->version->version);
}

static void
prepare_cast(const JsonValue *value, Operand *operand)
{
	CastOperand *cast;

	if (value == NULL)
		return;
	operand->valid = true;
	operand->cast = cast = palloc0(sizeof(CastOperand));
	cast->as_bool = !(is_string(value) && (str_equal(value->string, STR("False")) ||
	                                       str_equal(value->string, STR("false"))));
	cast->has_integer = cast_int(value, &cast->as_integer);
	cast->has_number = cast_float(value, &cast->as_number);
	/* looking for the suffix, the engine slices the value: only texts and lists bear that */
	cast->has_string = value->type == JSON_STRING || value->type == JSON_NULL ||
	                   value->type == JSON_ARRAY;
	if (cast->has_string)
		cast->as_string = py_str_text(value);
	if (value->type == JSON_STRING)
		cast_version(cast, cast->as_string);
}

static int
order_of(int comparison)
{
	return comparison < 0 ? ORDER_LESS : (comparison > 0 ? ORDER_GREATER : ORDER_EQUAL);
}

static int
compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return ORDER_NONE;
	return a < b ? ORDER_LESS : (a > b ? ORDER_GREATER : ORDER_EQUAL);
}

static int
compare_versions(const VersionOperand *operand, Str text)
{
	SemVer version;

	if (!operand->valid || !semver_parse(text, &version))
		return ORDER_INVALID;
	return order_of(semver_compare(&version, &operand->version));
}

static int
compare(const CastOperand *cast, const ContextValue *value)
{
	switch (value->type)
	{
		case VALUE_BOOL:
			return order_of((int) value->boolean - (int) cast->as_bool);
		case VALUE_INT:
			if (!cast->has_integer)
				return ORDER_INVALID;
			return order_of(value_compare_numbers(value, &cast->as_integer));
		case VALUE_FLOAT:
			return cast->has_number ? compare_numbers(value->number, cast->as_number)
			                        : ORDER_INVALID;
		case VALUE_STRING:
			if (!cast->has_string)
				return ORDER_INVALID;
			if (cast->version != NULL)
				return compare_versions(cast->version, value->string);
			return order_of(str_compare(value->string, cast->as_string));
		case VALUE_NULL:
		case VALUE_UNREADABLE:
			break;
	}
	return ORDER_INVALID;
}

static bool
matches_comparison(const Operator *self, const Operand *operand,
                   const ContextValue *value, Str segment_key)
{
	return (self->outcomes & compare(operand->cast, value)) != 0;
}

static bool
matches_contains(const Operator *self, const Operand *operand, const ContextValue *value,
                 Str segment_key)
{
	const CastOperand *cast = operand->cast;
	SemVer version;

	if (value->type != VALUE_STRING || !cast->has_string)
		return false;
	if (cast->version != NULL)
		return semver_parse(value->string, &version) &&
		       semver_contains(&version, cast->version->text);
	return str_contains(value->string, cast->as_string);
}

static void
prepare_not_contains(const JsonValue *value, Operand *operand)
{
	if (value == NULL)
		return;
	operand->valid = true;
	operand->text = py_str_text(value);
}

static bool
matches_not_contains(const Operator *self, const Operand *operand,
                     const ContextValue *value, Str segment_key)
{
	return value->type == VALUE_STRING && !str_contains(value->string, operand->text);
}

static void
prepare_regex(const JsonValue *value, Operand *operand)
{
	if (value == NULL)
		return;
	operand->regex = regex_compile(py_str_text(value));
	operand->valid = operand->regex != NULL;
}

static bool
matches_regex(const Operator *self, const Operand *operand, const ContextValue *value,
              Str segment_key)
{
	char buffer[VALUE_TEXT_MAX];

	return regex_match(operand->regex, value_text(value, buffer));
}

static void
prepare_in(const JsonValue *value, Operand *operand)
{
	if (value == NULL || (value->type != JSON_ARRAY && value->type != JSON_STRING))
		return;
	operand->valid = true;
	operand->members = in_list_members(value);
}

static bool
matches_in(const Operator *self, const Operand *operand, const ContextValue *value,
           Str segment_key)
{
	char buffer[VALUE_TEXT_MAX];

	if (value->type != VALUE_INT && value->type != VALUE_STRING)
		return false;
	return strtable_find(operand->members, value_text(value, buffer)) >= 0;
}

static void
prepare_modulo(const JsonValue *value, Operand *operand)
{
	const char *bar;
	Str text;
	uint32 at;

	if (!is_string(value) || value->string.len == 0)
		return;
	text = value->string;
	bar = memchr(text.data, '|', text.len);
	if (bar == NULL)
		return;
	at = bar - text.data;
	operand->valid =
		memchr(bar + 1, '|', text.len - at - 1) == NULL &&
		py_float(str_make(text.data, at), &operand->modulo.divisor) &&
		py_float(str_make(bar + 1, text.len - at - 1), &operand->modulo.remainder) &&
		operand->modulo.divisor != 0;
}

static bool
matches_modulo(const Operator *self, const Operand *operand, const ContextValue *value,
               Str segment_key)
{
	double number;

	if (value->type == VALUE_BOOL)
		number = value->boolean;
	else if (value->type == VALUE_FLOAT)
		number = value->number;
	else if (value->type != VALUE_INT || !py_int_to_float(value, &number))
		return false;
	return py_modulo(number, operand->modulo.divisor) == operand->modulo.remainder;
}

static void
prepare_percentage_split(const JsonValue *value, Operand *operand)
{
	operand->valid = value != NULL && cast_float(value, &operand->percentage);
}

static bool
matches_percentage_split(const Operator *self, const Operand *operand,
                         const ContextValue *value, Str segment_key)
{
	char buffer[VALUE_TEXT_MAX];
	Str ids[2] = {segment_key, value_text(value, buffer)};

	return hash_percentage(ids, 2) <= operand->percentage;
}

static bool
matches_is_set(const Operator *self, const Operand *operand, const ContextValue *value,
               Str segment_key)
{
	return value->type != VALUE_NULL;
}

static bool
matches_is_not_set(const Operator *self, const Operand *operand,
                   const ContextValue *value, Str segment_key)
{
	return value->type == VALUE_NULL;
}

#define COMPARISON(name, outcomes)                                                       \
	{                                                                                    \
		STR_INIT(name), prepare_cast, matches_comparison, outcomes, false                \
	}

static const Operator operators[] = {
	COMPARISON("EQUAL", ORDER_EQUAL),
	COMPARISON("NOT_EQUAL", ORDER_LESS | ORDER_GREATER | ORDER_NONE),
	COMPARISON("GREATER_THAN", ORDER_GREATER),
	COMPARISON("GREATER_THAN_INCLUSIVE", ORDER_GREATER | ORDER_EQUAL),
	COMPARISON("LESS_THAN", ORDER_LESS),
	COMPARISON("LESS_THAN_INCLUSIVE", ORDER_LESS | ORDER_EQUAL),
	{STR_INIT("CONTAINS"), prepare_cast, matches_contains, 0, false},
	{STR_INIT("NOT_CONTAINS"), prepare_not_contains, matches_not_contains, 0, false},
	{STR_INIT("REGEX"), prepare_regex, matches_regex, 0, false},
	{STR_INIT("IN"), prepare_in, matches_in, 0, false},
	{STR_INIT("MODULO"), prepare_modulo, matches_modulo, 0, false},
	{STR_INIT("PERCENTAGE_SPLIT"), prepare_percentage_split, matches_percentage_split, 0,
     false},
	{STR_INIT("IS_SET"), NULL, matches_is_set, 0, true},
	{STR_INIT("IS_NOT_SET"), NULL, matches_is_not_set, 0, true},
};

bool
operator_is_split(const Operator *operator)
{
	return operator!= NULL && operator->matches == matches_percentage_split;
}

void
operator_release(const Operator *operator, Operand * operand)
{
	if (operator!= NULL && operator->prepare == prepare_regex && operand->regex != NULL)
		regex_free(operand->regex);
}

const Operator *
operator_find(Str name)
{
	for (size_t i = 0; i < lengthof(operators); i++)
		if (str_equal(operators[i].name, name))
			return &operators[i];
	return NULL;
}

const Operator *
operator_at(int index)
{
	return index >= 0 && index < (int) lengthof(operators) ? &operators[index] : NULL;
}
