/*
 * Percentages of object ids: each figure here is what Flagsmith's own engine gives, to
 * the last bit.
 */
#include "engine/platform.h"

#include <check.h>

#include "engine/hash.h"

/* Returns the percentage of one or two ids; second may be NULL. */
static double
percentage(const char *first, const char *second)
{
	Str ids[2] = {str_make(first, strlen(first))};

	if (second == NULL)
		return hash_percentage(ids, 1);
	ids[1] = str_make(second, strlen(second));
	return hash_percentage(ids, 2);
}

static void
assert_percentage(const char *first, const char *second, double expected)
{
	ck_assert_double_eq(percentage(first, second), expected);
}

static const struct
{
	const char *first;
	const char *second;
	double percentage;
} vectors[] = {
	{"12", "93", 27.655531106221243},
	{"1", "2", 26.59531906381276},
	{"101", "u_alice", 31.93638727745549},
	{"78986", "32103813", 49.27985597119424},
	{"1016365", "8AYnz4q3KEfT5DFtnramnP_user-123", 40.1880376075215},
	{"5", "1.5", 34.61692338467694},
	{"5", "True", 69.42388477695539},
	{"7", "", 77.5755151030206},
	{"7", "\xc3\xa9", 11.582316463292658},
	{"\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", 75.18503700740148},
	{"", NULL, 35.40708141628326},
	{"", "", 51.200240048009604},
	{"1", "13139", 0.0},               /* the least there is */
	{"1", "44829", 99.98999799959992}, /* the most */
};

START_TEST(test_vector)
{
	assert_percentage(vectors[_i].first, vectors[_i].second, vectors[_i].percentage);
}
END_TEST

/* The ids are what their list says, not how it is cut: a comma is a comma. */
START_TEST(test_joined_by_commas)
{
	ck_assert_double_eq(percentage("12,93", NULL), percentage("12", "93"));
	ck_assert_double_ne(percentage("1293", NULL), percentage("12", "93"));
	ck_assert_double_ne(percentage("93", "12"), percentage("12", "93"));
}
END_TEST

START_TEST(test_no_ids)
{
	ck_assert_double_eq(hash_percentage(NULL, 0), 35.40708141628326);
}
END_TEST

/* Where the list as it is gives 100, the list twice over is hashed. */
START_TEST(test_hundred_is_hashed_again)
{
	assert_percentage("1", "8931", 45.779155831166236);
	assert_percentage("1", "13116", 18.433686737347468);
	ck_assert_double_eq(percentage("1,8931,1", "8931"), percentage("1", "8931"));
}
END_TEST

/* These give 100 twice over as well, so that three times over counts. */
START_TEST(test_hundred_twice)
{
	assert_percentage("1", "14927794", 26.515303060612123);
	assert_percentage("1", "74273116", 45.449089817963596);
	ck_assert_double_eq(percentage("1,14927794,1,14927794", "1,14927794"),
	                    percentage("1", "14927794"));
}
END_TEST

/* Returns the percentage of one id, length times 'a', in memory that ends with it. */
static double
percentage_of_length(size_t length)
{
	char *text = malloc(length);
	Str id = str_make(text, length);
	double result;

	memset(text, 'a', length);
	result = hash_percentage(&id, 1);
	free(text);
	return result;
}

START_TEST(test_borders_of_a_block)
{
	ck_assert_double_eq(percentage_of_length(54), 46.399279855971194);
	ck_assert_double_eq(percentage_of_length(55), 5.98119623924785);
	ck_assert_double_eq(percentage_of_length(56), 95.03900780156032);
	ck_assert_double_eq(percentage_of_length(63), 0.650130026005201);
	ck_assert_double_eq(percentage_of_length(64), 70.38407681536307);
	ck_assert_double_eq(percentage_of_length(10000000), 45.299059811962394);
}
END_TEST

START_TEST(test_long_text_is_hashed_again)
{
	char text[301] = "";

	memset(text, 'x', 300);
	assert_percentage(text, "1041", 37.06741348269654);
}
END_TEST

/* A split of so many percent takes so many percent of the people. */
START_TEST(test_spread)
{
	int below[4] = {0};

	for (int i = 0; i < 100000; i++)
	{
		char id[16];
		double result;

		sprintf(id, "%d", i);
		result = percentage("segment", id);
		ck_assert(result >= 0 && result < 100);
		below[(int) (result / 25)]++;
	}
	for (int quarter = 0; quarter < 4; quarter++)
		ck_assert_int_le(abs(below[quarter] - 25000), 500);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hash");
	TCase *tcase = tcase_create("hash");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_vector, 0, lengthof(vectors));
	tcase_add_test(tcase, test_joined_by_commas);
	tcase_add_test(tcase, test_no_ids);
	tcase_add_test(tcase, test_hundred_is_hashed_again);
	tcase_add_test(tcase, test_hundred_twice);
	tcase_add_test(tcase, test_borders_of_a_block);
	tcase_add_test(tcase, test_long_text_is_hashed_again);
	tcase_add_test(tcase, test_spread);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
