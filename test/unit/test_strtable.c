/*
 * Tables of texts.
 */
#include "support.h"

#include "engine/strtable.h"

START_TEST(test_numbers)
{
	StrTable *table = strtable_create(4);

	ck_assert_uint_eq(strtable_count(table), 0);
	ck_assert_uint_eq(strtable_add(table, STR("b")), 0);
	ck_assert_uint_eq(strtable_add(table, STR("a")), 1);
	ck_assert_uint_eq(strtable_add(table, STR("")), 2);
	ck_assert_uint_eq(strtable_add(table, support_text("b")), 0);
	ck_assert_uint_eq(strtable_add(table, STR("c")), 3);
	ck_assert_uint_eq(strtable_count(table), 4);
	ck_assert_int_eq(strtable_find(table, support_text("a")), 1);
	ck_assert_int_eq(strtable_find(table, STR("c")), 3);
	ck_assert_int_eq(strtable_find(table, (Str){NULL, 0}), 2);
}
END_TEST

START_TEST(test_texts)
{
	StrTable *table = strtable_create(0);
	const Str *texts;

	strtable_add(table, STR("b"));
	strtable_add(table, STR("a"));
	strtable_add(table, STR("b"));
	strtable_add(table, STR(""));
	texts = strtable_texts(table);
	ck_assert(str_equal(texts[0], STR("b")));
	ck_assert(str_equal(texts[1], STR("a")));
	ck_assert(str_equal(texts[2], STR("")));
}
END_TEST

START_TEST(test_missing)
{
	StrTable *table = strtable_create(1);

	ck_assert_int_eq(strtable_find(table, STR("a")), -1);
	ck_assert_int_eq(strtable_find(table, STR("")), -1);
	strtable_add(table, STR("ab"));
	ck_assert_int_eq(strtable_find(table, STR("a")), -1);
	ck_assert_int_eq(strtable_find(table, STR("abc")), -1);
	ck_assert_int_eq(strtable_find(table, STR("AB")), -1);
	ck_assert_int_eq(strtable_find(table, STR("")), -1);
	/* looking for a text does not add it */
	ck_assert_uint_eq(strtable_count(table), 1);
}
END_TEST

/* A text is all of its bytes. */
START_TEST(test_nul_is_no_end)
{
	StrTable *table = strtable_create(0);

	ck_assert_uint_eq(strtable_add(table, STR("a\0b")), 0);
	ck_assert_uint_eq(strtable_add(table, STR("a\0c")), 1);
	ck_assert_uint_eq(strtable_add(table, STR("a")), 2);
	ck_assert_int_eq(strtable_find(table, STR("a\0c")), 1);
	ck_assert_int_eq(strtable_find(table, STR("a\0")), -1);
}
END_TEST

START_TEST(test_add_copy)
{
	StrTable *table = strtable_create(1);
	char source[] = "ab";

	ck_assert_uint_eq(strtable_add_copy(table, str_make(source, 2)), 0);
	source[0] = 'x';
	ck_assert_uint_eq(strtable_add_copy(table, str_make(source, 2)), 1);
	ck_assert_uint_eq(strtable_add_copy(table, STR("ab")), 0);
	ck_assert_int_eq(strtable_find(table, STR("xb")), 1);
	ck_assert_uint_eq(strtable_count(table), 2);
}
END_TEST

/* Far more than expected: the numbers stay what they were. */
START_TEST(test_grows)
{
	StrTable *table = strtable_create(0);
	int count = 200000;

	for (int i = 0; i < count; i++)
		ck_assert_uint_eq(strtable_add(table, support_text(psprintf("text %d", i))), i);
	ck_assert_uint_eq(strtable_count(table), count);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(strtable_find(table, support_text(psprintf("text %d", i))), i);
	ck_assert_int_eq(strtable_find(table, STR("text 200000")), -1);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("strtable");

	tcase_add_test(tcase, test_numbers);
	tcase_add_test(tcase, test_texts);
	tcase_add_test(tcase, test_missing);
	tcase_add_test(tcase, test_nul_is_no_end);
	tcase_add_test(tcase, test_add_copy);
	tcase_add_test(tcase, test_grows);
	return support_run("strtable", tcase);
}
