/*
 * The grammar of JSONPath queries: segments and their selectors.
 *
 * It follows the Python package where that leaves the RFC: the second colon of a slice
 * may be missing, an index is checked for leading zeros before its range.
 */
#include "jsonpath_internal.h"

/* The room for one more item in an array that holds count of them: a power of two. */
#define GROW(array, count)                                                               \
	((count) == 0 ? palloc(sizeof(*(array)))                                             \
	 : ((count) & ((count) -1)) == 0                                                     \
	     ? repalloc(array, sizeof(*(array)) * 2 * (Size) (count))                        \
	     : (array))

static bool
starts_with(Str text, const char *prefix)
{
	return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

/* Reads an index whose form has been checked, up to the range that is checked later. */
static bool
read_index(JsonPathParser *parser, Str text, int64 *index)
{
	bool negative = text.data[0] == '-';
	int64 number = 0;

	if (text.len - negative > JSONPATH_MAX_DIGITS)
		return jsonpath_fail(parser, JSONPATH_REFUSED);
	for (uint32 i = negative; i < text.len; i++)
	{
		if (number > JSONPATH_MAX_INDEX)
			break;
		number = number * 10 + (text.data[i] - '0');
	}
	*index = negative ? -number : number;
	return true;
}

static bool
check_range(JsonPathParser *parser, int64 index)
{
	if (index < -JSONPATH_MAX_INDEX || index > JSONPATH_MAX_INDEX)
		return jsonpath_fail(parser, JSONPATH_REFUSED);
	return true;
}

static bool
parse_index(JsonPathParser *parser, JsonPathSelector *selector)
{
	Str text = parser->token->text;

	if ((text.len > 1 && text.data[0] == '0') || starts_with(text, "-0"))
		return jsonpath_fail(parser, JSONPATH_SYNTAX);
	selector->type = SELECTOR_INDEX;
	return read_index(parser, text, &selector->index) &&
	       check_range(parser, selector->index);
}

/* Reads a slice's bound, if there is one here, and moves behind it. */
static bool
parse_bound(JsonPathParser *parser, bool *present, int64 *bound)
{
	Str text = parser->token->text;

	*present = parser->token->type == TOKEN_INDEX;
	if (!*present)
		return true;
	if (text.len > 1 && (text.data[0] == '0' || starts_with(text, "-0")))
		return jsonpath_fail(parser, JSONPATH_SYNTAX);
	if (!read_index(parser, text, bound))
		return false;
	jsonpath_next(parser);
	return true;
}

static bool
parse_slice(JsonPathParser *parser, JsonPathSelector *slice)
{
	slice->type = SELECTOR_SLICE;
	if (!parse_bound(parser, &slice->has_start, &slice->start))
		return false;
	if (parser->token->type != TOKEN_COLON)
		return jsonpath_fail(parser, JSONPATH_SYNTAX);
	jsonpath_next(parser);
	if (!parse_bound(parser, &slice->has_stop, &slice->stop))
		return false;
	if (parser->token->type == TOKEN_COLON)
		jsonpath_next(parser);
	if (!parse_bound(parser, &slice->has_step, &slice->step))
		return false;
	parser->token--; /* selectors end at their last token */
	return check_range(parser, slice->start) && check_range(parser, slice->stop) &&
	       check_range(parser, slice->step);
}

static bool
parse_selector(JsonPathParser *parser, JsonPathSelector *selector)
{
	memset(selector, 0, sizeof(*selector));
	switch (parser->token->type)
	{
		case TOKEN_INDEX:
			if (jsonpath_peek(parser) == TOKEN_COLON)
				return parse_slice(parser, selector);
			return parse_index(parser, selector);
		case TOKEN_COLON:
			return parse_slice(parser, selector);
		case TOKEN_SINGLE_QUOTED:
		case TOKEN_DOUBLE_QUOTED:
			selector->type = SELECTOR_NAME;
			return jsonpath_decode_string(parser, parser->token, &selector->name);
		case TOKEN_PROPERTY:
			selector->type = SELECTOR_NAME;
			selector->name = str_copy(parser->token->text);
			return true;
		case TOKEN_WILD:
			selector->type = SELECTOR_WILDCARD;
			return true;
		case TOKEN_FILTER:
			selector->type = SELECTOR_FILTER;
			selector->filter = jsonpath_parse_filter(parser);
			return selector->filter != NULL;
		default:
			return jsonpath_fail(parser, JSONPATH_SYNTAX);
	}
}

/* Adds a selector to the segment and parses it. */
static bool
add_selector(JsonPathParser *parser, JsonPathSegment *segment)
{
	segment->selectors = GROW(segment->selectors, segment->nselectors);
	return parse_selector(parser, &segment->selectors[segment->nselectors++]);
}

/* Parses selectors in brackets, up to the right one. */
static bool
parse_bracketed(JsonPathParser *parser, JsonPathSegment *segment)
{
	jsonpath_next(parser);
	while (parser->token->type != TOKEN_RBRACKET)
	{
		/* a comma among a function's arguments may be followed by `.name` */
		if (parser->token->type == TOKEN_PROPERTY)
			return jsonpath_fail(parser, JSONPATH_SYNTAX);
		if (!add_selector(parser, segment))
			return false;
		if (jsonpath_peek(parser) != TOKEN_RBRACKET)
		{
			if (jsonpath_peek(parser) != TOKEN_COMMA)
				return jsonpath_fail(parser, JSONPATH_SYNTAX);
			jsonpath_next(parser);
			if (jsonpath_peek(parser) == TOKEN_RBRACKET)
				return jsonpath_fail(parser, JSONPATH_SYNTAX);
		}
		jsonpath_next(parser);
	}
	return segment->nselectors > 0 || jsonpath_fail(parser, JSONPATH_SYNTAX);
}

/* Parses one segment, up to its last token. */
static bool
parse_segment(JsonPathParser *parser, JsonPathSegment *segment)
{
	memset(segment, 0, sizeof(*segment));
	segment->descendant = parser->token->type == TOKEN_DOUBLE_DOT;
	if (segment->descendant)
		jsonpath_next(parser);
	if (parser->token->type == TOKEN_LBRACKET)
		return parse_bracketed(parser, segment);
	return add_selector(parser, segment);
}

bool
jsonpath_parse_segments(JsonPathParser *parser, JsonPath *path)
{
	for (;;)
	{
		switch (parser->token->type)
		{
			case TOKEN_DOUBLE_DOT:
			case TOKEN_LBRACKET:
			case TOKEN_PROPERTY:
			case TOKEN_WILD:
				break;
			default:
				return true;
		}
		engine_check_interrupts();
		path->segments = GROW(path->segments, path->nsegments);
		if (!parse_segment(parser, &path->segments[path->nsegments++]))
			return false;
		jsonpath_next(parser);
	}
}

JsonPathStatus
jsonpath_parse(Str text, JsonPath *path)
{
	JsonPathToken *tokens;
	JsonPathParser parser = {.status = JSONPATH_OK};

	memset(path, 0, sizeof(*path));
	if (text.len > JSONPATH_MAX_LENGTH)
		return JSONPATH_REFUSED;
	tokens = jsonpath_lex(text);
	if (tokens == NULL)
		return JSONPATH_SYNTAX;
	parser.token = tokens + 1; /* the first one is the root */
	if (jsonpath_parse_segments(&parser, path) && parser.token->type != TOKEN_EOF)
		parser.status = JSONPATH_SYNTAX;
	pfree(tokens);
	return parser.status;
}

bool
jsonpath_is_singular(const JsonPath *path)
{
	for (int i = 0; i < path->nsegments; i++)
	{
		const JsonPathSegment *segment = &path->segments[i];

		if (segment->descendant || segment->nselectors != 1 ||
		    (segment->selectors[0].type != SELECTOR_NAME &&
		     segment->selectors[0].type != SELECTOR_INDEX))
			return false;
	}
	return true;
}
