/*
 * Tokens of Python's regular expressions.
 *
 * A token is a character, or a backslash and a character.  Names, comments and numbers are
 * made of them too, as in Python's own parser, which decides what is an error: a closing
 * parenthesis behind a backslash ends no comment.
 */
#include "platform.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "regex_parser.h"
#include "unicode.h"

/* Identifiers beyond ASCII: letters first, then also marks, digits and connectors. */
#define IDENTIFIER "[_\\p{L}\\p{Nl}][_\\p{L}\\p{Nl}\\p{Mn}\\p{Mc}\\p{Nd}\\p{Pc}]*"

bool
regex_advance(RegexParser *parser)
{
	parser->start = parser->end;
	parser->escaped = false;
	parser->token = REGEX_END;
	if (parser->end == parser->pattern.len)
		return true;
	parser->token = unicode_next(parser->pattern, &parser->end);
	if (parser->token == '\\')
	{
		if (parser->end == parser->pattern.len)
			return false;
		parser->escaped = true;
		parser->token = unicode_next(parser->pattern, &parser->end);
	}
	return parser->token != UNICODE_INVALID;
}

bool
regex_expect(RegexParser *parser, uint32 character)
{
	return regex_is_next(parser, character) && regex_advance(parser);
}

int
regex_digit(const RegexParser *parser, int base)
{
	uint32 c = parser->token;
	int value = -1;

	if (parser->escaped)
		return -1;
	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < base ? value : -1;
}

/* The character of \a, \f, ...; or REGEX_END. */
static uint32
control_character(uint32 letter)
{
	switch (letter)
	{
		case 'a':
			return '\a';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'v':
			return '\v';
		default:
			return REGEX_END;
	}
}

/* Reads so many hexadecimal digits, no fewer, as a character. */
static bool
parse_hex(RegexParser *parser, int length, uint32 *character)
{
	uint64 value = 0;

	for (int i = 0; i < length; i++)
	{
		int next = regex_digit(parser, 16);

		if (next < 0 || !regex_advance(parser))
			return false;
		value = value * 16 + next;
	}
	*character = (uint32) value;
	return value <= 0x10FFFF;
}

/* Goes on with up to two further octal digits. */
static bool
parse_octal(RegexParser *parser, uint32 first, uint32 *character)
{
	uint32 value = first;

	for (int i = 0; i < 2 && regex_digit(parser, 8) >= 0; i++)
	{
		value = value * 8 + regex_digit(parser, 8);
		if (!regex_advance(parser))
			return false;
	}
	*character = value;
	return value <= 0377;
}

bool
regex_parse_character(RegexParser *parser, uint32 letter, uint32 *character)
{
	*character = control_character(letter);
	if (*character != REGEX_END)
		return true;
	if (letter == 'x')
		return parse_hex(parser, 2, character);
	if (letter == 'u')
		return parse_hex(parser, 4, character);
	if (letter == 'U')
		return parse_hex(parser, 8, character);
	if (letter >= '0' && letter <= '7')
		return parse_octal(parser, letter - '0', character);
	*character = letter;
	return letter >= 0x80 || !isalnum((unsigned char) letter);
}

bool
regex_parse_name(RegexParser *parser, uint32 end, Str *name)
{
	uint32 start = parser->start;

	while (!regex_is_next(parser, end))
	{
		if (parser->token == REGEX_END || parser->escaped || !regex_advance(parser))
			return false;
	}
	*name = str_make(parser->pattern.data + start, parser->start - start);
	return name->len > 0 && regex_advance(parser);
}

/* Whether a name with characters beyond ASCII is valid; rarely asked, so from scratch. */
static bool
matches_identifier(Str name)
{
	int error;
	PCRE2_SIZE offset;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR) IDENTIFIER, PCRE2_ZERO_TERMINATED,
	                                 PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
	                                 &error, &offset, NULL);
	pcre2_match_data *data;
	bool result = false;

	if (code == NULL)
		return false;
	data = pcre2_match_data_create(1, NULL);
	if (data != NULL)
		result =
			pcre2_match(code, (PCRE2_SPTR) name.data, name.len, 0, 0, data, NULL) >= 0;
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return result;
}

bool
regex_name_is_valid(Str name)
{
	if (!unicode_is_ascii(name))
		return matches_identifier(name);
	for (uint32 i = 0; i < name.len; i++)
	{
		unsigned char c = name.data[i];

		if (c != '_' && !isalpha(c) && (i == 0 || !isdigit(c)))
			return false;
	}
	return name.len > 0;
}
