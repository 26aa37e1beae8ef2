/*
 * Regular expressions of Python's: what they match and what is refused, as Python 3.11
 * says; and that none takes long.
 */
#include "engine/platform.h"

#include <check.h>
#include <time.h>

#include "lib/stringinfo.h"

#include "engine/regex.h"
#include "engine/regex_translate.h"

/* A copy without a NUL behind it, so that a sanitizer sees a read beyond the end. */
static Str
exact(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(Max(length, 1));

	memcpy(copy, text, length);
	return str_make(copy, length);
}

/* re.match, re.fullmatch and re.search. */
static const struct
{
	const char *pattern;
	const char *text;
	bool match;
	bool fullmatch;
	bool search;
} matches[] = {
	{"", "", true, true, true},
	{"", "a", true, false, true},
	{"a", "a", true, true, true},
	{"a", "ab", true, false, true},
	{"a", "ba", false, false, true},
	{"a|b", "b", true, true, true},
	{"a|b", "ca", false, false, true},
	{"^a", "a", true, true, true},
	{"^a", "ba", false, false, false},
	{"a$", "a", true, true, true},
	{"a$", "a\n", true, false, true},
	{"a$", "a\n\n", false, false, false},
	{"a$", "ab", false, false, false},
	{"a\\Z", "a", true, true, true},
	{"a\\Z", "a\n", false, false, false},
	{"\\Aa", "ba", false, false, false},
	{"(?m)^a$", "b\na\nc", false, false, true},
	{"(?m)^$", "a\n", false, false, true},
	{"a.b", "a\nb", false, false, false},
	{"a.b",
     "a\xe2\x80\xa8"
     "b",
     true, true, true},
	{"(?s)a.b", "a\nb", true, true, true},
	{"(?i)abc", "ABC", true, true, true},
	{"(?i:a)b", "Ab", true, true, true},
	{"(?i:a)b", "AB", false, false, false},
	{"(?i)a(?-i:b)", "AB", false, false, false},
	{"(?i)a(?-i:b)", "Ab", true, true, true},
	{"(?i)i", "\xc4\xb0", true, true, true},
	{"(?i)i", "\xc4\xb1", true, true, true},
	{"(?i)[h-j]", "\xc4\xb0", true, true, true},
	{"(?i)k", "\xe2\x84\xaa", true, true, true},
	{"(?ai)k", "\xe2\x84\xaa", false, false, false},
	{"(?ai)k", "K", true, true, true},
	{"(?i)\xc3\x9f", "\xe1\xba\x9e", true, true, true},
	{"(?i)\xef\xac\x85", "\xef\xac\x86", true, true, true},
	{"(?i)\xcf\x83", "\xcf\x82", true, true, true},
	{"(?ai)\xc3\xa9", "\xc3\x89", false, false, false},
	{"(?ai)\xc3\xa9", "\xc3\xa9", true, true, true},
	{"\\d+", "\xd9\xa3", true, true, true},
	{"\\d+", "\xc2\xb2", false, false, false},
	{"\\d+", "12", true, true, true},
	{"(?a)\\d", "\xd9\xa3", false, false, false},
	{"\\w+", "\xc3\xa9_1", true, true, true},
	{"\\w+", "\xcc\x81", false, false, false},
	{"\\w+", "-", false, false, false},
	{"\\W", "\xcc\x81", true, true, true},
	{"\\W", "_", false, false, false},
	{"[\\W]", "_", false, false, false},
	{"[\\W]", "-", true, true, true},
	{"[^\\W]", "_", true, true, true},
	{"[^\\W]", "\xc3\xa9", true, true, true},
	{"[\\Wa]", "_", false, false, false},
	{"[\\Wa]", "a", true, true, true},
	{"[^\\Wa]", "_", true, true, true},
	{"[^\\Wa]", "a", false, false, false},
	{"[^\\Wa]", "b", true, true, true},
	{"\\s", "\x1c", true, true, true},
	{"\\s", "\xc2\x85", true, true, true},
	{"\\s", "\xe3\x80\x80", true, true, true},
	{"\\s", "\xe1\xa0\x8e", false, false, false},
	{"\\s", "\xe2\x80\x8b", false, false, false},
	{"(?a)\\s", "\xc2\xa0", false, false, false},
	{"(?a)\\s", "\t", true, true, true},
	{"(?a)\\s", "\x1c", false, false, false},
	{"[^\\S]", " ", true, true, true},
	{"[^\\S]", "a", false, false, false},
	{"\\bab\\b", "ab", true, true, true},
	{"\\bab\\b", "ab-", true, false, true},
	{"\\bab\\b", "abc", false, false, false},
	{"a\\B", "ab", true, false, true},
	{"a\\B", "a", false, false, false},
	{"\\B", "", false, false, false},
	{"\\b", "", false, false, false},
	{"(?a)\\b\xc3\xa9", "\xc3\xa9", false, false, false},
	{"(?a)\\b\xc3\xa9", "a\xc3\xa9", false, false, true},
	{"[\\b]", "\x08", true, true, true},
	{"(?P<n>a)(?P=n)", "aa", true, true, true},
	{"(?P<n>a)(?P=n)", "ab", false, false, false},
	{"(a)\\1", "aa", true, true, true},
	{"(a)?(?(1)b|c)", "ab", true, true, true},
	{"(a)?(?(1)b|c)", "c", true, true, true},
	{"(a)?(?(1)b|c)", "ac", false, false, true},
	{"(?P<n>a)?(?(n)b|c)", "ab", true, true, true},
	{"(?P<n>a)?(?(n)b|c)", "c", true, true, true},
	{"\\x41\\u00e9\\U0001F600", "A\xc3\xa9\xf0\x9f\x98\x80", true, true, true},
	{"\\101\\0", "A\x01", false, false, false},
	{"\\07", "\x07", true, true, true},
	{"[\\101-\\103]", "B", true, true, true},
	{"a{,2}b", "aab", true, true, true},
	{"a{,2}b", "aaab", false, false, true},
	{"a{,2}b", "b", true, true, true},
	{"a{,}b", "aaab", true, true, true},
	{"a{2}", "aa", true, true, true},
	{"a{}", "a{}", true, true, true},
	{"a{}", "a", false, false, false},
	{"a{x}", "a{x}", true, true, true},
	{"a{1", "a{1", true, true, true},
	{"a{2,3}?", "aaaa", true, false, true},
	{"a*+a", "aaa", false, false, false},
	{"a++b", "aab", true, true, true},
	{"(a)*+b|\\1c", "acac", false, false, false},
	{"(ab|a)++b", "abab", false, false, false},
	{"(ab|a)++b", "aab", false, false, false},
	{"(?:a|ab){2}+b", "aab", true, true, true},
	{"(?:a|ab){2}+b", "aabb", true, false, true},
	{"(a){{1}+b", "a{b", true, true, true},
	{"(a)(?#x)*+", "aa", true, true, true},
	{"(?:(a)|b)?+(?(1)c|d)", "ac", true, true, true},
	{"(?:(a)|b)?+(?(1)c|d)", "bd", true, true, true},
	{"(?:a|(?=(b))c){0}", "x", true, false, true},
	{"(?:a|(?=(b))c){0}", "", true, true, true},
	{"(a){0}?b", "b", true, true, true},
	{"(a){0}?b", "ab", false, false, true},
	{"(a){0}+b(?(1)c|d)", "bd", true, true, true},
	{"(a){0}+b(?(1)c|d)", "bc", false, false, false},
	{"(?<=(a){0}b)c", "bc", false, false, true},
	{"(?<=(a){0}b)c", "ac", false, false, false},
	{"a{0}?b", "b", true, true, true},
	{"(?>a|ab)c", "abc", false, false, false},
	{"(?>a|ab)c", "ac", true, true, true},
	{"x?+y", "xy", true, true, true},
	{"[]a]", "]", true, true, true},
	{"[]a]", "a", true, true, true},
	{"[^]a]", "]", false, false, false},
	{"[^]a]", "b", true, true, true},
	{"[[:alpha:]]", ":]", true, true, true},
	{"[[:alpha:]]", "a]", true, true, true},
	{"[[:alpha:]]", "b]", false, false, false},
	{"[a-]", "-", true, true, true},
	{"[\\]\\-^]", "^", true, true, true},
	{"[\\]\\-^]", "-", true, true, true},
	{"[a&&b]", "&", true, true, true},
	{"[\xc3\xa9-\xc3\xbc]", "\xc3\xb6", true, true, true},
	{"[\\ud800-\\ue000]", "\xee\x80\x80", true, true, true},
	{"(?x) a b # c\n c", "abc", true, true, true},
	{"(?x)a\\ b[ ]c", "a b c", true, true, true},
	{"(?#x)a", "a", true, true, true},
	{"a(?#x)*", "aaa", true, true, true},
	{"(?x:a b)c d", "abc d", true, true, true},
	{"(?<=a)b", "ab", false, false, true},
	{"(?<=a)b", "b", false, false, false},
	{"(?<!a)b", "ab", false, false, false},
	{"(?<!a)b", "b", true, true, true},
	{"(?=.*\\d)[a-z0-9]+", "abc1", true, true, true},
	{"(?=.*\\d)[a-z0-9]+", "abc", false, false, false},
	{"(?!a).", "a", false, false, false},
	{"(?!a).", "b", true, true, true},
	{"(?<=\\ba)b", "ab", false, false, true},
	{"(?u:a)", "a", true, true, true},
	{"(?a)-?(?u:\\w)", "\xc3\xa9", true, true, true},
	{"}]", "}]", true, true, true},
	{"\\@\\-\\ \\\xc3\xa9", "@- \xc3\xa9", true, true, true},
	{"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true, false,
     true},
	{"(a|b|)*c", "abc", true, true, true},
	{"[^a]", "\n", true, true, true},
	{"()(?(1)a)b", "ab", true, true, true},
	{"()(?(1)a)b", "b", false, false, false},
	{"()()()()()()()()()(x)\\10", "xx", true, true, true},
};

START_TEST(test_match)
{
	Str text = exact(matches[_i].text);
	Regex *regex = regex_compile(exact(matches[_i].pattern));

	ck_assert_msg(regex != NULL, "%s compiles", matches[_i].pattern);
	ck_assert_msg(regex_match(regex, text) == matches[_i].match, "re.match(%s, %s)",
	              matches[_i].pattern, matches[_i].text);
	ck_assert_msg(regex_fullmatch(regex, text) == matches[_i].fullmatch,
	              "re.fullmatch(%s, %s)", matches[_i].pattern, matches[_i].text);
	ck_assert_msg(regex_search(regex, text) == matches[_i].search, "re.search(%s, %s)",
	              matches[_i].pattern, matches[_i].text);
	regex_free(regex);
}
END_TEST

/* Where re.compile() raises. */
static const char *const refused[] = {
	"\\z",
	"\\h",
	"\\R",
	"\\K",
	"\\p{L}",
	"\\Q",
	"\\G",
	"\\X",
	"\\c",
	"\\_a\\i",
	"\\",
	"[\\B]",
	"[\\z]",
	"\\x4",
	"\\u12",
	"\\U00110000",
	"\\400",
	"[\\400]",
	"[\\8]",
	"(?R)",
	"(?1)",
	"(?&n)",
	"(?P>n)",
	"(?|a)",
	"(*ACCEPT)",
	"(?<n>a)",
	"(?'n'a)",
	"a(?i)b",
	"(?i",
	"(?L)a",
	"(?au)a",
	"(?a)(?u)a",
	"(?-a:a)",
	"(?i-i:a)",
	"(?-i)a",
	"(?ti:a)",
	"(?t)a*",
	"a{2}{3}",
	"a**",
	"a*?\?",
	"a+*",
	"*a",
	"(*a)",
	"|*",
	"^*",
	"$+",
	"\\b?",
	"(?:*)",
	"a{3,2}",
	"a{4294967296}",
	"\\1",
	"(a\\1)",
	"(a)\\2",
	"(?P=n)",
	"(?P<n>(?P=n))",
	"(?P<n>a)(?P<n>b)",
	"(?P<1>a)",
	"(?P<a-b>a)",
	"(?P<>a)",
	"(?P<n",
	"(?P",
	"(?(1)a)",
	"(?(0)a)()",
	"(?(n)a)",
	"(?(1)a|b|c)()",
	"(?<=a*)b",
	"(?<=a|bc)d",
	"(?<!a{1,2})b",
	"(a+)(?<=\\1)",
	"(?<=(a)\\1)",
	"[a",
	"[]",
	"[^]",
	"[z-a]",
	"[a-\\d]",
	"[\\d-a]",
	"(a",
	"a)",
	"(?:a",
	"(?=a",
	"(?",
	"(?#a",
	"(?P<n>a",
	"(?x)(a # )",
};

START_TEST(test_refused)
{
	ck_assert_msg(regex_compile(exact(refused[_i])) == NULL, "%s is refused",
	              refused[_i]);
}
END_TEST

/* So many times piece, between two other texts. */
static Str
repeat(const char *before, const char *piece, int count, const char *after)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, before);
	for (int i = 0; i < count; i++)
		appendStringInfoString(&text, piece);
	appendStringInfoString(&text, after);
	return str_make(text.data, text.len);
}

START_TEST(test_limits)
{
	StringInfoData nested;
	Regex *regex;

	initStringInfo(&nested);
	/* at its worst: each group becomes two */
	for (int i = 0; i < REGEX_MAX_NESTING; i++)
		appendStringInfoString(&nested, "(a|");
	for (int i = 0; i < REGEX_MAX_NESTING; i++)
		appendStringInfoString(&nested, ")?+");
	regex = regex_compile(str_make(nested.data, nested.len));
	ck_assert(regex != NULL);
	ck_assert(regex_fullmatch(regex, STR("a")));
	regex_free(regex);
	ck_assert(regex_compile(repeat("(", "(", REGEX_MAX_NESTING, "")) == NULL);
	ck_assert(regex_compile(repeat("", "(?:", 1000000, "")) == NULL);
	ck_assert(regex_compile(repeat("", "()", REGEX_MAX_GROUPS + 1, "")) == NULL);
	ck_assert(regex_compile(repeat("", "a", REGEX_MAX_LENGTH + 1, "")) == NULL);
}
END_TEST

/*
 * Patterns that take a time exponential, or a high power, of the text's length, on a text
 * that they do not match.
 */
static const char *const catastrophic[] = {
	"(a+)+$",
	"(a*)*$",
	"(a|a)*$",
	"(a|aa)+$",
	"(.*)*[xy]",
	"(a+)+\\1[bc]",
	"(?=(a+)+$)[bc]",
	"a*a*a*a*a*a*[bc]",
	"(a?){30}a{30}[bc]",
	".*.*.*.*[=-]",
	"([ax]+[ax]+)+[yz]",
	"(?:(?=.*[bc])|a)*[bc]",
	"(?:(.)(?=.*[bc])|.)+?[bc]",
	"(?:a{0,100}){100}[bc]",
	"(?:(?:a*+!!|a)*+!!|a)*[yz]",
	"^(([a-z])+.)+[A-Z]([a-z])+$",
};

/* Generous, for slow machines and sanitizers; without limits it would be for ever. */
#define SECONDS 2.0

START_TEST(test_catastrophic)
{
	Str text = repeat("", "a", 5000, "!");
	Regex *regex = regex_compile(exact(catastrophic[_i]));
	clock_t start = clock();

	ck_assert(regex != NULL);
	ck_assert(!regex_match(regex, text));
	/* this one is never the JIT's */
	ck_assert(!regex_fullmatch(regex, text));
	ck_assert_double_le((double) (clock() - start) / CLOCKS_PER_SEC, SECONDS);
	regex_free(regex);
}
END_TEST

/* Patterns in linear time are not given up, with or without the JIT. */
START_TEST(test_long_text)
{
	Str text = repeat("", "ab,", 20000, "!");
	Regex *regex = regex_compile(STR("(?:(a)|b|,)*!"));

	ck_assert(regex_match(regex, text));
	ck_assert(regex_fullmatch(regex, text));
	regex_free(regex);
	text = repeat("", "a", 2000000, "b");
	regex = regex_compile(STR("[a-z]+b"));
	ck_assert(regex_match(regex, text));
	ck_assert(regex_fullmatch(regex, text));
	regex_free(regex);
}
END_TEST

/* regex_search() goes through the text by pieces, which must not cut a character. */
START_TEST(test_search_everywhere)
{
	Regex *regex = regex_compile(STR("(?<=é)x$"));

	for (int length = 0; length < 100; length++)
	{
		ck_assert(regex_search(regex, repeat("", "é", length + 1, "x")));
		ck_assert(!regex_search(regex, repeat("", "é", length, "ex")));
	}
	regex_free(regex);
}
END_TEST

static int interrupts = 0;

static void
count_interrupts(void)
{
	interrupts++;
}

START_TEST(test_search_can_be_interrupted)
{
	Regex *regex = regex_compile(STR("[xy]"));

	engine_interrupt_hook = count_interrupts;
	ck_assert(!regex_search(regex, repeat("", "a", 10000, "")));
	engine_interrupt_hook = NULL;
	ck_assert_int_gt(interrupts, 100);
	regex_free(regex);
}
END_TEST

START_TEST(test_text_that_is_no_utf8)
{
	Regex *regex = regex_compile(STR(".*"));

	ck_assert(!regex_match(regex, STR("\xc3")));
	ck_assert(!regex_search(regex, STR("\xff")));
	ck_assert(regex_compile(STR("\xff")) == NULL);
	regex_free(regex);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("regex");
	TCase *tcase = tcase_create("regex");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_match, 0, lengthof(matches));
	tcase_add_loop_test(tcase, test_refused, 0, lengthof(refused));
	tcase_add_loop_test(tcase, test_catastrophic, 0, lengthof(catastrophic));
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_long_text);
	tcase_add_test(tcase, test_search_everywhere);
	tcase_add_test(tcase, test_search_can_be_interrupted);
	tcase_add_test(tcase, test_text_that_is_no_utf8);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
