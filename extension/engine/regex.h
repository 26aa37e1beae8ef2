/*
 * REGEX conditions: Python's re.match() on PCRE2.
 *
 * A pattern is in Python's syntax; what Python refuses is refused, what the two libraries
 * write differently is translated.  Limits on matching make sure that no pattern can hang
 * the caller; where one is hit the text does not match.
 */
#ifndef FLAGSMITH_REGEX_H
#define FLAGSMITH_REGEX_H

#include "str.h"

/*
 * How many steps PCRE2's matcher may take.  A step is 3 to 15 ns, and with it may come one
 * scan of the text that is not counted, as by the a*+ of (?:a*+b|a)*c; so what counts is
 * steps times length.  This much is about 0.1 s at the worst.
 */
#define REGEX_WORK 500000000

/* Never more steps than this, however short the text. */
#define REGEX_MAX_STEPS 500000

/*
 * Texts up to this length (Flagsmith's traits end at 2,000 characters) have so many steps
 * in any case, and so many for each byte, which is enough for whatever takes linear time.
 * Longer texts have what REGEX_WORK leaves them, but a few: enough for simple patterns.
 */
#define REGEX_LONG_TEXT 65536
#define REGEX_MIN_STEPS 100000
#define REGEX_STEPS_PER_BYTE 4
#define REGEX_FEW_STEPS 100

/*
 * A step can also go through much of a long pattern: beyond this size of compiled code, in
 * bytes, there are fewer of them in proportion.
 */
#define REGEX_LONG_CODE 500

/* Memory for backtracking, in kB, where there is no JIT. */
#define REGEX_HEAP_LIMIT 65536

typedef struct Regex Regex;

/*
 * Compiles a pattern.  Returns NULL where Python's re.compile() would raise, and beyond the
 * limits of regex_translate.h and of PCRE2 (64 kB of compiled code).  The compiled
 * code is not memory of the current context alone (JIT): free it with regex_free().
 */
extern Regex *regex_compile(Str pattern);

extern void regex_free(Regex *regex);

/* Whether the pattern matches at the start of text (Python's re.match). */
extern bool regex_match(const Regex *regex, Str text);

#endif
