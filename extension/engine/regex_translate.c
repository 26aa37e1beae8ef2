/*
 * A parser of Python 3.11's regular expressions that writes PCRE2's as it goes.
 *
 * Nothing is passed through as it came: each item that Python reads is written anew, so
 * that no character can mean to PCRE2 what it does not mean to Python.  What is calculated
 * on the way is the width of each item, for Python wants lookbehinds of a fixed width, by
 * its own idea of it.
 */
#include "platform.h"

#include "regex_parser.h"
#include "regex_translate.h"

static RegexWidth
width_add(RegexWidth a, RegexWidth b)
{
	return (RegexWidth){Min(a.low + b.low, REGEX_WIDTH_MAX),
	                    Min(a.high + b.high, REGEX_WIDTH_MAX)};
}

void
regex_add_item(RegexSequence *sequence, RegexItem item, RegexWidth width)
{
	sequence->width = width_add(sequence->width, sequence->last_width);
	sequence->last = item;
	sequence->last_width = width;
}

static void
add_literal(RegexParser *parser, RegexSequence *sequence, uint32 character)
{
	regex_literal_append(parser->out, character, sequence->flags);
	regex_add_item(sequence, REGEX_ITEM, (RegexWidth){1, 1});
}

static void
add_position(RegexParser *parser, RegexSequence *sequence, const char *translation)
{
	appendStringInfoString(parser->out, translation);
	regex_add_item(sequence, REGEX_POSITION, (RegexWidth){0, 0});
}

/* Appends what stands for a letter, digit or underscore where \b and \B look for it. */
static void
append_boundary(RegexParser *parser, int flags, bool boundary)
{
	const char *word = flags & REGEX_ASCII ? "[0-9A-Z_a-z]" : "[\\p{Xan}_]";

	if (boundary)
		appendStringInfo(parser->out, "(?:(?<=%s)(?!%s)|(?<!%s)(?=%s))", word, word, word,
		                 word);
	else
		/* Python's \B is nowhere in an empty text */
		appendStringInfo(parser->out, "(?:(?!\\A\\z)(?:(?<=%s)(?=%s)|(?<!%s)(?!%s)))",
		                 word, word, word, word);
}

/* Reads \1 to \99, or the octal \100 to \377. */
static bool
parse_numbered(RegexParser *parser, RegexSequence *sequence, uint32 first)
{
	uint32 number = first;
	int second = regex_digit(parser, 10);

	if (second >= 0)
	{
		if (!regex_advance(parser))
			return false;
		if (first < 8 && second < 8 && regex_digit(parser, 8) >= 0)
		{
			number = first * 64 + second * 8 + regex_digit(parser, 8);
			add_literal(parser, sequence, number);
			return number <= 0377 && regex_advance(parser);
		}
		number = first * 10 + second;
	}
	return regex_add_reference(parser, sequence, number);
}

static bool
parse_escape(RegexParser *parser, RegexSequence *sequence)
{
	uint32 letter = parser->token;
	RegexClass set = {.categories = regex_category(letter)};
	uint32 character;

	if (!regex_advance(parser))
		return false;
	if (set.categories != 0)
	{
		regex_class_append(parser->out, &set, sequence->flags);
		regex_add_item(sequence, REGEX_ITEM, (RegexWidth){1, 1});
		return true;
	}
	if (letter == 'b' || letter == 'B')
	{
		append_boundary(parser, sequence->flags, letter == 'b');
		regex_add_item(sequence, REGEX_POSITION, (RegexWidth){0, 0});
		return true;
	}
	if (letter == 'A' || letter == 'Z')
	{
		add_position(parser, sequence, letter == 'A' ? "\\A" : "\\z");
		return true;
	}
	if (letter >= '1' && letter <= '9')
		return parse_numbered(parser, sequence, letter - '0');
	if (!regex_parse_character(parser, letter, &character))
		return false;
	add_literal(parser, sequence, character);
	return true;
}

/* Reads the digits of a repetition; the result is above REGEX_MAX_REPEAT if they are. */
static bool
parse_count(RegexParser *parser, uint32 *count, bool *given)
{
	*count = 0;
	*given = false;
	while (regex_digit(parser, 10) >= 0)
	{
		*count = Min(*count * 10 + regex_digit(parser, 10), REGEX_MAX_REPEAT + 1);
		*given = true;
		if (!regex_advance(parser))
			return false;
	}
	return true;
}

/*
 * Reads {m}, {m,}, {,n}, {m,n} or {,}, from behind the brace on.  If it is no repetition
 * *literal is set, for the brace is a character then, and the parser is where it was.
 */
static bool
parse_braces(RegexParser *parser, uint32 *low, uint32 *high, bool *unbounded,
             bool *literal)
{
	RegexParser saved = *parser;
	bool has_low;
	bool has_high;

	*literal = true;
	if (regex_is_next(parser, '}'))
		return true;
	if (!parse_count(parser, low, &has_low))
		return false;
	*high = *low;
	has_high = has_low;
	if (regex_is_next(parser, ','))
	{
		if (!regex_advance(parser) || !parse_count(parser, high, &has_high))
			return false;
	}
	else if (!has_low)
	{
		*parser = saved;
		return true;
	}
	if (!regex_is_next(parser, '}'))
	{
		*parser = saved;
		return true;
	}
	*literal = false;
	*unbounded = !has_high;
	return regex_advance(parser) && *low <= REGEX_MAX_REPEAT &&
	       *high <= REGEX_MAX_REPEAT && (*unbounded || *low <= *high);
}

/* Writes texts around what has been written from start on. */
static void
wrap(StringInfo out, int start, const char *before, const char *after)
{
	int length = (int) strlen(before);

	enlargeStringInfo(out, length);
	memmove(out->data + start + length, out->data + start, out->len - start);
	memcpy(out->data + start, before, length);
	out->len += length;
	appendStringInfoString(out, after);
}

/* Appends the quantifier, with its ? or + if there is one; start is where its item is. */
static bool
append_quantifier(RegexParser *parser, int start, uint32 low, uint32 high, bool unbounded)
{
	StringInfo out = parser->out;
	bool is_group = out->data[start] == '(';

	/* PCRE2 10.42 takes the first character of (?:a|(?=(b))c){0} for one that must come */
	if (high == 0 && !unbounded && is_group && parser->lookbehind_groups == 0)
		wrap(out, start, "(?:(?!)", "|)");
	else if (unbounded)
		appendStringInfo(out, "{%u,}", low);
	else
		appendStringInfo(out, "{%u,%u}", low, high);
	if (!regex_is_next(parser, '?') && !regex_is_next(parser, '+'))
		return true;
	/* and its JIT leaves the group of (a)*+ set when it goes back behind it */
	if (regex_is_next(parser, '+') && is_group)
		wrap(out, start, "(?>", ")");
	else if (high > 0 || unbounded)
		appendStringInfoChar(out, (char) parser->token);
	return regex_advance(parser);
}

static RegexWidth
width_repeat(RegexWidth width, uint32 low, uint32 high, bool unbounded)
{
	RegexWidth result;

	/* neither product overflows: 2^32 times 2^16 at most */
	result.low = Min(width.low * low, REGEX_WIDTH_MAX);
	result.high = Min(width.high * high, REGEX_WIDTH_MAX);
	if (unbounded)
		result.high = width.high > 0 ? REGEX_WIDTH_MAX : 0;
	return result;
}

/* Reads a quantifier from its first character on, which may turn out to be a literal. */
static bool
parse_quantifier(RegexParser *parser, RegexSequence *sequence)
{
	uint32 start = parser->token;
	uint32 low = start == '+' ? 1 : 0;
	uint32 high = 1;
	bool unbounded = start != '?';
	bool literal = false;

	if (!regex_advance(parser))
		return false;
	if (start == '{')
	{
		if (!parse_braces(parser, &low, &high, &unbounded, &literal))
			return false;
		if (literal)
		{
			add_literal(parser, sequence, '{');
			return true;
		}
	}
	if (sequence->last != REGEX_ITEM || parser->has_template)
		return false;
	sequence->last = REGEX_REPEATED;
	sequence->last_width = width_repeat(sequence->last_width, low, high, unbounded);
	return append_quantifier(parser, sequence->last_start, low, high, unbounded);
}

/* Skips the rest of a line behind a # that begins a comment. */
static bool
skip_line(RegexParser *parser)
{
	while (parser->token != REGEX_END)
	{
		bool last = regex_is_next(parser, '\n');

		if (!regex_advance(parser))
			return false;
		if (last)
			break;
	}
	return true;
}

/* Reads one item, or a quantifier, from its first character on. */
static bool
parse_item(RegexParser *parser, RegexSequence *sequence)
{
	uint32 character = parser->token;
	bool multiline = (sequence->flags & REGEX_MULTILINE) != 0;

	if (parser->escaped)
		return parse_escape(parser, sequence);
	if (character == '*' || character == '+' || character == '?' || character == '{')
		return parse_quantifier(parser, sequence);
	if (!regex_advance(parser))
		return false;
	switch (character)
	{
		case '[':
			return regex_parse_set(parser, sequence);
		case '(':
			return regex_parse_group(parser, sequence);
		case '^':
			add_position(parser, sequence, multiline ? "(?m:^)" : "\\A");
			return true;
		case '$':
			add_position(parser, sequence, multiline ? "(?m:$)" : "\\Z");
			return true;
		case '.':
			appendStringInfoString(parser->out,
			                       sequence->flags & REGEX_DOTALL ? "." : "\\N");
			regex_add_item(sequence, REGEX_ITEM, (RegexWidth){1, 1});
			return true;
		default:
			add_literal(parser, sequence, character);
			return true;
	}
}

/* Whether the token is white space or a comment's beginning, to be skipped if verbose. */
static bool
is_skipped(const RegexParser *parser)
{
	uint32 c = parser->token;

	return !parser->escaped && (c == ' ' || (c >= '\t' && c <= '\r') || c == '#');
}

bool
regex_parse_sequence(RegexParser *parser, RegexSequence *sequence)
{
	while (parser->token != REGEX_END && !regex_is_next(parser, '|') &&
	       !regex_is_next(parser, ')'))
	{
		int start = parser->out->len;
		bool valid;

		if (!(sequence->flags & REGEX_VERBOSE) || !is_skipped(parser))
			valid = parse_item(parser, sequence);
		else if (parser->token == '#')
			valid = skip_line(parser);
		else
			valid = regex_advance(parser);
		if (!valid)
			return false;
		/* comments and flags write nothing, quantifiers belong to their item */
		if (parser->out->len > start && sequence->last != REGEX_REPEATED)
			sequence->last_start = start;
	}
	regex_add_item(sequence, REGEX_NOTHING, (RegexWidth){0, 0});
	return true;
}

bool
regex_parse_alternatives(RegexParser *parser, int flags, RegexWidth *width)
{
	bool top = parser->depth == 0;
	bool first = true;

	for (;;)
	{
		/* what stands at the pattern's beginning holds for its other alternatives, too */
		RegexSequence sequence = {.flags = top ? parser->flags : flags,
		                          .first = top && first};

		if (!regex_parse_sequence(parser, &sequence))
			return false;
		*width = first ? sequence.width : regex_width_either(*width, sequence.width);
		if (!regex_is_next(parser, '|'))
			return true;
		appendStringInfoChar(parser->out, '|');
		if (!regex_advance(parser))
			return false;
		first = false;
	}
}

bool
regex_translate(Str pattern, StringInfo translation, bool *caseless)
{
	RegexParser parser = {.pattern = pattern, .out = translation, .count = 1};
	RegexWidth width;
	bool valid;

	if (pattern.len > REGEX_MAX_LENGTH)
		return false;
	parser.allocated = 8;
	parser.groups = palloc0(parser.allocated * sizeof(RegexGroup));
	valid = regex_advance(&parser) && regex_parse_alternatives(&parser, 0, &width) &&
	        parser.token == REGEX_END && parser.highest_condition < parser.count;
	*caseless = regex_is_caseless(parser.flags);
	pfree(parser.groups);
	return valid;
}
