/*
 * Versions: the specification's own order, what is one and what is not, and numbers of
 * any size.
 */
#include "engine/platform.h"

#include <check.h>

#include "engine/pynumber.h"
#include "engine/semver.h"

static Str
text_of(const char *text)
{
	return str_make(text, strlen(text));
}

static SemVer
parse(const char *text)
{
	SemVer version;

	ck_assert_msg(semver_parse(text_of(text), &version), "%s is a version", text);
	return version;
}

static bool
parses(const char *text)
{
	SemVer version;

	return semver_parse(text_of(text), &version);
}

static int
compare(const char *a, const char *b)
{
	SemVer version_a = parse(a);
	SemVer version_b = parse(b);
	int order = semver_compare(&version_a, &version_b);

	return (order > 0) - (order < 0);
}

#define assert_piece(piece, expected) ck_assert(str_equal(piece, STR(expected)))

START_TEST(test_pieces)
{
	SemVer version = parse("10.20.30-alpha.1-x+build.007");

	assert_piece(version.major, "10");
	assert_piece(version.minor, "20");
	assert_piece(version.patch, "30");
	assert_piece(version.prerelease, "alpha.1-x");
	assert_piece(version.build, "build.007");

	version = parse("0.0.0+a-b");
	assert_piece(version.major, "0");
	assert_piece(version.prerelease, "");
	assert_piece(version.build, "a-b");
}
END_TEST

static const char *const valid[] = {
	"1.2.3\n",        "1.2.3-a\n", "1.2.3+b\n",    "0.0.0",       "1.2.3",
	"1.0.0-0",        "1.0.0-0a",  "1.0.0-00a",    "1.0.0--",     "1.0.0-0-",
	"1.0.0-a.b-c.0",  "1.0.0+001", "1.0.0+0.00.a", "1.0.0-01x.1", "1.0.0-rc+exp",
	"1.0.0---R-S.12", "1.0.0+---", "1.0.0-a+-",
};

START_TEST(test_valid)
{
	ck_assert_msg(parses(valid[_i]), "%s", valid[_i]);
}
END_TEST

static const char *const invalid[] = {
	"1.2.3\n\n",
	"1.2.3\n ",
	"",
	"1",
	"1.2",
	"1.2.",
	"1..3",
	".2.3",
	"1.2.3.4",
	"v1.2.3",
	"=1.2.3",
	" 1.2.3",
	"1.2.3 ",
	"-1.2.3",
	"+1.2.3",
	"01.2.3",
	"1.02.3",
	"1.2.03",
	"00.0.0",
	"1.2.x",
	"1.2.3-",
	"1.2.3-+b",
	"1.2.3-.",
	"1.2.3-a.",
	"1.2.3-.a",
	"1.2.3-a..b",
	"1.2.3-01",
	"1.2.3-00",
	"1.2.3-a.01",
	"1.2.3-a_b",
	"1.2.3-a b",
	"1.2.3+",
	"1.2.3+a.",
	"1.2.3+a..b",
	"1.2.3+a+b",
	"1.2.3+a_b",
	"1.2.3a",
	"1.2-a.3",
	"\xd9\xa1.2.3",        /* an Arabic-Indic 1 */
	"1.2.3-\xd9\xa1",      /* the same */
	"1.2.3-\xc3\xa9",      /* e with an acute accent */
	"1.2.3+\xef\xbc\x91",  /* a full-width 1 */
	"1.2.3\xef\xbc\x8drc", /* a full-width hyphen */
};

START_TEST(test_invalid)
{
	ck_assert_msg(!parses(invalid[_i]), "%s", invalid[_i]);
}
END_TEST

START_TEST(test_nul_is_no_end)
{
	SemVer version;

	ck_assert(!semver_parse(STR("1.2.3\0"), &version));
	ck_assert(!semver_parse(STR("1.2.3-a\0b"), &version));
	ck_assert(!semver_parse(STR("1.2\0.3"), &version));
}
END_TEST

/* Each beginning of a version, in memory that ends where it does: ASan sees a step beyond. */
START_TEST(test_reads_no_further)
{
	const char *text = "1.20.3-a.1+b.2";
	SemVer version;

	for (size_t len = 0; len <= strlen(text); len++)
	{
		char *copy = malloc(len > 0 ? len : 1);
		bool expected = len >= 6 && text[len - 1] != '-' && text[len - 1] != '+' &&
		                text[len - 1] != '.';

		memcpy(copy, text, len);
		ck_assert_msg(semver_parse(str_make(copy, len), &version) == expected,
		              "%d bytes of %s", (int) len, text);
		free(copy);
	}
}
END_TEST

START_TEST(test_failure_leaves_version)
{
	SemVer version = parse("1.2.3-a+b");

	ck_assert(!semver_parse(STR("4.5.6-c+"), &version));
	assert_piece(version.major, "1");
	assert_piece(version.prerelease, "a");
	assert_piece(version.build, "b");
}
END_TEST

/* From least to greatest; the prereleases of 1.0.0 are section 11's own example. */
static const char *const ascending[] = {
	"0.0.0-0",
	"0.0.0",
	"0.0.1",
	"0.9.0",
	"0.10.0",
	"1.0.0--",
	"1.0.0-1a",
	"1.0.0-1b",
	"1.0.0-A",
	"1.0.0-a",
	"1.0.0-alpha",
	"1.0.0-alpha.1",
	"1.0.0-alpha.1.0",
	"1.0.0-alpha.beta",
	"1.0.0-beta",
	"1.0.0-beta.2",
	"1.0.0-beta.11",
	"1.0.0-beta.4294967297",
	"1.0.0-beta.18446744073709551617",
	"1.0.0-beta-",
	"1.0.0-rc.1",
	"1.0.0",
	"1.0.2",
	"1.0.10",
	"2.0.0",
	"2.1.0",
	"2.1.1",
	"10.0.0",
	"4294967297.0.0",
	"18446744073709551616.0.0",
	"18446744073709551617.0.0",
	"99999999999999999999.0.0",
	"100000000000000000000.0.0",
};

/* Numbers go before all other identifiers, at whatever length. */
static const char *const ascending_identifiers[] = {
	"1.0.0-0",  "1.0.0-2",  "1.0.0-10",  "1.0.0-99999999999999999999999",
	"1.0.0--1", "1.0.0-0a", "1.0.0-10a", "1.0.0-2a",
};

static void
check_order(const char *const *versions, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			ck_assert_msg(compare(versions[i], versions[j]) == (i > j) - (i < j),
			              "%s against %s", versions[i], versions[j]);
}

START_TEST(test_order)
{
	check_order(ascending, lengthof(ascending));
	check_order(ascending_identifiers, lengthof(ascending_identifiers));
}
END_TEST

START_TEST(test_build_has_no_precedence)
{
	ck_assert_int_eq(compare("1.0.0+a", "1.0.0+b"), 0);
	ck_assert_int_eq(compare("1.0.0", "1.0.0+b"), 0);
	ck_assert_int_eq(compare("1.0.0-rc.1+b", "1.0.0-rc.1"), 0);
	ck_assert_int_eq(compare("1.0.0-rc.1+9", "1.0.0-rc.2+1"), -1);
}
END_TEST

/* Returns head, ndigits nines and tail, to be freed. */
static char *
nines(const char *head, int ndigits, const char *tail)
{
	char *text = malloc(strlen(head) + ndigits + strlen(tail) + 1);

	strcpy(text, head);
	memset(text + strlen(head), '9', ndigits);
	strcpy(text + strlen(head) + ndigits, tail);
	return text;
}

START_TEST(test_number_as_long_as_a_python_int)
{
	char *longest = nines("", PY_INT_MAX_DIGITS, ".0.0");
	char *shorter = nines("", PY_INT_MAX_DIGITS - 1, ".0.0");
	char *too_long = nines("1.0.", PY_INT_MAX_DIGITS + 1, "");

	ck_assert_int_eq(compare(longest, shorter), 1);
	ck_assert_int_eq(compare(shorter, longest), -1);
	ck_assert(!parses(too_long));
	free(longest);
	free(shorter);
	free(too_long);
}
END_TEST

/* The package keeps prereleases as text: they know no such limit. */
START_TEST(test_identifier_of_any_length)
{
	char *long_number = nines("1.0.0-", 1000000, "");
	char *longer_number = nines("1.0.0-", 1000001, "");
	char *long_word = nines("1.0.0-", 1000000, "a");

	ck_assert_int_eq(compare(long_number, longer_number), -1);
	ck_assert_int_eq(compare(long_word, longer_number), 1);
	ck_assert_int_eq(compare(long_word, "1.0.0"), -1);
	free(long_number);
	free(longer_number);
	free(long_word);
}
END_TEST

START_TEST(test_contains)
{
	SemVer version = parse("1.2.3-a.1+b.2");

	ck_assert(semver_contains(&version, STR("a.1")));
	ck_assert(semver_contains(&version, STR("b.2")));
	ck_assert(!semver_contains(&version, STR("a")));
	ck_assert(!semver_contains(&version, STR("1")));
	ck_assert(!semver_contains(&version, STR("1.2.3")));
	ck_assert(!semver_contains(&version, STR("1.2.3-a.1+b.2")));
	ck_assert(!semver_contains(&version, STR("")));

	version = parse("1.2.3");
	ck_assert(!semver_contains(&version, STR("")));
	ck_assert(!semver_contains(&version, (Str){NULL, 0}));
	ck_assert(!semver_contains(&version, STR("None")));

	version = parse("1.2.3-1");
	ck_assert(semver_contains(&version, STR("1")));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("semver");
	TCase *tcase = tcase_create("semver");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_test(tcase, test_pieces);
	tcase_add_loop_test(tcase, test_valid, 0, lengthof(valid));
	tcase_add_loop_test(tcase, test_invalid, 0, lengthof(invalid));
	tcase_add_test(tcase, test_nul_is_no_end);
	tcase_add_test(tcase, test_reads_no_further);
	tcase_add_test(tcase, test_failure_leaves_version);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_build_has_no_precedence);
	tcase_add_test(tcase, test_number_as_long_as_a_python_int);
	tcase_add_test(tcase, test_identifier_of_any_length);
	tcase_add_test(tcase, test_contains);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
