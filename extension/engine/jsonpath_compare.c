/*
 * Comparisons in JSONPath filters: those of Python.
 *
 * At the top a bool equals no number; inside of arrays and objects True == 1, and in the
 * order of values, too.  Equality of arrays and objects goes all the way down.
 */
#include "jsonpath_internal.h"

JsonPathResult
jsonpath_result(const JsonValue *value)
{
	JsonPathResult result = {.type = RESULT_SCALAR};

	switch (value->type)
	{
		case JSON_ARRAY:
		case JSON_OBJECT:
		case JSON_FLAGS:
			result.type = RESULT_CONTAINER;
			result.container = value;
			break;
		default:
			result.scalar = value_from_json(value);
	}
	return result;
}

JsonPathResult
jsonpath_unwrap(JsonPathResult result)
{
	if (result.type != RESULT_NODES)
		return result;
	if (result.nodes.count == 1)
		return jsonpath_result(result.nodes.first);
	return (JsonPathResult){.type = RESULT_NOTHING};
}

/* A value as a number, true being 1; false if it is none. */
static bool
as_number(const ContextValue *value, ContextValue *number)
{
	*number = *value;
	if (value->type == VALUE_BOOL)
		*number = (ContextValue){.type = VALUE_INT, .integer = value->boolean};
	return number->type == VALUE_INT || number->type == VALUE_FLOAT;
}

static bool
scalars_equal(const ContextValue *a, const ContextValue *b)
{
	ContextValue left;
	ContextValue right;

	if (as_number(a, &left) && as_number(b, &right))
		return value_compare_numbers(&left, &right) == 0;
	if (a->type != b->type)
		return false;
	return a->type == VALUE_NULL ||
	       (a->type == VALUE_STRING && str_equal(a->string, b->string));
}

static bool json_equal(const JsonValue *a, const JsonValue *b);

static bool
arrays_equal(const JsonValue *a, const JsonValue *b)
{
	if (a->count != b->count)
		return false;
	for (uint32 i = 0; i < a->count; i++)
	{
		if (!json_equal(&a->elements[i], &b->elements[i]))
			return false;
	}
	return true;
}

/* The member of b that has the name of a's i-th: most often the one at the same place. */
static const JsonValue *
find_member(const JsonValue *a, const JsonValue *b, uint32 i)
{
	if (str_equal(a->members[i].name, b->members[i].name))
		return &b->members[i].value;
	return json_get(b, a->members[i].name);
}

static bool
objects_equal(const JsonValue *a, const JsonValue *b)
{
	if (a->count != b->count)
		return false;
	for (uint32 i = 0; i < a->count; i++)
	{
		const JsonValue *other = find_member(a, b, i);

		if (other == NULL || !json_equal(&a->members[i].value, other))
			return false;
	}
	return true;
}

/* There is one JSON_FLAGS in a document; an object equals it only if both are empty. */
static bool
json_equal(const JsonValue *a, const JsonValue *b)
{
	JsonPathResult left;
	JsonPathResult right;

	engine_check_interrupts();
	if (a == b || (a->type == JSON_FLAGS && b->type == JSON_FLAGS))
		return true;
	if (a->type == JSON_ARRAY && b->type == JSON_ARRAY)
		return arrays_equal(a, b);
	if (a->type == JSON_OBJECT && b->type == JSON_OBJECT)
		return objects_equal(a, b);
	left = jsonpath_result(a);
	right = jsonpath_result(b);
	if (left.type == RESULT_SCALAR && right.type == RESULT_SCALAR)
		return scalars_equal(&left.scalar, &right.scalar);
	return left.type == right.type && a->type != JSON_ARRAY && b->type != JSON_ARRAY &&
	       jsonpath_object_count(a) == 0 && jsonpath_object_count(b) == 0;
}

bool
jsonpath_equal(const JsonPathResult *left, const JsonPathResult *right)
{
	if (left->type != right->type)
		return false;
	switch (left->type)
	{
		case RESULT_NOTHING:
			return true;
		case RESULT_CONTAINER:
			return json_equal(left->container, right->container);
		case RESULT_SCALAR:
			return (left->scalar.type == VALUE_BOOL) ==
			           (right->scalar.type == VALUE_BOOL) &&
			       scalars_equal(&left->scalar, &right->scalar);
		case RESULT_NODES:
			break;
	}
	return false;
}

bool
jsonpath_less(const JsonPathResult *left, const JsonPathResult *right)
{
	ContextValue a;
	ContextValue b;

	if (left->type != RESULT_SCALAR || right->type != RESULT_SCALAR)
		return false;
	if (left->scalar.type == VALUE_STRING && right->scalar.type == VALUE_STRING)
		return str_compare(left->scalar.string, right->scalar.string) < 0;
	return as_number(&left->scalar, &a) && as_number(&right->scalar, &b) &&
	       value_compare_numbers(&a, &b) < 0;
}
