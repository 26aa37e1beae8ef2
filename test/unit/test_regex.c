/*
 * Regular expressions of Python's: what they match and what is refused, as Python 3.11
 * says; and that none takes long.
 */
#include "support.h"

#include <time.h>

#include "engine/regex.h"
#include "engine/regex_translate.h"

/* Whether re.match() is true. */
static const struct
{
	const char *pattern;
	const char *text;
	bool match;
} matches[] = {
	{"", "", true},
	{"", "a", true},
	{"a", "a", true},
	{"a", "ab", true},
	{"a", "ba", false},
	{"a|b", "b", true},
	{"a|b", "ca", false},
	{"^a", "a", true},
	{"^a", "ba", false},
	{"a$", "a", true},
	{"a$", "a\n", true},
	{"a$", "a\n\n", false},
	{"a$", "ab", false},
	{"a\\Z", "a", true},
	{"a\\Z", "a\n", false},
	{"\\Aa", "ba", false},
	{"(?m)b\n^a$", "b\na\nc", true},
	{"(?m)a\n^$", "a\n", true},
	{"a.b", "a\nb", false},
	{"a.b",
     "a\xe2\x80\xa8"
     "b",
     true},
	{"(?s)a.b", "a\nb", true},
	{"(?i)abc", "ABC", true},
	{"(?i:a)b", "Ab", true},
	{"(?i:a)b", "AB", false},
	{"(?i)a(?-i:b)", "AB", false},
	{"(?i)a(?-i:b)", "Ab", true},
	{"(?i)i", "\xc4\xb0", true},
	{"(?i)i", "\xc4\xb1", true},
	{"(?i)[h-j]", "\xc4\xb0", true},
	{"(?i)k", "\xe2\x84\xaa", true},
	{"(?ai)k", "\xe2\x84\xaa", false},
	{"(?ai)k", "K", true},
	{"(?i)\xc3\x9f", "\xe1\xba\x9e", true},
	{"(?i)\xef\xac\x85", "\xef\xac\x86", true},
	{"(?i)\xcf\x83", "\xcf\x82", true},
	{"(?ai)\xc3\xa9", "\xc3\x89", false},
	{"(?ai)\xc3\xa9", "\xc3\xa9", true},
	{"\\d+", "\xd9\xa3", true},
	{"\\d+", "\xc2\xb2", false},
	{"\\d+", "12", true},
	{"(?a)\\d", "\xd9\xa3", false},
	{"\\w+", "\xc3\xa9_1", true},
	{"\\w+", "\xcc\x81", false},
	{"\\w+", "-", false},
	{"\\W", "\xcc\x81", true},
	{"\\W", "_", false},
	{"[\\W]", "_", false},
	{"[\\W]", "-", true},
	{"[^\\W]", "_", true},
	{"[^\\W]", "\xc3\xa9", true},
	{"[\\Wa]", "_", false},
	{"[\\Wa]", "a", true},
	{"[^\\Wa]", "_", true},
	{"[^\\Wa]", "a", false},
	{"[^\\Wa]", "b", true},
	{"\\s", "\x1c", true},
	{"\\s", "\xc2\x85", true},
	{"\\s", "\xe3\x80\x80", true},
	{"\\s", "\xe1\xa0\x8e", false},
	{"\\s", "\xe2\x80\x8b", false},
	{"(?a)\\s", "\xc2\xa0", false},
	{"(?a)\\s", "\t", true},
	{"(?a)\\s", "\x1c", false},
	{"[^\\S]", " ", true},
	{"[^\\S]", "a", false},
	{"\\bab\\b", "ab", true},
	{"\\bab\\b", "ab-", true},
	{"\\bab\\b", "abc", false},
	{"a\\B", "ab", true},
	{"a\\B", "a", false},
	{"\\B", "", false},
	{"\\b", "", false},
	{"(?a)\\b\xc3\xa9", "\xc3\xa9", false},
	{"(?a)a\\b\xc3\xa9", "a\xc3\xa9", true},
	{"[\\b]", "\x08", true},
	{"(?P<n>a)(?P=n)", "aa", true},
	{"(?P<n>a)(?P=n)", "ab", false},
	{"(a)\\1", "aa", true},
	{"(a)?(?(1)b|c)", "ab", true},
	{"(a)?(?(1)b|c)", "c", true},
	{"(a)?(?(1)b|c)", "ac", false},
	{"(?P<n>a)?(?(n)b|c)", "ab", true},
	{"(?P<n>a)?(?(n)b|c)", "c", true},
	{"\\x41\\u00e9\\U0001F600", "A\xc3\xa9\xf0\x9f\x98\x80", true},
	{"\\101\\0", "A\x01", false},
	{"\\07", "\x07", true},
	{"[\\101-\\103]", "B", true},
	{"a{,2}b", "aab", true},
	{"a{,2}b", "aaab", false},
	{"a{,2}b", "b", true},
	{"a{,}b", "aaab", true},
	{"a{2}", "aa", true},
	{"a{}", "a{}", true},
	{"a{}", "a", false},
	{"a{x}", "a{x}", true},
	{"a{1", "a{1", true},
	{"a{2,3}?", "aaaa", true},
	{"a*+a", "aaa", false},
	{"a++b", "aab", true},
	{"(a)*+b|\\1c", "acac", false},
	{"(ab|a)++b", "abab", false},
	{"(ab|a)++b", "aab", false},
	{"(?:a|ab){2}+b", "aab", true},
	{"(?:a|ab){2}+b", "aabb", true},
	{"(a){{1}+b", "a{b", true},
	{"(a)(?#x)*+", "aa", true},
	{"(?:(a)|b)?+(?(1)c|d)", "ac", true},
	{"(?:(a)|b)?+(?(1)c|d)", "bd", true},
	{"(?:a|(?=(b))c){0}", "x", true},
	{"(?:a|(?=(b))c){0}", "", true},
	{"(a){0}?b", "b", true},
	{"(a){0}?b", "ab", false},
	{"(a){0}+b(?(1)c|d)", "bd", true},
	{"(a){0}+b(?(1)c|d)", "bc", false},
	{"b(?<=(a){0}b)c", "bc", true},
	{"(?<=(a){0}b)c", "ac", false},
	{"a{0}?b", "b", true},
	{"(?>a|ab)c", "abc", false},
	{"(?>a|ab)c", "ac", true},
	{"x?+y", "xy", true},
	{"[]a]", "]", true},
	{"[]a]", "a", true},
	{"[^]a]", "]", false},
	{"[^]a]", "b", true},
	{"[[:alpha:]]", ":]", true},
	{"[[:alpha:]]", "a]", true},
	{"[[:alpha:]]", "b]", false},
	{"[a-]", "-", true},
	{"[\\]\\-^]", "^", true},
	{"[\\]\\-^]", "-", true},
	{"[a&&b]", "&", true},
	{"[\xc3\xa9-\xc3\xbc]", "\xc3\xb6", true},
	{"[\\ud800-\\ue000]", "\xee\x80\x80", true},
	{"(?x) a b # c\n c", "abc", true},
	{"(?x)a\\ b[ ]c", "a b c", true},
	{"(?#x)a", "a", true},
	{"a(?#x)*", "aaa", true},
	{"(?x:a b)c d", "abc d", true},
	{"a(?<=a)b", "ab", true},
	{"(?<=a)b", "b", false},
	{"(?<!a)b", "ab", false},
	{"(?<!a)b", "b", true},
	{"(?=.*\\d)[a-z0-9]+", "abc1", true},
	{"(?=.*\\d)[a-z0-9]+", "abc", false},
	{"(?!a).", "a", false},
	{"(?!a).", "b", true},
	{"a(?<=\\ba)b", "ab", true},
	{"(?u:a)", "a", true},
	{"(?a)-?(?u:\\w)", "\xc3\xa9", true},
	{"}]", "}]", true},
	{"\\@\\-\\ \\\xc3\xa9", "@- \xc3\xa9", true},
	{"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
	{"(a|b|)*c", "abc", true},
	{"[^a]", "\n", true},
	{"()(?(1)a)b", "ab", true},
	{"()(?(1)a)b", "b", false},
	{"()()()()()()()()()(x)\\10", "xx", true},
};

START_TEST(test_match)
{
	Str text = support_text(matches[_i].text);
	Regex *regex = regex_compile(support_text(matches[_i].pattern));

	ck_assert_msg(regex != NULL, "%s compiles", matches[_i].pattern);
	ck_assert_msg(regex_match(regex, text) == matches[_i].match, "re.match(%s, %s)",
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
	ck_assert_msg(regex_compile(support_text(refused[_i])) == NULL, "%s is refused",
	              refused[_i]);
}
END_TEST

/* So many times piece, between two other texts. */
static Str
repeat(const char *before, const char *piece, int count, const char *after)
{
	return support_text(psprintf("%s%s%s", before, support_repeat(piece, count), after));
}

START_TEST(test_limits)
{
	/* at its worst: each group becomes two */
	Regex *regex = regex_compile(
		repeat("", "(a|", REGEX_MAX_NESTING, support_repeat(")?+", REGEX_MAX_NESTING)));

	ck_assert(regex != NULL);
	ck_assert(regex_match(regex, STR("a")));
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
	Regex *regex = regex_compile(support_text(catastrophic[_i]));
	clock_t start = clock();

	ck_assert(regex != NULL);
	ck_assert(!regex_match(regex, text));
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
	regex_free(regex);
	text = repeat("", "a", 2000000, "b");
	regex = regex_compile(STR("[a-z]+b"));
	ck_assert(regex_match(regex, text));
	regex_free(regex);
}
END_TEST

START_TEST(test_text_that_is_no_utf8)
{
	Regex *regex = regex_compile(STR(".*"));

	ck_assert(!regex_match(regex, STR("\xc3")));
	ck_assert(!regex_match(regex, STR("\xff")));
	ck_assert(regex_compile(STR("\xff")) == NULL);
	regex_free(regex);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("regex");

	tcase_add_loop_test(tcase, test_match, 0, lengthof(matches));
	tcase_add_loop_test(tcase, test_refused, 0, lengthof(refused));
	tcase_add_loop_test(tcase, test_catastrophic, 0, lengthof(catastrophic));
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_long_text);
	tcase_add_test(tcase, test_text_that_is_no_utf8);
	return support_run("regex", tcase);
}
