/*
 * The tokens of a JSONPath query.
 *
 * What a character means depends on where it stands: after the query's root, inside of
 * brackets, or in a filter.  Each of these is a state, a function that cuts tokens until
 * another state goes on.  The states and their order of trying follow the Python package,
 * since the places where it leaves the RFC are what tells valid queries from trait names.
 */
#include "jsonpath_lexer.h"

typedef enum LexState
{
	LEX_SEGMENT,
	LEX_DESCENDANT,
	LEX_SHORTHAND,
	LEX_BRACKETED,
	LEX_FILTER,
	LEX_DONE,
	LEX_ERROR
} LexState;

/* Emits one of two tokens, by whether the next character is c (and then part of it). */
static void
emit_either(Lexer *lexer, char c, JsonPathTokenType with, JsonPathTokenType without)
{
	bool found = lexer_peek(lexer) == c;

	if (found)
		lexer->pos++;
	lexer_emit(lexer, found ? with : without);
}

static void
open_bracket(Lexer *lexer, char bracket)
{
	appendStringInfoChar(&lexer->brackets, bracket);
}

static bool
close_bracket(Lexer *lexer, char bracket)
{
	int len = lexer->brackets.len;

	if (len == 0 || lexer->brackets.data[len - 1] != bracket)
		return false;
	lexer->brackets.data[--lexer->brackets.len] = '\0';
	return true;
}

/* Cuts a function's name with its parenthesis, which is no token of its own. */
static bool
accept_call(Lexer *lexer)
{
	int c = lexer_peek(lexer);

	if (c < 'a' || c > 'z')
		return false;
	while ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')
	{
		lexer->pos++;
		c = lexer_peek(lexer);
	}
	if (c != '(')
		return false;
	lexer_emit(lexer, TOKEN_FUNCTION);
	if (lexer->ncalls == lexer->calls_size)
	{
		lexer->calls_size *= 2;
		lexer->calls = repalloc(lexer->calls, sizeof(uint32) * lexer->calls_size);
	}
	lexer->calls[lexer->ncalls++] = 1;
	open_bracket(lexer, '(');
	lexer->pos++;
	lexer_ignore(lexer);
	return true;
}

static LexState
lex_left_bracket(Lexer *lexer)
{
	lexer_emit(lexer, TOKEN_LBRACKET);
	open_bracket(lexer, '[');
	return LEX_BRACKETED;
}

static LexState
lex_segment(Lexer *lexer)
{
	if (lexer_skip_whitespace(lexer) && lexer_peek(lexer) == LEXER_END)
		return LEX_ERROR;
	switch (lexer_next(lexer))
	{
		case LEXER_END:
			lexer_emit(lexer, TOKEN_EOF);
			return LEX_DONE;
		case '.':
			if (lexer_peek(lexer) != '.')
				return LEX_SHORTHAND;
			lexer->pos++;
			lexer_emit(lexer, TOKEN_DOUBLE_DOT);
			return LEX_DESCENDANT;
		case '[':
			return lex_left_bracket(lexer);
	}
	lexer->pos--;
	return lexer->filter_depth != 0 ? LEX_FILTER : LEX_ERROR;
}

/* What both kinds of dots may be followed by. */
static LexState
lex_name(Lexer *lexer)
{
	if (lexer_peek(lexer) == '*')
	{
		lexer->pos++;
		lexer_emit(lexer, TOKEN_WILD);
		return LEX_SEGMENT;
	}
	if (!lexer_accept_property(lexer))
		return LEX_ERROR;
	lexer_emit(lexer, TOKEN_PROPERTY);
	return LEX_SEGMENT;
}

static LexState
lex_descendant(Lexer *lexer)
{
	if (lexer_peek(lexer) != '[')
		return lex_name(lexer);
	lexer->pos++;
	return lex_left_bracket(lexer);
}

static LexState
lex_shorthand(Lexer *lexer)
{
	lexer_ignore(lexer);
	return lex_name(lexer);
}

static LexState
lex_bracketed(Lexer *lexer)
{
	int c;

	lexer_skip_whitespace(lexer);
	switch (c = lexer_next(lexer))
	{
		case LEXER_END:
			return LEX_ERROR;
		case ']':
			if (!close_bracket(lexer, '['))
				return LEX_ERROR;
			lexer_emit(lexer, TOKEN_RBRACKET);
			return LEX_SEGMENT;
		case '?':
			lexer_emit(lexer, TOKEN_FILTER);
			lexer->filter_depth++;
			return LEX_FILTER;
		case '*':
			lexer_emit(lexer, TOKEN_WILD);
			return LEX_BRACKETED;
		case ',':
			lexer_emit(lexer, TOKEN_COMMA);
			return LEX_BRACKETED;
		case ':':
			lexer_emit(lexer, TOKEN_COLON);
			return LEX_BRACKETED;
		case '\'':
		case '"':
			return lexer_accept_string(lexer, c) ? LEX_BRACKETED : LEX_ERROR;
	}
	lexer->pos--;
	if (!lexer_accept_integer(lexer))
		return LEX_ERROR;
	lexer_emit(lexer, TOKEN_INDEX);
	return LEX_BRACKETED;
}

static LexState
lex_right_parenthesis(Lexer *lexer)
{
	if (!close_bracket(lexer, '('))
		return LEX_ERROR;
	lexer_emit(lexer, TOKEN_RPAREN);
	if (lexer->ncalls > 0 && --lexer->calls[lexer->ncalls - 1] == 0)
		lexer->ncalls--;
	return LEX_FILTER;
}

/* Words, operators of two characters, numbers and function calls. */
static LexState
lex_operand(Lexer *lexer)
{
	static const struct
	{
		Str text;
		JsonPathTokenType type;
	} words[] = {{STR_INIT("&&"), TOKEN_AND},
	             {STR_INIT("||"), TOKEN_OR},
	             {STR_INIT("true"), TOKEN_TRUE},
	             {STR_INIT("false"), TOKEN_FALSE},
	             {STR_INIT("null"), TOKEN_NULL}};

	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (lexer_accept_text(lexer, words[i].text))
		{
			lexer_emit(lexer, words[i].type);
			return LEX_FILTER;
		}
	}
	if (lexer_accept_float(lexer))
		lexer_emit(lexer, TOKEN_FLOAT);
	else if (lexer_accept_int(lexer))
		lexer_emit(lexer, TOKEN_INT);
	else if (!accept_call(lexer))
		return LEX_ERROR;
	return LEX_FILTER;
}

static LexState
lex_filter(Lexer *lexer)
{
	int c;

	lexer_skip_whitespace(lexer);
	switch (c = lexer_next(lexer))
	{
		case LEXER_END:
			return LEX_ERROR;
		case ']':
			lexer->filter_depth--;
			lexer->pos--;
			return LEX_BRACKETED;
		case ',':
			lexer_emit(lexer, TOKEN_COMMA);
			/* between arguments, also where a filter inside of one lists selectors */
			if (lexer->ncalls > 0)
				return LEX_FILTER;
			lexer->filter_depth--;
			return LEX_BRACKETED;
		case '\'':
		case '"':
			return lexer_accept_string(lexer, c) ? LEX_FILTER : LEX_ERROR;
		case '(':
			lexer_emit(lexer, TOKEN_LPAREN);
			open_bracket(lexer, '(');
			if (lexer->ncalls > 0)
				lexer->calls[lexer->ncalls - 1]++;
			return LEX_FILTER;
		case ')':
			return lex_right_parenthesis(lexer);
		case '$':
			lexer_emit(lexer, TOKEN_ROOT);
			return LEX_SEGMENT;
		case '@':
			lexer_emit(lexer, TOKEN_CURRENT);
			return LEX_SEGMENT;
		case '.':
			lexer->pos--;
			return LEX_SEGMENT;
		case '!':
			emit_either(lexer, '=', TOKEN_NE, TOKEN_NOT);
			return LEX_FILTER;
		case '<':
			emit_either(lexer, '=', TOKEN_LE, TOKEN_LT);
			return LEX_FILTER;
		case '>':
			emit_either(lexer, '=', TOKEN_GE, TOKEN_GT);
			return LEX_FILTER;
		case '=':
			if (lexer_next(lexer) != '=')
				return LEX_ERROR;
			lexer_emit(lexer, TOKEN_EQ);
			return LEX_FILTER;
	}
	lexer->pos--;
	return lex_operand(lexer);
}

static LexState
lex_state(Lexer *lexer, LexState state)
{
	switch (state)
	{
		case LEX_SEGMENT:
			return lex_segment(lexer);
		case LEX_DESCENDANT:
			return lex_descendant(lexer);
		case LEX_SHORTHAND:
			return lex_shorthand(lexer);
		case LEX_BRACKETED:
			return lex_bracketed(lexer);
		case LEX_FILTER:
			return lex_filter(lexer);
		case LEX_DONE:
		case LEX_ERROR:
			break;
	}
	return LEX_ERROR;
}

JsonPathToken *
jsonpath_lex(Str query)
{
	Lexer lexer = {.query = query, .tokens_size = 16, .calls_size = 4};
	LexState state = LEX_SEGMENT;

	if (lexer_next(&lexer) != '$')
		return NULL;
	lexer.tokens = palloc(sizeof(JsonPathToken) * lexer.tokens_size);
	lexer.calls = palloc(sizeof(uint32) * lexer.calls_size);
	initStringInfo(&lexer.brackets);
	lexer_emit(&lexer, TOKEN_ROOT);
	while (state != LEX_DONE && state != LEX_ERROR)
		state = lex_state(&lexer, state);
	return state == LEX_DONE && lexer.brackets.len == 0 ? lexer.tokens : NULL;
}
