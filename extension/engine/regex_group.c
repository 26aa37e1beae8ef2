/*
 * What stands in parentheses: groups, lookarounds, conditions, flags, comments.
 *
 * A group has the same number on both sides.  Names are resolved here, so that PCRE2's
 * rules on names do not matter.
 */
#include "platform.h"

#include "pynumber.h"
#include "regex_parser.h"
#include "regex_translate.h"

/* The letters of (?aimsux-imsx), 't' and 'u' apart. */
static const struct
{
	char letter;
	int flag;
} flag_letters[] = {{'a', REGEX_ASCII},
                    {'i', REGEX_IGNORECASE},
                    {'m', REGEX_MULTILINE},
                    {'s', REGEX_DOTALL},
                    {'x', REGEX_VERBOSE}};

/* What a run of flag letters says. */
typedef struct Flags
{
	int flags;
	bool has_unicode;
	bool has_template;
} Flags;

/* Whether the group is there, is closed, and lies before the lookbehind that we are in. */
static bool
is_referable(const RegexParser *parser, uint32 group)
{
	return group > 0 && group < parser->count && parser->groups[group].closed &&
	       (parser->lookbehind_groups == 0 || group < parser->lookbehind_groups);
}

bool
regex_add_reference(RegexParser *parser, RegexSequence *sequence, uint32 group)
{
	bool ascii_caseless =
		(sequence->flags & REGEX_IGNORECASE) && !regex_is_caseless(sequence->flags);

	if (!is_referable(parser, group))
		return false;
	appendStringInfo(parser->out, ascii_caseless ? "(?i:\\g{%u})" : "\\g{%u}", group);
	regex_add_item(sequence, REGEX_ITEM, parser->groups[group].width);
	return true;
}

/* The number of the group of that name, or 0. */
static uint32
find_group(const RegexParser *parser, Str name)
{
	for (uint32 i = 1; i < parser->count; i++)
	{
		if (parser->groups[i].name.len > 0 && str_equal(parser->groups[i].name, name))
			return i;
	}
	return 0;
}

/* Adds a group, open; an empty name is none.  False if another group has the name. */
static bool
open_group(RegexParser *parser, Str name, uint32 *group)
{
	if (name.len > 0 && (!regex_name_is_valid(name) || find_group(parser, name) != 0))
		return false;
	if (parser->count > REGEX_MAX_GROUPS)
		return false;
	if (parser->count == parser->allocated)
	{
		parser->allocated *= 2;
		parser->groups = repalloc(parser->groups, parser->allocated * sizeof(RegexGroup));
	}
	*group = parser->count++;
	parser->groups[*group] = (RegexGroup){.name = name};
	return true;
}

/* Reads a group's contents and its closing parenthesis; the opening is written. */
static bool
parse_contents(RegexParser *parser, int flags, RegexWidth *width)
{
	if (!regex_parse_alternatives(parser, flags, width) || !regex_expect(parser, ')'))
		return false;
	appendStringInfoChar(parser->out, ')');
	return true;
}

static bool
parse_capturing(RegexParser *parser, RegexSequence *sequence, Str name)
{
	uint32 group;
	RegexWidth width;

	if (!open_group(parser, name, &group))
		return false;
	appendStringInfoChar(parser->out, '(');
	if (!parse_contents(parser, sequence->flags, &width))
		return false;
	parser->groups[group].closed = true;
	parser->groups[group].width = width;
	regex_add_item(sequence, REGEX_ITEM, width);
	return true;
}

static bool
parse_plain_group(RegexParser *parser, RegexSequence *sequence, int flags,
                  const char *opening)
{
	RegexWidth width;

	appendStringInfoString(parser->out, opening);
	if (!parse_contents(parser, flags, &width))
		return false;
	regex_add_item(sequence, REGEX_ITEM, width);
	return true;
}

static bool
parse_lookahead(RegexParser *parser, RegexSequence *sequence, const char *opening)
{
	RegexWidth width;

	appendStringInfoString(parser->out, opening);
	if (!parse_contents(parser, sequence->flags, &width))
		return false;
	regex_add_item(sequence, REGEX_ITEM, (RegexWidth){0, 0});
	return true;
}

/* Reads a lookbehind from its = or ! on. */
static bool
parse_lookbehind(RegexParser *parser, RegexSequence *sequence)
{
	bool positive = regex_is_next(parser, '=');
	bool outermost = parser->lookbehind_groups == 0;
	RegexWidth width;

	if (!positive && !regex_is_next(parser, '!'))
		return false;
	if (!regex_advance(parser))
		return false;
	appendStringInfoString(parser->out, positive ? "(?<=" : "(?<!");
	if (outermost)
		parser->lookbehind_groups = parser->count;
	if (!parse_contents(parser, sequence->flags, &width))
		return false;
	if (outermost)
		parser->lookbehind_groups = 0;
	regex_add_item(sequence, REGEX_ITEM, (RegexWidth){0, 0});
	return width.low == width.high && width.low <= PG_UINT32_MAX;
}

/* Reads (?P<name>...) and (?P=name), from behind the P on. */
static bool
parse_named(RegexParser *parser, RegexSequence *sequence)
{
	Str name;

	if (regex_is_next(parser, '<'))
		return regex_advance(parser) && regex_parse_name(parser, '>', &name) &&
		       parse_capturing(parser, sequence, name);
	return regex_expect(parser, '=') && regex_parse_name(parser, ')', &name) &&
	       regex_add_reference(parser, sequence, find_group(parser, name));
}

/* Skips a comment from behind its # on. */
static bool
skip_comment(RegexParser *parser)
{
	while (!regex_is_next(parser, ')'))
	{
		if (parser->token == REGEX_END || !regex_advance(parser))
			return false;
	}
	return regex_advance(parser);
}

/* The number of the group that a condition names or numbers; it may come later. */
static bool
find_condition(RegexParser *parser, Str name, uint32 *group)
{
	ContextValue number;

	if (regex_name_is_valid(name))
	{
		*group = find_group(parser, name);
		return *group != 0;
	}
	if (!py_int(name, &number) || number.digits.data != NULL || number.integer <= 0 ||
	    number.integer > REGEX_MAX_GROUPS)
		return false;
	*group = (uint32) number.integer;
	parser->highest_condition = Max(parser->highest_condition, *group);
	return true;
}

/* Reads (?(1)yes|no), from behind the second parenthesis on. */
static bool
parse_conditional(RegexParser *parser, RegexSequence *sequence)
{
	RegexSequence yes = {.flags = sequence->flags};
	RegexSequence no = {.flags = sequence->flags};
	uint32 group;
	Str name;
	RegexWidth width;

	if (!regex_parse_name(parser, ')', &name) || !find_condition(parser, name, &group))
		return false;
	if (parser->lookbehind_groups != 0 && !is_referable(parser, group))
		return false;
	appendStringInfo(parser->out, "(?(%u)", group);
	if (!regex_parse_sequence(parser, &yes))
		return false;
	if (regex_is_next(parser, '|'))
	{
		appendStringInfoChar(parser->out, '|');
		if (!regex_advance(parser) || !regex_parse_sequence(parser, &no))
			return false;
	}
	if (!regex_expect(parser, ')'))
		return false;
	appendStringInfoChar(parser->out, ')');
	width = regex_width_either(yes.width, no.width);
	regex_add_item(sequence, REGEX_ITEM, width);
	return true;
}

/* Reads flag letters, at least one; those behind the minus have no 'a' and 'u'. */
static bool
parse_letters(RegexParser *parser, Flags *result, bool added)
{
	uint32 start = parser->start;

	*result = (Flags){0};
	while (!parser->escaped && !regex_is_next(parser, ')') &&
	       !regex_is_next(parser, ':') && !regex_is_next(parser, '-'))
	{
		int flag = 0;

		for (size_t i = 0; i < lengthof(flag_letters); i++)
		{
			if (parser->token == (uint32) flag_letters[i].letter)
				flag = flag_letters[i].flag;
		}
		result->has_unicode = result->has_unicode || parser->token == 'u';
		result->has_template = result->has_template || parser->token == 't';
		result->flags |= flag;
		if ((flag == 0 && parser->token != 'u' && parser->token != 't') ||
		    !regex_advance(parser))
			return false;
	}
	if (result->has_unicode && (result->flags & REGEX_ASCII || !added))
		return false;
	return parser->start > start && (added || !(result->flags & REGEX_ASCII));
}

/* Takes over flags for the whole pattern, which may stand at its beginning only. */
static bool
add_global_flags(RegexParser *parser, RegexSequence *sequence, const Flags *added)
{
	if (!sequence->first || sequence->last != REGEX_NOTHING)
		return false;
	parser->has_unicode = parser->has_unicode || added->has_unicode;
	parser->has_template = parser->has_template || added->has_template;
	parser->flags |= added->flags;
	sequence->flags = parser->flags;
	return !(parser->has_unicode && parser->flags & REGEX_ASCII);
}

/* Reads (?i), (?i:...), (?i-m:...), (?-m:...) from the first letter or the minus on. */
static bool
parse_flags(RegexParser *parser, RegexSequence *sequence)
{
	Flags added = {0};
	Flags removed = {0};
	int flags = sequence->flags;

	if (!regex_is_next(parser, '-') && !parse_letters(parser, &added, true))
		return false;
	if (regex_is_next(parser, ')'))
		return add_global_flags(parser, sequence, &added) && regex_advance(parser);
	if (regex_is_next(parser, '-') &&
	    (!regex_advance(parser) || !parse_letters(parser, &removed, false)))
		return false;
	if (!regex_expect(parser, ':') || added.has_template || removed.has_template ||
	    added.flags & removed.flags)
		return false;
	if (added.has_unicode)
		flags &= ~REGEX_ASCII;
	flags = (flags | added.flags) & ~removed.flags;
	if (regex_is_caseless(flags) == regex_is_caseless(sequence->flags))
		return parse_plain_group(parser, sequence, flags, "(?:");
	return parse_plain_group(parser, sequence, flags,
	                         regex_is_caseless(flags) ? "(?i:" : "(?-i:");
}

/* Reads what begins with a question mark, from behind it on. */
static bool
parse_extension(RegexParser *parser, RegexSequence *sequence)
{
	uint32 kind = parser->token;

	if (parser->escaped || kind == REGEX_END)
		return false;
	if (kind > 0x7F || memchr("P:#=!<(>", (int) kind, 8) == NULL)
		return parse_flags(parser, sequence);
	if (!regex_advance(parser))
		return false;
	switch (kind)
	{
		case 'P':
			return parse_named(parser, sequence);
		case ':':
			return parse_plain_group(parser, sequence, sequence->flags, "(?:");
		case '>':
			return parse_plain_group(parser, sequence, sequence->flags, "(?>");
		case '=':
			return parse_lookahead(parser, sequence, "(?=");
		case '!':
			return parse_lookahead(parser, sequence, "(?!");
		case '<':
			return parse_lookbehind(parser, sequence);
		case '(':
			return parse_conditional(parser, sequence);
		default:
			return skip_comment(parser);
	}
}

bool
regex_parse_group(RegexParser *parser, RegexSequence *sequence)
{
	bool result;

	if (++parser->depth > REGEX_MAX_NESTING)
		return false;
	if (regex_is_next(parser, '?'))
		result = regex_advance(parser) && parse_extension(parser, sequence);
	else
		result = parse_capturing(parser, sequence, (Str){0});
	parser->depth--;
	return result;
}
