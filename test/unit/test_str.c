/*
 * Counted text.
 */
#include "support.h"

/* From least to greatest by code points. */
static const Str ascending[] = {
	STR_INIT(""),
	STR_INIT("\0"),
	STR_INIT("\0\0"),
	STR_INIT("\0a"),
	STR_INIT("A"),
	STR_INIT("AB"),
	STR_INIT("Z"),
	STR_INIT("a"),
	STR_INIT("a\0"),
	STR_INIT("a b"),
	STR_INIT("aa"),
	STR_INIT("b"),
	STR_INIT("\x7f"),
	STR_INIT("\xc2\x80"),         /* U+0080 */
	STR_INIT("\xc3\xa9"),         /* U+00E9 */
	STR_INIT("\xef\xbf\xbd"),     /* U+FFFD, in UTF-16 above the next */
	STR_INIT("\xf0\x9f\x98\x80"), /* U+1F600 */
};

START_TEST(test_order)
{
	for (int i = 0; i < (int) lengthof(ascending); i++)
		for (int j = 0; j < (int) lengthof(ascending); j++)
		{
			int order = str_compare(ascending[i], ascending[j]);

			ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j), "%d against %d",
			              i, j);
			ck_assert(str_equal(ascending[i], ascending[j]) == (i == j));
		}
}
END_TEST

/* What a zeroed struct holds is the empty text. */
START_TEST(test_no_data)
{
	Str none = {NULL, 0};

	ck_assert(str_equal(none, STR("")));
	ck_assert(str_equal(none, none));
	ck_assert(!str_equal(none, STR("a")));
	ck_assert_int_eq(str_compare(none, STR("")), 0);
	ck_assert_int_lt(str_compare(none, STR("a")), 0);
	ck_assert(str_contains(none, STR("")));
	ck_assert(str_contains(STR("a"), none));
	ck_assert(!str_contains(none, STR("a")));
	ck_assert_uint_eq(str_copy(none).len, 0);
}
END_TEST

static const struct
{
	Str text;
	Str needle;
	bool contains;
} searches[] = {
	{STR_INIT(""), STR_INIT(""), true},
	{STR_INIT("abc"), STR_INIT(""), true},
	{STR_INIT("abc"), STR_INIT("abc"), true},
	{STR_INIT("abc"), STR_INIT("a"), true},
	{STR_INIT("abc"), STR_INIT("c"), true},
	{STR_INIT("abc"), STR_INIT("bc"), true},
	{STR_INIT("aab"), STR_INIT("ab"), true},
	{STR_INIT("abc"), STR_INIT("ac"), false},
	{STR_INIT("abc"), STR_INIT("abcd"), false},
	{STR_INIT("abc"), STR_INIT("B"), false},
	{STR_INIT("a\0b"), STR_INIT("b"), true},
	{STR_INIT("a\0b"), STR_INIT("\0"), true},
	{STR_INIT("a\0b"), STR_INIT("a\0c"), false},
	{STR_INIT("caf\xc3\xa9"), STR_INIT("\xc3\xa9"), true},
	{STR_INIT("caf\xc3\xa9"), STR_INIT("\xc3\xa8"), false},
};

START_TEST(test_contains)
{
	ck_assert(str_contains(searches[_i].text, searches[_i].needle) ==
	          searches[_i].contains);
}
END_TEST

/* A needle that would match with one byte more than there is. */
START_TEST(test_contains_reads_no_further)
{
	Str text = support_text("xxab");

	text.len = 3;
	ck_assert(!str_contains(text, STR("ab")));
	ck_assert(!str_contains(support_text("xxa"), STR("ab")));
	ck_assert(!str_equal(text, STR("xxab")));
}
END_TEST

START_TEST(test_copy)
{
	char source[] = "a\0b";
	Str copy = str_copy(str_make(source, 3));

	memset(source, 'x', sizeof(source));
	ck_assert(str_equal(copy, STR("a\0b")));
	ck_assert_int_eq(copy.data[3], '\0');
	ck_assert_int_eq(str_copy(STR("")).data[0], '\0');
}
END_TEST

START_TEST(test_copy_all)
{
	char source[] = "a\0bcd";
	Str first = str_make(source, 3), none = {NULL, 0}, empty = STR(""),
		last = str_make(source + 3, 2);
	Str *texts[] = {&first, &none, &empty, &last};

	str_copy_all(texts, lengthof(texts));
	memset(source, 'x', sizeof(source));
	ck_assert(str_equal(first, STR("a\0b")));
	ck_assert_ptr_null(none.data);
	ck_assert_ptr_nonnull(empty.data);
	ck_assert_uint_eq(empty.len, 0);
	ck_assert(str_equal(last, STR("cd")));
	ck_assert_int_eq(first.data[3], '\0');
	ck_assert_int_eq(last.data[2], '\0');
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("str");

	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_no_data);
	tcase_add_loop_test(tcase, test_contains, 0, lengthof(searches));
	tcase_add_test(tcase, test_contains_reads_no_further);
	tcase_add_test(tcase, test_copy);
	tcase_add_test(tcase, test_copy_all);
	return support_run("str", tcase);
}
