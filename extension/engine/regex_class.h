/*
 * Sets of characters of a regular expression, and how PCRE2 is told them.
 *
 * \d, \s and \w mean other characters to Python than to PCRE2, and to PCRE2 others from
 * version to version; so do upper and lower case.  Every set is therefore spelled out.
 */
#ifndef FLAGSMITH_REGEX_CLASS_H
#define FLAGSMITH_REGEX_CLASS_H

#include "lib/stringinfo.h"

#include "str.h"

/* Python's flags, as far as they change what a piece of a pattern means. */
#define REGEX_IGNORECASE 0x01
#define REGEX_MULTILINE 0x02
#define REGEX_DOTALL 0x04
#define REGEX_VERBOSE 0x08
#define REGEX_ASCII 0x10

/* \d, \D, \s, \S, \w, \W as members of a set. */
#define REGEX_DIGIT 0x01
#define REGEX_NOT_DIGIT 0x02
#define REGEX_SPACE 0x04
#define REGEX_NOT_SPACE 0x08
#define REGEX_WORD 0x10
#define REGEX_NOT_WORD 0x20

typedef struct RegexRange
{
	uint32 low;
	uint32 high;
} RegexRange;

typedef struct RegexClass
{
	bool negated;
	int categories; /* REGEX_DIGIT, ... */
	uint32 count;
	uint32 allocated;
	RegexRange *ranges; /* in the current memory context */
} RegexClass;

/* The category that a letter names behind a backslash, or 0. */
extern int regex_category(uint32 letter);

extern void regex_class_add(RegexClass *set, uint32 low, uint32 high);

/* Appends the set as one item of PCRE2's syntax, under the flags of its place. */
extern void regex_class_append(StringInfo pattern, RegexClass *set, int flags);

/* Appends one character as one item, under the flags of its place. */
extern void regex_literal_append(StringInfo pattern, uint32 character, int flags);

/* Whether PCRE2 is to ignore case under these flags: only if it is to do so beyond ASCII. */
static inline bool
regex_is_caseless(int flags)
{
	return (flags & (REGEX_IGNORECASE | REGEX_ASCII)) == REGEX_IGNORECASE;
}

#endif
