/*
 * The forms of JSONPath's tokens.
 *
 * Everything goes byte by byte: what is not ASCII only matters in names, where it is
 * enough to tell characters of four bytes from shorter ones, and in strings.
 */
#include "jsonpath_lexer.h"

void
lexer_emit(Lexer *lexer, JsonPathTokenType type)
{
	if (lexer->ntokens == lexer->tokens_size)
	{
		engine_check_interrupts();
		lexer->tokens_size *= 2;
		lexer->tokens =
			repalloc(lexer->tokens, sizeof(JsonPathToken) * lexer->tokens_size);
	}
	lexer->tokens[lexer->ntokens++] = (JsonPathToken){
		type, str_make(lexer->query.data + lexer->start, lexer->pos - lexer->start)};
	lexer_ignore(lexer);
}

bool
lexer_skip_whitespace(Lexer *lexer)
{
	uint32 before = lexer->pos;
	int c;

	while ((c = lexer_peek(lexer)) == ' ' || c == '\n' || c == '\r' || c == '\t')
		lexer->pos++;
	lexer_ignore(lexer);
	return lexer->pos > before;
}

static bool
is_name_start(int c)
{
	/* a byte of a character of two or three bytes: names hold none beyond U+FFFF */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= 0x80 && c < 0xF0);
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool
lexer_accept_property(Lexer *lexer)
{
	int c = lexer_peek(lexer);

	if (!is_name_start(c))
		return false;
	while (is_name_start(c) || is_digit(c) || c == '-')
	{
		lexer->pos++;
		c = lexer_peek(lexer);
	}
	return true;
}

bool
lexer_accept_text(Lexer *lexer, Str text)
{
	Str rest = str_make(lexer->query.data + lexer->pos, lexer->query.len - lexer->pos);

	if (rest.len < text.len || memcmp(rest.data, text.data, text.len) != 0)
		return false;
	lexer->pos += text.len;
	return true;
}

static bool
accept_digits(Lexer *lexer)
{
	uint32 before = lexer->pos;

	while (is_digit(lexer_peek(lexer)))
		lexer->pos++;
	return lexer->pos > before;
}

bool
lexer_accept_integer(Lexer *lexer)
{
	uint32 before = lexer->pos;

	if (lexer_peek(lexer) == '-')
		lexer->pos++;
	if (accept_digits(lexer))
		return true;
	lexer->pos = before;
	return false;
}

/* An exponent, or nothing at all; `signs` are those that it may have. */
static bool
accept_exponent(Lexer *lexer, const char *signs)
{
	uint32 before = lexer->pos;
	int c = lexer_next(lexer);

	if (c == 'e' || c == 'E')
	{
		c = lexer_peek(lexer);
		if (c > 0 && strchr(signs, c) != NULL)
			lexer->pos++;
		if (accept_digits(lexer))
			return true;
	}
	lexer->pos = before;
	return false;
}

/*
 * A number with a point, or with a negative exponent.  The former may have a colon in
 * front: the parser then refuses it as no number.
 */
bool
lexer_accept_float(Lexer *lexer)
{
	uint32 before = lexer->pos;
	bool colon = lexer_accept_text(lexer, STR(":"));

	if (lexer_accept_integer(lexer))
	{
		uint32 integer_end = lexer->pos;

		if (lexer_accept_text(lexer, STR(".")) && accept_digits(lexer))
		{
			accept_exponent(lexer, "+-");
			return true;
		}
		lexer->pos = integer_end;
		if (!colon && accept_exponent(lexer, "-") &&
		    memchr(lexer->query.data + integer_end, '-', lexer->pos - integer_end) !=
		        NULL)
			return true;
	}
	lexer->pos = before;
	return false;
}

bool
lexer_accept_int(Lexer *lexer)
{
	if (!lexer_accept_integer(lexer))
		return false;
	accept_exponent(lexer, "+");
	return true;
}

bool
lexer_accept_string(Lexer *lexer, int quote)
{
	lexer_ignore(lexer);
	for (;;)
	{
		int c = lexer_next(lexer);

		if (c == LEXER_END)
			return false;
		if (c == '\\')
		{
			c = lexer_next(lexer);
			if (c != quote && (c <= 0 || strchr("bfnrtu/\\", c) == NULL))
				return false;
		}
		else if (c == quote)
			break;
	}
	lexer->pos--;
	lexer_emit(lexer, quote == '"' ? TOKEN_DOUBLE_QUOTED : TOKEN_SINGLE_QUOTED);
	lexer->pos++;
	lexer_ignore(lexer);
	return true;
}
