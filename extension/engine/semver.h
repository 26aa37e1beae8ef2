/*
 * Versions after Semantic Versioning 2.0.0 (semver.org), read as strictly as Python's
 * semver package 3.0 reads them, which Flagsmith's engine uses: one line break may follow
 * the version.  (Release 3.1 refuses that; servers and recorded answers are of 3.0.  As in
 * 3.1, digits are ASCII.)
 *
 * A condition compares versions if its value ends in ":semver" and the context value is a
 * string (not one that coercion made a number, as it does with "1" and "1.2").  For the
 * caller:
 * - EQUAL, NOT_EQUAL and the four orderings: both the context value, and the condition's
 *   value less the suffix, have to parse.  If either does not the condition is false, and
 *   NOT_EQUAL is too.  Else semver_compare() answers.
 * - CONTAINS: the context value has to parse, else it is false.  The condition's value
 *   less the suffix is any text: semver_contains() answers.
 * - Other operators, NOT_CONTAINS among them, know no versions: they take the condition's
 *   value as it is, suffix and all.
 */
#ifndef FLAGSMITH_SEMVER_H
#define FLAGSMITH_SEMVER_H

#include "str.h"

/* The pieces share the parsed text. */
typedef struct SemVer
{
	Str major; /* digits without leading zeros, at most PY_INT_MAX_DIGITS */
	Str minor;
	Str patch;
	Str prerelease; /* without its '-'; empty if there is none */
	Str build;      /* without its '+'; empty if there is none */
} SemVer;

/* Returns false, with version untouched, if the whole of text is not one version. */
extern bool semver_parse(Str text, SemVer *version);

/* Orders by precedence: <0, 0 or >0.  The build has no say in it. */
extern int semver_compare(const SemVer *a, const SemVer *b);

/*
 * Whether value is the prerelease or the build of version.  That is what Python's `in`
 * comes to on a version: it looks among the parts, of which three are ints, equal to no
 * string.
 */
extern bool semver_contains(const SemVer *version, Str value);

#endif
