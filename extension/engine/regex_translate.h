/*
 * Python's regular expressions in PCRE2's syntax.
 */
#ifndef FLAGSMITH_REGEX_TRANSLATE_H
#define FLAGSMITH_REGEX_TRANSLATE_H

#include "lib/stringinfo.h"

#include "str.h"

/* What PCRE2 could not hold anyway: its compiled patterns end at 64 KB. */
#define REGEX_MAX_LENGTH 65535

/* Where there is no JIT a step copies all groups. */
#define REGEX_MAX_GROUPS 1000

/* Groups in groups.  Python's own limit, the depth of its stack, is near 490. */
#define REGEX_MAX_NESTING 250

/* The largest number in {m,n} that PCRE2 knows; Python goes to 4294967294. */
#define REGEX_MAX_REPEAT 65535

/*
 * Appends the translation of a pattern, for a compilation with PCRE2_UTF, PCRE2_DOTALL,
 * PCRE2_ALT_CIRCUMFLEX, and PCRE2_CASELESS if *caseless says so.  Returns false where
 * Python 3.11's re.compile() raises, above one of the limits, and at \N{...}, for which one
 * would need the names of all characters.
 *
 * Three things are as PCRE2 has them.  A lookbehind may hold no repetition of nothing,
 * such as (?<=(?:)*a).  Case in a back reference under (?ai) is that of all letters.  And a
 * group that is repeated, and asks for itself within, as in (a(?(1)b|c))*, remembers its
 * last match.
 *
 * What this module writes is numbered, never named, and has no white space or comment to
 * skip: of PCRE2's syntax it uses as little as can be.
 */
extern bool regex_translate(Str pattern, StringInfo translation, bool *caseless);

#endif
