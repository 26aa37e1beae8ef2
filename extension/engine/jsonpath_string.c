/*
 * The strings of a JSONPath query: quoted names and string literals.
 *
 * Both kinds of quotes take the escapes of JSON, and one for the quote that they stand in:
 * the lexer has let no other one pass.
 */
#include "jsonpath_internal.h"

typedef struct Decoder
{
	Str text;
	uint32 pos;
	char *output;
	uint32 len;
} Decoder;

/* Reads the four digits of a \u escape. */
static bool
read_hex(Decoder *decoder, uint32 *code)
{
	if (decoder->text.len - decoder->pos < 4)
		return false;
	*code = 0;
	for (int i = 0; i < 4; i++)
	{
		char c = decoder->text.data[decoder->pos++];

		*code <<= 4;
		if (c >= '0' && c <= '9')
			*code |= c - '0';
		else if (c >= 'A' && c <= 'F')
			*code |= c - 'A' + 10;
		else if (c >= 'a' && c <= 'f')
			*code |= c - 'a' + 10;
		else
			return false;
	}
	return true;
}

/* Writes a character as UTF-8; it takes no more bytes than its escape. */
static void
put_character(Decoder *decoder, uint32 code)
{
	char *output = decoder->output + decoder->len;

	if (code < 0x80)
	{
		output[0] = code;
		decoder->len += 1;
	}
	else if (code < 0x800)
	{
		output[0] = 0xC0 | (code >> 6);
		output[1] = 0x80 | (code & 0x3F);
		decoder->len += 2;
	}
	else if (code < 0x10000)
	{
		output[0] = 0xE0 | (code >> 12);
		output[1] = 0x80 | ((code >> 6) & 0x3F);
		output[2] = 0x80 | (code & 0x3F);
		decoder->len += 3;
	}
	else
	{
		output[0] = 0xF0 | (code >> 18);
		output[1] = 0x80 | ((code >> 12) & 0x3F);
		output[2] = 0x80 | ((code >> 6) & 0x3F);
		output[3] = 0x80 | (code & 0x3F);
		decoder->len += 4;
	}
}

/* Decodes what follows \u: one code, or the two of a surrogate pair. */
static bool
decode_unicode(Decoder *decoder)
{
	uint32 code;
	uint32 low;

	if (!read_hex(decoder, &code) || (code >= 0xDC00 && code <= 0xDFFF) || code <= 0x1F)
		return false;
	if (code >= 0xD800 && code <= 0xDBFF)
	{
		if (decoder->text.len - decoder->pos < 6 ||
		    memcmp(decoder->text.data + decoder->pos, "\\u", 2) != 0)
			return false;
		decoder->pos += 2;
		if (!read_hex(decoder, &low) || low < 0xDC00 || low > 0xDFFF)
			return false;
		code = 0x10000 + (((code & 0x3FF) << 10) | (low & 0x3FF));
	}
	put_character(decoder, code);
	return true;
}

/* Decodes an escape whose backslash has been read. */
static bool
decode_escape(Decoder *decoder)
{
	static const char letters[] = "'\"\\/bfnrt";
	static const char meanings[] = "'\"\\/\b\f\n\r\t";
	const char *letter;
	char c;

	if (decoder->pos == decoder->text.len)
		return false;
	c = decoder->text.data[decoder->pos++];
	if (c == 'u')
		return decode_unicode(decoder);
	letter = c == '\0' ? NULL : strchr(letters, c);
	if (letter == NULL)
		return false;
	decoder->output[decoder->len++] = meanings[letter - letters];
	return true;
}

bool
jsonpath_decode_string(JsonPathParser *parser, const JsonPathToken *token, Str *string)
{
	Decoder decoder = {.text = token->text};

	decoder.output = palloc(decoder.text.len + 1);
	while (decoder.pos < decoder.text.len)
	{
		char c = decoder.text.data[decoder.pos++];

		if (c == '\\')
		{
			if (!decode_escape(&decoder))
				return jsonpath_fail(parser, JSONPATH_SYNTAX);
		}
		else if ((unsigned char) c <= 0x1F)
			return jsonpath_fail(parser, JSONPATH_SYNTAX);
		else
			decoder.output[decoder.len++] = c;
	}
	*string = str_make(decoder.output, decoder.len);
	return true;
}
