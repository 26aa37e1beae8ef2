/*
 * Evaluating filter expressions.
 *
 * Both operands of && and || are evaluated, whatever the first one gives: reading a flag
 * in them has effects, and an error in one counts.  A query inside of a filter is walked
 * to its end for the same reason; only how many nodes it finds matters, and the first.
 *
 * `@` is not a list of nodes where the current value is no array or object, but the value
 * itself.  So [?@] asks whether it is true in Python's sense, count(@) of a string is its
 * length, and count(@) of a number fails.
 */
#include "jsonpath_internal.h"

typedef struct Context
{
	JsonPathEvaluation *evaluation;
	const JsonValue *current;
	const JsonValue *root; /* what the query around the filter has started from */
} Context;

static JsonPathResult evaluate(const Context *context, const JsonPathFilter *expr);

static JsonPathResult
nothing(void)
{
	return (JsonPathResult){.type = RESULT_NOTHING};
}

static JsonPathResult
make_bool(bool value)
{
	return (JsonPathResult){.type = RESULT_SCALAR,
	                        .scalar = {.type = VALUE_BOOL, .boolean = value}};
}

static JsonPathResult
make_integer(uint64 value)
{
	return (JsonPathResult){.type = RESULT_SCALAR,
	                        .scalar = {.type = VALUE_INT, .integer = (int64) value}};
}

static JsonPathResult
fail(const Context *context)
{
	context->evaluation->failed = true;
	return nothing();
}

static bool
is_true_scalar(const ContextValue *value)
{
	switch (value->type)
	{
		case VALUE_NULL:
			return true; /* unlike in Python */
		case VALUE_BOOL:
			return value->boolean;
		case VALUE_INT:
			return value->digits.data != NULL || value->integer != 0;
		case VALUE_FLOAT:
			return value->number != 0;
		case VALUE_STRING:
			return value->string.len > 0;
		case VALUE_UNREADABLE:
			break; /* JSON is none */
	}
	return false;
}

/* Whether a result counts as true where a filter asks for it. */
static bool
is_true(const JsonPathResult *result)
{
	switch (result->type)
	{
		case RESULT_NOTHING:
			return false;
		case RESULT_NODES:
			return result->nodes.count > 0;
		case RESULT_SCALAR:
			return is_true_scalar(&result->scalar);
		case RESULT_CONTAINER:
			return jsonpath_object_count(result->container) > 0;
	}
	return false;
}

static JsonPathResult
evaluate_query(const Context *context, const JsonPathFilter *expr)
{
	const JsonValue *start = expr->from_root ? context->root : context->current;
	JsonPathResult result = {.type = RESULT_NODES};

	if (!expr->from_root && expr->query.nsegments == 0)
	{
		JsonPathResult value = jsonpath_result(start);

		if (value.type == RESULT_SCALAR)
			return value;
	}
	jsonpath_find(context->evaluation, &expr->query, start, false, &result.nodes);
	return result;
}

/* The number of characters. */
static uint64
text_length(Str text)
{
	uint64 length = 0;

	for (uint32 i = 0; i < text.len; i++)
		length += (text.data[i] & 0xC0) != 0x80;
	return length;
}

static bool
is_string(const JsonPathResult *result)
{
	return result->type == RESULT_SCALAR && result->scalar.type == VALUE_STRING;
}

static JsonPathResult
length_of(JsonPathResult argument)
{
	JsonPathResult value = jsonpath_unwrap(argument);

	if (value.type == RESULT_CONTAINER)
		return make_integer(jsonpath_object_count(value.container));
	return is_string(&value) ? make_integer(text_length(value.scalar.string)) : nothing();
}

static JsonPathResult
count_of(const Context *context, JsonPathResult nodes)
{
	if (nodes.type == RESULT_NODES)
		return make_integer(nodes.nodes.count);
	return is_string(&nodes) ? make_integer(text_length(nodes.scalar.string))
	                         : fail(context);
}

static JsonPathResult
value_of(const Context *context, JsonPathResult nodes)
{
	if (nodes.type == RESULT_NODES)
		return jsonpath_unwrap(nodes);
	/* a text of one character is taken for a list of one node, which it is not */
	if (is_string(&nodes) && text_length(nodes.scalar.string) != 1)
		return nothing();
	return fail(context);
}

static JsonPathResult
match_texts(JsonPathResult text, JsonPathResult pattern, bool (*match)(Str, Str))
{
	text = jsonpath_unwrap(text);
	pattern = jsonpath_unwrap(pattern);
	return make_bool(is_string(&text) && is_string(&pattern) &&
	                 match(pattern.scalar.string, text.scalar.string));
}

static JsonPathResult
evaluate_function(const Context *context, const JsonPathFilter *call)
{
	JsonPathResult first = evaluate(context, call->left);
	JsonPathResult second =
		call->right == NULL ? nothing() : evaluate(context, call->right);

	if (context->evaluation->failed)
		return nothing();
	switch (call->function)
	{
		case FUNCTION_LENGTH:
			return length_of(first);
		case FUNCTION_COUNT:
			return count_of(context, first);
		case FUNCTION_MATCH:
			return match_texts(first, second, jsonpath_regex_match);
		case FUNCTION_SEARCH:
			return match_texts(first, second, jsonpath_regex_search);
		case FUNCTION_VALUE:
			return value_of(context, first);
	}
	return nothing();
}

static bool
compare(JsonPathExprType operator, JsonPathResult left, JsonPathResult right)
{
	left = jsonpath_unwrap(left);
	right = jsonpath_unwrap(right);
	switch (operator)
	{
		case EXPR_EQ:
			return jsonpath_equal(&left, &right);
		case EXPR_NE:
			return !jsonpath_equal(&left, &right);
		case EXPR_LT:
			return jsonpath_less(&left, &right);
		case EXPR_LE:
			return jsonpath_less(&left, &right) || jsonpath_equal(&left, &right);
		case EXPR_GT:
			return jsonpath_less(&right, &left);
		case EXPR_GE:
			return jsonpath_less(&right, &left) || jsonpath_equal(&left, &right);
		default:
			return false;
	}
}

static bool
evaluate_binary(const Context *context, const JsonPathFilter *expr)
{
	JsonPathResult left = evaluate(context, expr->left);
	JsonPathResult right = evaluate(context, expr->right);

	if (expr->type == EXPR_AND)
		return is_true(&left) && is_true(&right);
	if (expr->type == EXPR_OR)
		return is_true(&left) || is_true(&right);
	return compare(expr->type, left, right);
}

static bool
evaluate_not(const Context *context, const JsonPathFilter *expr)
{
	JsonPathResult operand = evaluate(context, expr->left);

	return !is_true(&operand);
}

static JsonPathResult
evaluate_form(const Context *context, const JsonPathFilter *expr)
{
	switch (expr->type)
	{
		case EXPR_LITERAL:
			return (JsonPathResult){.type = RESULT_SCALAR, .scalar = expr->literal};
		case EXPR_QUERY:
			return evaluate_query(context, expr);
		case EXPR_FUNCTION:
			return evaluate_function(context, expr);
		case EXPR_NOT:
			return make_bool(evaluate_not(context, expr));
		default:
			return make_bool(evaluate_binary(context, expr));
	}
}

/* Evaluates an expression; once something has failed, to nothing. */
static JsonPathResult
evaluate(const Context *context, const JsonPathFilter *expr)
{
	JsonPathResult result;

	if (!jsonpath_enter(context->evaluation))
		return nothing();
	result = evaluate_form(context, expr);
	jsonpath_leave(context->evaluation);
	return result;
}

bool
jsonpath_filter_passes(JsonPathEvaluation *evaluation, const JsonPathFilter *filter,
                       const JsonValue *current, const JsonValue *root)
{
	Context context = {evaluation, current, root};
	JsonPathResult result = evaluate(&context, filter);

	return !evaluation->failed && is_true(&result);
}
