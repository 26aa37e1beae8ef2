/*
 * UTF-8 and JSON strings.
 */
#include "text.h"

#include <stdio.h>
#include <string.h>

/* Whether none of eight bytes is zero or above 127. */
static bool
is_plain(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return ((word | (word - UINT64_C(0x0101010101010101))) &
	        UINT64_C(0x8080808080808080)) == 0;
}

/* The length of the character at the start of so many bytes; 0 if that is none. */
static size_t
character_length(const unsigned char *at, size_t left)
{
	size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t code = length == 1 ? at[0] : at[0] & (0x7f >> length);
	static const uint32_t smallest[] = {0, 1, 0x80, 0x800, 0x10000};

	if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
	{
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

bool
text_is_valid(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length)
	{
		size_t step;

		if (length - i >= 8 && is_plain(text + i))
			step = 8;
		else
			step = character_length((const unsigned char *) text + i, length - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

/* Appends one byte of a string; those above 127 as the Latin-1 characters that they are. */
static bool
append_escaped(Buffer *buffer, unsigned char c)
{
	char escape[8];
	int length;

	if (c == '"' || c == '\\')
		length = snprintf(escape, sizeof(escape), "\\%c", c);
	else
		length = snprintf(escape, sizeof(escape), "\\u%04x", c);
	return buffer_append(buffer, escape, length);
}

bool
text_append_json(Buffer *buffer, const char *text, size_t length)
{
	bool is_utf8 = text_is_valid(text, length);
	size_t start = 0;

	if (!buffer_append(buffer, "\"", 1))
		return false;
	for (size_t i = 0; i <= length; i++)
	{
		unsigned char c = i < length ? text[i] : 0;

		if (i < length && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f &&
		    (c < 0x80 || is_utf8))
			continue;
		if (!buffer_append(buffer, text + start, i - start) ||
		    (i < length && !append_escaped(buffer, c)))
			return false;
		start = i + 1;
	}
	return buffer_append(buffer, "\"", 1);
}
