/*
 * Characters, as Python sees them.
 *
 * The answers come from small sorted tables instead of a library's, for a library of
 * another Unicode version would answer otherwise, and a flag with it.
 */
#include "platform.h"

#include "unicode.h"
#include "unicode_table.h"

/* How many entries of a sorted table are not above character. */
static int
count_not_above(const uint32 *table, int length, uint32 character)
{
	int low = 0;
	int high = length;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (table[middle] <= character)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The length that a lead byte promises, and the bits that it gives; 0 if it is none. */
static int
lead(unsigned char byte, uint32 *bits)
{
	if (byte < 0x80)
	{
		*bits = byte;
		return 1;
	}
	if (byte >= 0xC2 && byte < 0xE0)
	{
		*bits = byte & 0x1F;
		return 2;
	}
	if (byte >= 0xE0 && byte < 0xF0)
	{
		*bits = byte & 0x0F;
		return 3;
	}
	if (byte >= 0xF0 && byte < 0xF5)
	{
		*bits = byte & 0x07;
		return 4;
	}
	return 0;
}

uint32
unicode_next(Str text, uint32 *at)
{
	const unsigned char *bytes = (const unsigned char *) text.data + *at;
	uint32 character = 0;
	int length = lead(bytes[0], &character);

	if (length == 0 || (uint32) length > text.len - *at)
	{
		(*at)++;
		return UNICODE_INVALID;
	}
	for (int i = 1; i < length; i++)
	{
		if ((bytes[i] & 0xC0) != 0x80)
		{
			(*at)++;
			return UNICODE_INVALID;
		}
		character = (character << 6) | (bytes[i] & 0x3F);
	}
	*at += length;
	return Min(character, UNICODE_INVALID);
}

int
unicode_encode(uint32 character, char *buffer)
{
	if (character < 0x80)
	{
		buffer[0] = (char) character;
		return 1;
	}
	if (character < 0x800)
	{
		buffer[0] = (char) (0xC0 | (character >> 6));
		buffer[1] = (char) (0x80 | (character & 0x3F));
		return 2;
	}
	if (character < 0x10000)
	{
		buffer[0] = (char) (0xE0 | (character >> 12));
		buffer[1] = (char) (0x80 | ((character >> 6) & 0x3F));
		buffer[2] = (char) (0x80 | (character & 0x3F));
		return 3;
	}
	buffer[0] = (char) (0xF0 | (character >> 18));
	buffer[1] = (char) (0x80 | ((character >> 12) & 0x3F));
	buffer[2] = (char) (0x80 | ((character >> 6) & 0x3F));
	buffer[3] = (char) (0x80 | (character & 0x3F));
	return 4;
}

bool
unicode_is_ascii(Str text)
{
	for (uint32 i = 0; i < text.len; i++)
	{
		if ((unsigned char) text.data[i] >= 0x80)
			return false;
	}
	return true;
}

bool
unicode_is_space(uint32 character)
{
	switch (character)
	{
		case ' ':
		case 0x85:
		case 0xA0:
		case 0x1680:
		case 0x2028:
		case 0x2029:
		case 0x202F:
		case 0x205F:
		case 0x3000:
			return true;
		default:
			return (character >= 0x09 && character <= 0x0D) ||
			       (character >= 0x1C && character <= 0x1F) ||
			       (character >= 0x2000 && character <= 0x200A);
	}
}

int
unicode_digit(uint32 character)
{
	int above = count_not_above(digit_zeros, lengthof(digit_zeros), character);

	if (above == 0 || character - digit_zeros[above - 1] > 9)
		return -1;
	return (int) (character - digit_zeros[above - 1]);
}

bool
unicode_is_printable(uint32 character)
{
	if (character < 0x7F)
		return character >= ' ';
	return count_not_above(printable_borders, lengthof(printable_borders), character) %
	           2 ==
	       1;
}
