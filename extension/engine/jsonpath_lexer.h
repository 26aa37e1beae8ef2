/*
 * The lexer of JSONPath queries: a place in the query, and the tokens cut so far.
 *
 * The functions here know the forms of tokens; which one may stand where is the matter of
 * jsonpath_lex.c.
 */
#ifndef FLAGSMITH_JSONPATH_LEXER_H
#define FLAGSMITH_JSONPATH_LEXER_H

#include "jsonpath_internal.h"

#include "lib/stringinfo.h"

#define LEXER_END (-1) /* where a character is expected, the end of the query */

typedef struct Lexer
{
	Str query;
	uint32 start; /* of the current token */
	uint32 pos;
	int filter_depth;
	StringInfoData brackets; /* the open ones, '[' or '(' */
	uint32 *calls;           /* for each open function call, its open parentheses */
	uint32 ncalls;
	uint32 calls_size;
	JsonPathToken *tokens;
	uint32 ntokens;
	uint32 tokens_size;
} Lexer;

/* The next byte, or LEXER_END. */
static inline int
lexer_peek(const Lexer *lexer)
{
	return lexer->pos < lexer->query.len ? (unsigned char) lexer->query.data[lexer->pos]
	                                     : LEXER_END;
}

/* The same, and moves behind it. */
static inline int
lexer_next(Lexer *lexer)
{
	int c = lexer_peek(lexer);

	if (c != LEXER_END)
		lexer->pos++;
	return c;
}

/* Makes what comes next the beginning of a token. */
static inline void
lexer_ignore(Lexer *lexer)
{
	lexer->start = lexer->pos;
}

/* Makes a token of what has been read since the last one. */
extern void lexer_emit(Lexer *lexer, JsonPathTokenType type);

/* Whether there was any whitespace. */
extern bool lexer_skip_whitespace(Lexer *lexer);

/*
 * These move behind something if it comes next, and else return false and stay.  Only the
 * last one emits a token, and leaves the lexer anywhere if there is none.
 */
extern bool lexer_accept_text(Lexer *lexer, Str text);
extern bool lexer_accept_property(Lexer *lexer); /* a name without quotes */
extern bool lexer_accept_integer(Lexer *lexer);  /* without an exponent */
extern bool lexer_accept_int(Lexer *lexer);      /* it may have one, if not negative */
extern bool lexer_accept_float(Lexer *lexer);
extern bool lexer_accept_string(Lexer *lexer, int quote); /* which has been read */

#endif
