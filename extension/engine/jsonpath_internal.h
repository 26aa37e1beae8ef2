/*
 * What the parts of JSONPath share: tokens, the parser's state, filter expressions and
 * their evaluation.
 *
 * A query is first cut into tokens as a whole (jsonpath_lex.c), because a broken token at
 * its end makes it no JSONPath whatever precedes; then parsed from left to right
 * (jsonpath_parse.c, jsonpath_filter.c), where the first thing wrong decides the status.
 * It is evaluated by jsonpath_exec.c, its filters by jsonpath_eval.c.
 */
#ifndef FLAGSMITH_JSONPATH_INTERNAL_H
#define FLAGSMITH_JSONPATH_INTERNAL_H

#include "jsonpath.h"
#include "value.h"

/* The longest query, in bytes: far above any real one; its tokens take 24 times as much. */
#define JSONPATH_MAX_LENGTH (1 << 20)

/*
 * How deep a query's filters, parentheses and operators may nest, counted as Python's
 * interpreter counts the calls of the parser there: its limit is 1000, callers included.
 * That makes 150 nested filters, or 450 parentheses, or 450 operators in a row.
 */
#define JSONPATH_MAX_NESTING 900
#define JSONPATH_NESTING_FILTER 4 /* on top of the expression in it */
#define JSONPATH_NESTING_EXPRESSION 2
#define JSONPATH_NESTING_FUNCTION 1

/* Levels that `..` descends at most, the value that it starts from included. */
#define JSONPATH_MAX_DESCENT 100

/*
 * Segments, levels of `..` and levels of expressions that evaluation may have in work at
 * once, over all the queries that are nested in each other: what bounds the C stack.
 */
#define JSONPATH_MAX_RECURSION 1000

/* Indexes outside of +-(2^53 - 1) are refused. */
#define JSONPATH_MAX_INDEX ((INT64CONST(1) << 53) - 1)

/* Python refuses to read an int of more digits at once, whatever follows. */
#define JSONPATH_MAX_DIGITS 4300

typedef enum JsonPathTokenType
{
	TOKEN_EOF,
	TOKEN_COLON,
	TOKEN_COMMA,
	TOKEN_DOUBLE_DOT,
	TOKEN_FILTER,
	TOKEN_INDEX,
	TOKEN_LBRACKET,
	TOKEN_PROPERTY,
	TOKEN_RBRACKET,
	TOKEN_ROOT,
	TOKEN_WILD,
	TOKEN_AND,
	TOKEN_CURRENT,
	TOKEN_DOUBLE_QUOTED,
	TOKEN_EQ,
	TOKEN_FALSE,
	TOKEN_FLOAT,
	TOKEN_FUNCTION,
	TOKEN_GE,
	TOKEN_GT,
	TOKEN_INT,
	TOKEN_LE,
	TOKEN_LPAREN,
	TOKEN_LT,
	TOKEN_NE,
	TOKEN_NOT,
	TOKEN_NULL,
	TOKEN_OR,
	TOKEN_RPAREN,
	TOKEN_SINGLE_QUOTED,
	TOKEN_TRUE
} JsonPathTokenType;

typedef struct JsonPathToken
{
	JsonPathTokenType type;
	Str text; /* of the query; of a string, what is between the quotes */
} JsonPathToken;

/*
 * Cuts query into tokens, the last of which is TOKEN_EOF; their texts point into query.
 * Returns NULL if it is no JSONPath.
 */
extern JsonPathToken *jsonpath_lex(Str query);

typedef struct JsonPathParser
{
	const JsonPathToken *token; /* the current one */
	int nesting;                /* up to JSONPATH_MAX_NESTING */
	JsonPathStatus status;      /* set by who returns false or NULL */
} JsonPathParser;

/* The token behind the current one; there is nothing behind TOKEN_EOF but itself. */
static inline JsonPathTokenType
jsonpath_peek(const JsonPathParser *parser)
{
	return parser->token[parser->token->type == TOKEN_EOF ? 0 : 1].type;
}

/* Moves on, and returns the token that was the current one. */
static inline const JsonPathToken *
jsonpath_next(JsonPathParser *parser)
{
	const JsonPathToken *token = parser->token;

	if (token->type != TOKEN_EOF)
		parser->token++;
	return token;
}

/* Sets the status and returns false, for "return jsonpath_fail(...)". */
static inline bool
jsonpath_fail(JsonPathParser *parser, JsonPathStatus status)
{
	parser->status = status;
	return false;
}

/* Parses segments as long as there are any; ends at the first token that is none. */
extern bool jsonpath_parse_segments(JsonPathParser *parser, JsonPath *path);

/* Decodes the string of a token into the current memory context. */
extern bool jsonpath_decode_string(JsonPathParser *parser, const JsonPathToken *token,
                                   Str *string);

typedef enum JsonPathFunction
{
	FUNCTION_LENGTH,
	FUNCTION_COUNT,
	FUNCTION_MATCH,
	FUNCTION_SEARCH,
	FUNCTION_VALUE
} JsonPathFunction;

typedef enum JsonPathExprType
{
	EXPR_LITERAL,
	EXPR_QUERY,
	EXPR_FUNCTION,
	EXPR_NOT,
	EXPR_AND,
	EXPR_OR,
	EXPR_EQ,
	EXPR_NE,
	EXPR_LT,
	EXPR_LE,
	EXPR_GT,
	EXPR_GE
} JsonPathExprType;

/* An expression of a filter; a filter is its outermost expression. */
typedef struct JsonPathFilter
{
	JsonPathExprType type;
	ContextValue literal;         /* EXPR_LITERAL */
	bool from_root;               /* EXPR_QUERY: `$`, else `@` */
	JsonPath query;               /* EXPR_QUERY */
	JsonPathFunction function;    /* EXPR_FUNCTION */
	struct JsonPathFilter *left;  /* operand or first argument */
	struct JsonPathFilter *right; /* likewise, the second; or NULL */
} JsonPathFilter;

/* Parses what follows the current `?`; ends at the last token of it. */
extern JsonPathFilter *jsonpath_parse_filter(JsonPathParser *parser);

/* What the queries of one evaluation have in common. */
typedef struct JsonPathEvaluation
{
	int recursion; /* up to JSONPATH_MAX_RECURSION */
	bool failed;   /* Python would have raised: there is no answer */
} JsonPathEvaluation;

/* Counts one more level of recursion in; when there are too many, the evaluation fails. */
static inline bool
jsonpath_enter(JsonPathEvaluation *evaluation)
{
	if (evaluation->recursion >= JSONPATH_MAX_RECURSION)
		evaluation->failed = true;
	if (!evaluation->failed)
		evaluation->recursion++;
	return !evaluation->failed;
}

static inline void
jsonpath_leave(JsonPathEvaluation *evaluation)
{
	evaluation->recursion--;
}

/* What a query has found. */
typedef struct JsonPathNodes
{
	uint64 count;
	const JsonValue *first; /* NULL if count is 0 */
} JsonPathNodes;

/* Runs path on root, which also is the `$` of its filters, up to the first node or to the
 * end.  May set evaluation->failed; what was found until then is left in *nodes. */
extern void jsonpath_find(JsonPathEvaluation *evaluation, const JsonPath *path,
                          const JsonValue *root, bool first_only, JsonPathNodes *nodes);

/* The number of members of an object, a JSON_FLAGS included: of those resolved so far. */
extern uint32 jsonpath_object_count(const JsonValue *object);

/* Whether current passes the filter. */
extern bool jsonpath_filter_passes(JsonPathEvaluation *evaluation,
                                   const JsonPathFilter *filter, const JsonValue *current,
                                   const JsonValue *root);

typedef enum JsonPathResultType
{
	RESULT_NOTHING,
	RESULT_NODES,
	RESULT_SCALAR,
	RESULT_CONTAINER
} JsonPathResultType;

/* What an expression evaluates to. */
typedef struct JsonPathResult
{
	JsonPathResultType type;
	union
	{
		JsonPathNodes nodes;
		ContextValue scalar;
		const JsonValue *container; /* JSON_ARRAY, JSON_OBJECT or JSON_FLAGS */
	};
} JsonPathResult;

extern JsonPathResult jsonpath_result(const JsonValue *value);

/* A node list as a value: that of its one node, or nothing.  Other results stay. */
extern JsonPathResult jsonpath_unwrap(JsonPathResult result);

/* The comparisons `==` and `<` of unwrapped results. */
extern bool jsonpath_equal(const JsonPathResult *left, const JsonPathResult *right);
extern bool jsonpath_less(const JsonPathResult *left, const JsonPathResult *right);

/*
 * The functions match() and search(): whether pattern, an I-Regexp, matches the whole of
 * text or a part of it.  False if it is no I-Regexp.
 */
extern bool jsonpath_regex_match(Str pattern, Str text);
extern bool jsonpath_regex_search(Str pattern, Str text);

#endif
