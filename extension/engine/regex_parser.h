/*
 * The translation of one pattern while it goes on, shared by the files that do it:
 * regex_token.c reads tokens, regex_set.c sets, regex_group.c all that is in parentheses,
 * and regex_translate.c the rest.  No other file needs this.
 *
 * Whatever returns bool here returns false where the pattern is to be refused, unless it
 * says otherwise.
 */
#ifndef FLAGSMITH_REGEX_PARSER_H
#define FLAGSMITH_REGEX_PARSER_H

#include "lib/stringinfo.h"

#include "regex_class.h"

/* Behind the last token. */
#define REGEX_END 0xFFFFFFFF

/* Widths stop growing here; a lookbehind this wide is too wide for Python as well. */
#define REGEX_WIDTH_MAX ((uint64) PG_UINT32_MAX + 1)

/* How many characters an item matches, at least and at most. */
typedef struct RegexWidth
{
	uint64 low;
	uint64 high;
} RegexWidth;

typedef struct RegexGroup
{
	Str name; /* empty if it has none */
	bool closed;
	RegexWidth width; /* once it is closed */
} RegexGroup;

typedef struct RegexParser
{
	Str pattern;
	uint32 start; /* the token's first byte */
	uint32 end;   /* the byte behind it */
	uint32 token; /* its character, or REGEX_END */
	bool escaped; /* a backslash stands before the character */
	StringInfo out;
	int flags;         /* the whole pattern's, from (?i) at its start */
	bool has_unicode;  /* (?u) was there */
	bool has_template; /* (?t) was there: nothing may be repeated */
	uint32 depth;
	RegexGroup *groups; /* the first stands for the whole */
	uint32 count;
	uint32 allocated;
	uint32 lookbehind_groups; /* how many there were before the lookbehind; 0 outside */
	uint32 highest_condition; /* of the numbers in (?(1)...) */
} RegexParser;

/* What a quantifier has to know of the item before it. */
typedef enum RegexItem
{
	REGEX_NOTHING,
	REGEX_POSITION, /* ^, $, \b, ... */
	REGEX_REPEATED,
	REGEX_ITEM
} RegexItem;

/* Items one after the other, up to a | or a closing parenthesis. */
typedef struct RegexSequence
{
	int flags;
	bool first; /* the pattern's beginning, where (?i) may stand */
	RegexItem last;
	int last_start; /* where its translation begins */
	RegexWidth last_width;
	RegexWidth width; /* of all before the last; in the end, of all */
} RegexSequence;

static inline RegexWidth
regex_width_either(RegexWidth a, RegexWidth b)
{
	return (RegexWidth){Min(a.low, b.low), Max(a.high, b.high)};
}

/* Goes on to the next token; false at a lone backslash or a byte that is no text. */
extern bool regex_advance(RegexParser *parser);

/* Whether the token is this character, without a backslash. */
static inline bool
regex_is_next(const RegexParser *parser, uint32 character)
{
	return parser->token == character && !parser->escaped;
}

/* Steps over this character; it has to be the token. */
extern bool regex_expect(RegexParser *parser, uint32 character);

/* The value of the token as a digit of that base, or -1. */
extern int regex_digit(const RegexParser *parser, int base);

/* Reads the rest of an escape that is one character; its letter is behind us. */
extern bool regex_parse_character(RegexParser *parser, uint32 letter, uint32 *character);

/* Reads a name up to, and steps over, its end mark. */
extern bool regex_parse_name(RegexParser *parser, uint32 end, Str *name);

/* Whether Python takes this for a name (str.isidentifier). */
extern bool regex_name_is_valid(Str name);

/* Notes that an item was written: the last of the sequence from here on. */
extern void regex_add_item(RegexSequence *sequence, RegexItem item, RegexWidth width);

/* Reads a set from behind its opening bracket on. */
extern bool regex_parse_set(RegexParser *parser, RegexSequence *sequence);

/* Reads what is in parentheses, from behind the opening one on. */
extern bool regex_parse_group(RegexParser *parser, RegexSequence *sequence);

/* Writes the reference to a group; it has to be closed. */
extern bool regex_add_reference(RegexParser *parser, RegexSequence *sequence,
                                uint32 group);

/* Reads alternatives up to the closing parenthesis, and says how wide they are. */
extern bool regex_parse_alternatives(RegexParser *parser, int flags, RegexWidth *width);

/* Reads items up to a |, a closing parenthesis, or the end. */
extern bool regex_parse_sequence(RegexParser *parser, RegexSequence *sequence);

#endif
