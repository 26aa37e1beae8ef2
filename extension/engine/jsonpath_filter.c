/*
 * The grammar of filter expressions.
 *
 * Operators bind as in the RFC, but a row of them groups from the right: a == b == c is
 * a == (b == c).  Each form is checked as soon as it is complete, so that of several
 * errors the same one counts as in the Python package.
 */
#include "jsonpath_internal.h"

#include <math.h>

typedef enum Precedence
{
	PRECEDENCE_LOWEST,
	PRECEDENCE_OR,
	PRECEDENCE_AND,
	PRECEDENCE_COMPARISON,
	PRECEDENCE_NOT
} Precedence;

/* Functions; those that take nodes take any query, the others what is one value. */
static const struct
{
	Str name;
	int nargs;
	bool takes_nodes;
	bool returns_value; /* else true or false, which cannot be compared */
} functions[] = {[FUNCTION_LENGTH] = {STR_INIT("length"), 1, false, true},
                 [FUNCTION_COUNT] = {STR_INIT("count"), 1, true, true},
                 [FUNCTION_MATCH] = {STR_INIT("match"), 2, false, false},
                 [FUNCTION_SEARCH] = {STR_INIT("search"), 2, false, false},
                 [FUNCTION_VALUE] = {STR_INIT("value"), 1, true, true}};

static JsonPathFilter *parse_expression(JsonPathParser *parser, Precedence precedence);
static JsonPathFilter *parse_function(JsonPathParser *parser);

static JsonPathFilter *
make(JsonPathExprType type)
{
	JsonPathFilter *expr = palloc0(sizeof(JsonPathFilter));

	expr->type = type;
	return expr;
}

static JsonPathFilter *
fail(JsonPathParser *parser, JsonPathStatus status)
{
	jsonpath_fail(parser, status);
	return NULL;
}

static bool
enter(JsonPathParser *parser, int levels)
{
	if (parser->nesting + levels > JSONPATH_MAX_NESTING)
		return jsonpath_fail(parser, JSONPATH_REFUSED);
	parser->nesting += levels;
	return true;
}

static bool
returns_value(const JsonPathFilter *expr)
{
	return expr->type == EXPR_FUNCTION && functions[expr->function].returns_value;
}

/* What a token means between two operands; false if it is no operator. */
static bool
find_operator(JsonPathTokenType token, JsonPathExprType *type, Precedence *precedence)
{
	*precedence = PRECEDENCE_COMPARISON;
	switch (token)
	{
		case TOKEN_AND:
			*type = EXPR_AND;
			*precedence = PRECEDENCE_AND;
			return true;
		case TOKEN_OR:
			*type = EXPR_OR;
			*precedence = PRECEDENCE_OR;
			return true;
		case TOKEN_EQ:
			*type = EXPR_EQ;
			return true;
		case TOKEN_NE:
			*type = EXPR_NE;
			return true;
		case TOKEN_LT:
			*type = EXPR_LT;
			return true;
		case TOKEN_LE:
			*type = EXPR_LE;
			return true;
		case TOKEN_GT:
			*type = EXPR_GT;
			return true;
		case TOKEN_GE:
			*type = EXPR_GE;
			return true;
		default:
			*precedence = token == TOKEN_NOT ? PRECEDENCE_NOT : PRECEDENCE_LOWEST;
			return false;
	}
}

/*
 * Parses a number.  An int without an exponent still goes through a double, and so does
 * it in the Python package: 9007199254740993 is 9007199254740992.
 */
static JsonPathFilter *
parse_number(JsonPathParser *parser)
{
	const JsonPathToken *token = parser->token;
	JsonPathFilter *expr = make(EXPR_LITERAL);
	uint32 point = 0;

	while (point < token->text.len && token->text.data[point] != '.')
		point++;
	if (token->text.data[0] == ':' || (token->text.data[0] == '0' && point > 1))
		return fail(parser, JSONPATH_SYNTAX);
	expr->literal.type = VALUE_FLOAT;
	expr->literal.number = strtod(str_copy(token->text).data, NULL);
	/* an int that is infinite cannot be made */
	if (token->type == TOKEN_INT && isinf(expr->literal.number))
		return fail(parser, JSONPATH_REFUSED);
	return expr;
}

static JsonPathFilter *
parse_literal(JsonPathParser *parser)
{
	JsonPathFilter *expr = make(EXPR_LITERAL);

	switch (parser->token->type)
	{
		case TOKEN_TRUE:
		case TOKEN_FALSE:
			expr->literal.type = VALUE_BOOL;
			expr->literal.boolean = parser->token->type == TOKEN_TRUE;
			return expr;
		case TOKEN_NULL:
			expr->literal = NULL_VALUE;
			return expr;
		case TOKEN_SINGLE_QUOTED:
		case TOKEN_DOUBLE_QUOTED:
			expr->literal.type = VALUE_STRING;
			if (!jsonpath_decode_string(parser, parser->token, &expr->literal.string))
				return NULL;
			return expr;
		default:
			return parse_number(parser);
	}
}

static JsonPathFilter *
parse_query(JsonPathParser *parser)
{
	JsonPathFilter *expr = make(EXPR_QUERY);

	expr->from_root = jsonpath_next(parser)->type == TOKEN_ROOT;
	if (!jsonpath_parse_segments(parser, &expr->query))
		return NULL;
	parser->token--; /* expressions end at their last token */
	return expr;
}

static JsonPathFilter *
parse_not(JsonPathParser *parser)
{
	JsonPathFilter *expr = make(EXPR_NOT);

	jsonpath_next(parser);
	expr->left = parse_expression(parser, PRECEDENCE_NOT);
	return expr->left == NULL ? NULL : expr;
}

/* Whether an operand may be compared: no list of nodes, no function without a value. */
static bool
is_comparable(const JsonPathFilter *expr)
{
	if (expr->type == EXPR_QUERY)
		return jsonpath_is_singular(&expr->query);
	return expr->type != EXPR_FUNCTION || returns_value(expr);
}

/* Parses an operator and its right operand. */
static JsonPathFilter *
parse_infix(JsonPathParser *parser, JsonPathFilter *left)
{
	JsonPathExprType type;
	Precedence precedence;
	bool found = find_operator(jsonpath_next(parser)->type, &type, &precedence);
	JsonPathFilter *right = parse_expression(parser, precedence);
	JsonPathFilter *expr;

	if (right == NULL)
		return NULL;
	if (!found)
		return fail(parser, JSONPATH_SYNTAX);
	if (precedence == PRECEDENCE_COMPARISON)
	{
		if (!is_comparable(left) || !is_comparable(right))
			return fail(parser, JSONPATH_REFUSED);
	}
	else if (left->type == EXPR_LITERAL || right->type == EXPR_LITERAL)
		return fail(parser, JSONPATH_SYNTAX);
	expr = make(type);
	expr->left = left;
	expr->right = right;
	return expr;
}

/* Parses an expression in parentheses, up to the right one. */
static JsonPathFilter *
parse_group(JsonPathParser *parser)
{
	JsonPathFilter *expr;

	jsonpath_next(parser);
	expr = parse_expression(parser, PRECEDENCE_LOWEST);
	if (expr == NULL)
		return NULL;
	jsonpath_next(parser);
	if (parser->token->type == TOKEN_RPAREN)
		return expr;
	if (parser->token->type == TOKEN_EOF)
		return fail(parser, JSONPATH_SYNTAX);
	/* no operator, so this fails; but what comes after it may be refused before */
	return parse_infix(parser, expr);
}

static JsonPathFilter *
parse_operand(JsonPathParser *parser)
{
	switch (parser->token->type)
	{
		case TOKEN_ROOT:
		case TOKEN_CURRENT:
			return parse_query(parser);
		case TOKEN_FUNCTION:
			return parse_function(parser);
		case TOKEN_TRUE:
		case TOKEN_FALSE:
		case TOKEN_NULL:
		case TOKEN_SINGLE_QUOTED:
		case TOKEN_DOUBLE_QUOTED:
		case TOKEN_FLOAT:
		case TOKEN_INT:
			return parse_literal(parser);
		default:
			return fail(parser, JSONPATH_SYNTAX);
	}
}

/* Parses an argument, which may be an expression but not begin with `(` or `!`. */
static JsonPathFilter *
parse_argument(JsonPathParser *parser)
{
	JsonPathFilter *expr = parse_operand(parser);
	JsonPathExprType type;
	Precedence precedence;

	while (expr != NULL && find_operator(jsonpath_peek(parser), &type, &precedence))
	{
		jsonpath_next(parser);
		expr = parse_infix(parser, expr);
	}
	return expr;
}

/* Parses a call's arguments, up to the parenthesis, and keeps the first two. */
static bool
parse_arguments(JsonPathParser *parser, JsonPathFilter *call, int *nargs)
{
	*nargs = 0;
	while (parser->token->type != TOKEN_RPAREN)
	{
		JsonPathFilter *argument = parse_argument(parser);

		if (argument == NULL)
			return false;
		if (*nargs == 0)
			call->left = argument;
		else if (*nargs == 1)
			call->right = argument;
		(*nargs)++;
		if (jsonpath_peek(parser) != TOKEN_RPAREN)
		{
			if (jsonpath_peek(parser) != TOKEN_COMMA)
				return jsonpath_fail(parser, JSONPATH_SYNTAX);
			jsonpath_next(parser);
		}
		jsonpath_next(parser);
	}
	return true;
}

static bool
is_argument(const JsonPathFilter *expr, bool takes_nodes)
{
	if (takes_nodes)
		return expr->type == EXPR_QUERY;
	return expr->type == EXPR_LITERAL || returns_value(expr) ||
	       (expr->type == EXPR_QUERY && jsonpath_is_singular(&expr->query));
}

/* Finds the function of a call and checks the arguments. */
static bool
resolve_call(JsonPathFilter *call, Str name, int nargs)
{
	for (int i = 0; i < (int) lengthof(functions); i++)
	{
		if (!str_equal(functions[i].name, name))
			continue;
		call->function = i;
		return nargs == functions[i].nargs &&
		       is_argument(call->left, functions[i].takes_nodes) &&
		       (nargs < 2 || is_argument(call->right, functions[i].takes_nodes));
	}
	return false;
}

static JsonPathFilter *
parse_function(JsonPathParser *parser)
{
	JsonPathFilter *call = make(EXPR_FUNCTION);
	Str name = jsonpath_next(parser)->text;
	int nargs;

	if (!enter(parser, JSONPATH_NESTING_FUNCTION) ||
	    !parse_arguments(parser, call, &nargs))
		return NULL;
	parser->nesting -= JSONPATH_NESTING_FUNCTION;
	return resolve_call(call, name, nargs) ? call : fail(parser, JSONPATH_REFUSED);
}

static JsonPathFilter *
parse_prefixed(JsonPathParser *parser)
{
	if (parser->token->type == TOKEN_NOT)
		return parse_not(parser);
	if (parser->token->type == TOKEN_LPAREN)
		return parse_group(parser);
	return parse_operand(parser);
}

/* Parses an expression up to an operator that binds less than precedence. */
static JsonPathFilter *
parse_expression(JsonPathParser *parser, Precedence precedence)
{
	JsonPathFilter *expr;
	JsonPathExprType type;
	Precedence next;

	if (!enter(parser, JSONPATH_NESTING_EXPRESSION))
		return NULL;
	expr = parse_prefixed(parser);
	while (expr != NULL && find_operator(jsonpath_peek(parser), &type, &next) &&
	       next >= precedence)
	{
		jsonpath_next(parser);
		expr = parse_infix(parser, expr);
	}
	parser->nesting -= JSONPATH_NESTING_EXPRESSION;
	return expr;
}

JsonPathFilter *
jsonpath_parse_filter(JsonPathParser *parser)
{
	JsonPathFilter *filter;

	if (!enter(parser, JSONPATH_NESTING_FILTER))
		return NULL;
	jsonpath_next(parser);
	filter = parse_expression(parser, PRECEDENCE_LOWEST);
	parser->nesting -= JSONPATH_NESTING_FILTER;
	if (filter == NULL)
		return NULL;
	if (returns_value(filter))
		return fail(parser, JSONPATH_REFUSED);
	if (filter->type == EXPR_LITERAL)
		return fail(parser, JSONPATH_SYNTAX);
	return filter;
}
