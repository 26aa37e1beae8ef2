/*
 * Sets of characters: what stands between brackets.
 */
#include "platform.h"

#include "regex_parser.h"

/* Reads one member of a set: a category, or else a character. */
static bool
parse_member(RegexParser *parser, int *category, uint32 *character)
{
	bool escaped = parser->escaped;

	*character = parser->token;
	*category = escaped ? regex_category(*character) : 0;
	if (parser->token == REGEX_END || !regex_advance(parser))
		return false;
	if (!escaped || *category != 0)
		return true;
	if (*character == 'b')
	{
		*character = '\b';
		return true;
	}
	return regex_parse_character(parser, *character, character);
}

static void
add_member(RegexClass *set, int category, uint32 character)
{
	if (category != 0)
		set->categories |= category;
	else
		regex_class_add(set, character, character);
}

/* Reads a member, or a range of them; *closed if the bracket came right behind a "-". */
static bool
parse_members(RegexParser *parser, RegexClass *set, bool *closed)
{
	int category;
	int last_category;
	uint32 low;
	uint32 high;

	if (!parse_member(parser, &category, &low))
		return false;
	if (!regex_is_next(parser, '-'))
	{
		add_member(set, category, low);
		return true;
	}
	if (!regex_advance(parser))
		return false;
	if (regex_is_next(parser, ']'))
	{
		add_member(set, category, low);
		regex_class_add(set, '-', '-');
		*closed = true;
		return true;
	}
	if (!parse_member(parser, &last_category, &high) || category != 0 ||
	    last_category != 0 || high < low)
		return false;
	regex_class_add(set, low, high);
	return true;
}

bool
regex_parse_set(RegexParser *parser, RegexSequence *sequence)
{
	RegexClass set = {0};
	bool closed = false;
	bool empty = true;

	if (regex_is_next(parser, '^'))
	{
		set.negated = true;
		if (!regex_advance(parser))
			return false;
	}
	while (!closed && (empty || !regex_is_next(parser, ']')))
	{
		if (!parse_members(parser, &set, &closed))
			return false;
		empty = false;
	}
	regex_class_append(parser->out, &set, sequence->flags);
	regex_add_item(sequence, REGEX_ITEM, (RegexWidth){1, 1});
	if (set.ranges != NULL)
		pfree(set.ranges);
	return regex_advance(parser);
}
