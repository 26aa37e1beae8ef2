/*
 * Writes sets of characters in PCRE2's syntax.
 *
 * Three things need care.  Without the ASCII flag, upper and lower case are PCRE2's
 * affair, but for the few characters that Python takes for equal and PCRE2 does not.  With
 * it only A to Z have a case, which PCRE2 before 10.43 cannot be told, so that both cases
 * go into the set.  And \W cannot be a member of PCRE2's sets, since it is "neither a
 * letter, nor a number, nor an underscore".
 */
#include "platform.h"

#include "regex_class.h"
#include "unicode.h"

/* What categories are, other than by a property: pairs of first and last character. */
static const RegexRange ascii_digits[] = {{'0', '9'}};
static const RegexRange ascii_spaces[] = {{'\t', '\r'}, {' ', ' '}};
static const RegexRange ascii_words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const RegexRange unicode_spaces[] = {
	{0x09, 0x0D},     {0x1C, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},
	{0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
	{0x205F, 0x205F}, {0x3000, 0x3000}};

/* Characters that only differ in case to Python, but not (or not always) to PCRE2. */
static const uint32 same_letters[][4] = {
	{'I', 'i', 0x130, 0x131}, {0x390, 0x1FD3}, {0x3B0, 0x1FE3}, {0xFB05, 0xFB06}};

int
regex_category(uint32 letter)
{
	switch (letter)
	{
		case 'd':
			return REGEX_DIGIT;
		case 'D':
			return REGEX_NOT_DIGIT;
		case 's':
			return REGEX_SPACE;
		case 'S':
			return REGEX_NOT_SPACE;
		case 'w':
			return REGEX_WORD;
		case 'W':
			return REGEX_NOT_WORD;
		default:
			return 0;
	}
}

void
regex_class_add(RegexClass *set, uint32 low, uint32 high)
{
	if (set->ranges == NULL)
	{
		set->allocated = 8;
		set->ranges = palloc(set->allocated * sizeof(RegexRange));
	}
	else if (set->count == set->allocated)
	{
		set->allocated *= 2;
		set->ranges = repalloc(set->ranges, set->allocated * sizeof(RegexRange));
	}
	set->ranges[set->count++] = (RegexRange){low, high};
}

static bool
contains(const RegexClass *set, uint32 character)
{
	for (uint32 i = 0; i < set->count; i++)
	{
		if (character >= set->ranges[i].low && character <= set->ranges[i].high)
			return true;
	}
	return false;
}

/* Adds what a range has of first to last, moved by distance. */
static void
add_moved(RegexClass *set, RegexRange range, uint32 first, uint32 last, int distance)
{
	uint32 low = Max(range.low, first);
	uint32 high = Min(range.high, last);

	if (low <= high)
		regex_class_add(set, low + distance, high + distance);
}

static void
add_same_letters(RegexClass *set)
{
	for (size_t row = 0; row < lengthof(same_letters); row++)
	{
		bool found = false;

		for (int i = 0; i < 4 && same_letters[row][i] != 0; i++)
			found = found || contains(set, same_letters[row][i]);
		for (int i = 0; found && i < 4 && same_letters[row][i] != 0; i++)
			regex_class_add(set, same_letters[row][i], same_letters[row][i]);
	}
}

/* Adds the members that differ from members in case alone, as far as PCRE2 misses them. */
static void
add_cases(RegexClass *set, int flags)
{
	uint32 count = set->count;

	if (regex_is_caseless(flags))
		add_same_letters(set);
	else if (flags & REGEX_IGNORECASE)
	{
		for (uint32 i = 0; i < count; i++)
		{
			add_moved(set, set->ranges[i], 'A', 'Z', 'a' - 'A');
			add_moved(set, set->ranges[i], 'a', 'z', 'A' - 'a');
		}
	}
}

/* Appends one character so that it stands for itself, inside of brackets and outside. */
static void
append_character(StringInfo pattern, uint32 character)
{
	char bytes[4];

	if (character < 0x80 && isalnum((unsigned char) character))
		appendStringInfoChar(pattern, (char) character);
	else if (character > ' ' && character < 0x7F)
		appendStringInfo(pattern, "\\%c", (int) character);
	else if (character >= 0xA0 && (character < 0xD800 || character > 0xDFFF))
		appendBinaryStringInfo(pattern, bytes, unicode_encode(character, bytes));
	else
		appendStringInfo(pattern, "\\x{%x}", character);
}

static void
append_range(StringInfo pattern, uint32 low, uint32 high)
{
	append_character(pattern, low);
	if (low == high)
		return;
	appendStringInfoChar(pattern, '-');
	append_character(pattern, high);
}

/* Appends sorted ranges, or all that lies between them. */
static void
append_ranges(StringInfo pattern, const RegexRange *ranges, int count, bool complement)
{
	uint32 next = 0;

	for (int i = 0; i < count; i++)
	{
		if (!complement)
			append_range(pattern, ranges[i].low, ranges[i].high);
		else if (next < ranges[i].low)
			append_range(pattern, next, ranges[i].low - 1);
		next = ranges[i].high + 1;
	}
	if (complement)
		append_range(pattern, next, 0x10FFFF);
}

static void
append_categories(StringInfo pattern, int categories, bool ascii)
{
	if (categories & (REGEX_DIGIT | REGEX_NOT_DIGIT) && !ascii)
		appendStringInfo(pattern, "%s%s", categories & REGEX_DIGIT ? "\\p{Nd}" : "",
		                 categories & REGEX_NOT_DIGIT ? "\\P{Nd}" : "");
	if (categories & REGEX_DIGIT && ascii)
		append_ranges(pattern, ascii_digits, lengthof(ascii_digits), false);
	if (categories & REGEX_NOT_DIGIT && ascii)
		append_ranges(pattern, ascii_digits, lengthof(ascii_digits), true);
	if (categories & REGEX_SPACE && ascii)
		append_ranges(pattern, ascii_spaces, lengthof(ascii_spaces), false);
	if (categories & REGEX_NOT_SPACE && ascii)
		append_ranges(pattern, ascii_spaces, lengthof(ascii_spaces), true);
	if (categories & REGEX_SPACE && !ascii)
		append_ranges(pattern, unicode_spaces, lengthof(unicode_spaces), false);
	if (categories & REGEX_NOT_SPACE && !ascii)
		append_ranges(pattern, unicode_spaces, lengthof(unicode_spaces), true);
	if (categories & REGEX_WORD && ascii)
		append_ranges(pattern, ascii_words, lengthof(ascii_words), false);
	if (categories & REGEX_NOT_WORD && ascii)
		append_ranges(pattern, ascii_words, lengthof(ascii_words), true);
	if (categories & REGEX_WORD && !ascii)
		appendStringInfoString(pattern, "\\p{Xan}_");
	if (categories & REGEX_NOT_WORD && !ascii)
		appendStringInfoString(pattern, "\\P{Xan}");
}

static void
append_brackets(StringInfo pattern, const RegexClass *set, bool negated, int flags)
{
	appendStringInfoString(pattern, negated ? "[^" : "[");
	for (uint32 i = 0; i < set->count; i++)
		append_range(pattern, set->ranges[i].low, set->ranges[i].high);
	append_categories(pattern, set->categories, (flags & REGEX_ASCII) != 0);
	appendStringInfoChar(pattern, ']');
}

void
regex_class_append(StringInfo pattern, RegexClass *set, int flags)
{
	bool ascii = (flags & REGEX_ASCII) != 0;
	int underscored = REGEX_WORD | REGEX_NOT_DIGIT | REGEX_NOT_SPACE;

	add_cases(set, flags);
	if (!(set->categories & REGEX_NOT_WORD) || ascii || set->categories & underscored ||
	    contains(set, '_'))
	{
		append_brackets(pattern, set, set->negated, flags);
		return;
	}
	/* \P{Xan} has the underscore, the set has not */
	appendStringInfoString(pattern, set->negated ? "(?:_|" : "(?:(?!_)");
	append_brackets(pattern, set, set->negated, flags);
	appendStringInfoChar(pattern, ')');
}

/* Whether a character has cases that PCRE2 would miss. */
static bool
needs_set(uint32 character, int flags)
{
	if (!(flags & REGEX_IGNORECASE))
		return false;
	if (flags & REGEX_ASCII)
		return character < 0x80 && isalpha((unsigned char) character);
	for (size_t row = 0; row < lengthof(same_letters); row++)
	{
		for (int i = 0; i < 4; i++)
		{
			if (same_letters[row][i] == character)
				return character != 0;
		}
	}
	return false;
}

void
regex_literal_append(StringInfo pattern, uint32 character, int flags)
{
	RegexClass set = {0};

	if (!needs_set(character, flags))
	{
		append_character(pattern, character);
		return;
	}
	regex_class_add(&set, character, character);
	regex_class_append(pattern, &set, flags);
	pfree(set.ranges);
}
