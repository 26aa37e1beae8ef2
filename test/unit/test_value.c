/*
 * Context values.  The expected values are what Python 3.11 says.
 */
#include "engine/platform.h"

#include <check.h>

#include "engine/pynumber.h"
#include "engine/value.h"

/* A copy without a NUL behind it, so that a sanitizer sees a read beyond the end. */
static Str
exact(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(Max(length, 1));

	memcpy(copy, text, length);
	return str_make(copy, length);
}

static char *
text_of(ContextValue value)
{
	char buffer[VALUE_TEXT_MAX];
	Str text = value_text(&value, buffer);

	return pnstrdup(text.data, text.len);
}

/* A JSON number, and str(json.loads(number)). */
static const struct
{
	const char *json;
	ValueType type;
	const char *text;
} numbers[] = {
	{"0", VALUE_INT, "0"},
	{"-0", VALUE_INT, "0"},
	{"7", VALUE_INT, "7"},
	{"1.0", VALUE_FLOAT, "1.0"},
	{"1e2", VALUE_FLOAT, "100.0"},
	{"1E+2", VALUE_FLOAT, "100.0"},
	{"-1.5e-3", VALUE_FLOAT, "-0.0015"},
	{"1e400", VALUE_FLOAT, "inf"},
	{"9223372036854775807", VALUE_INT, "9223372036854775807"},
	{"9223372036854775808", VALUE_INT, "9223372036854775808"},
	{"123456789012345678901234567890", VALUE_INT, "123456789012345678901234567890"},
	{"-0.0", VALUE_FLOAT, "-0.0"},
};

START_TEST(test_number)
{
	ContextValue value = value_from_number(exact(numbers[_i].json));

	ck_assert_int_eq(value.type, numbers[_i].type);
	ck_assert_str_eq(text_of(value), numbers[_i].text);
}
END_TEST

/* What becomes of a string. */
static const struct
{
	const char *string;
	ValueType type;
	const char *text;
} coercions[] = {
	{"", VALUE_STRING, ""},
	{"0", VALUE_INT, "0"},
	{"7", VALUE_INT, "7"},
	{"-7", VALUE_INT, "-7"},
	{"-0", VALUE_INT, "0"},
	{"007", VALUE_INT, "7"},
	{"-007", VALUE_INT, "-7"},
	{"9223372036854775807", VALUE_INT, "9223372036854775807"},
	{"9223372036854775808", VALUE_INT, "9223372036854775808"},
	{"-9223372036854775808", VALUE_INT, "-9223372036854775808"},
	{"-9223372036854775809", VALUE_INT, "-9223372036854775809"},
	{"-0000000000000000000000000000000000001", VALUE_INT, "-1"},
	{"1.5", VALUE_FLOAT, "1.5"},
	{"-1.50", VALUE_FLOAT, "-1.5"},
	{"1.0", VALUE_FLOAT, "1.0"},
	{"00.10", VALUE_FLOAT, "0.1"},
	{"99999999999999999999999999999999999999999999999999999999999999999999999999999999999"
     "99999999999999999999999999999999999999999999999999999999999999999999999999999999999"
     "99999999999999999999999999999999999999999999999999999999999999999999999999999999999"
     "99999999999999999999999999999999999999999999999999999999999999999999999.0",
     VALUE_FLOAT, "inf"},
	{"1e5", VALUE_STRING, "1e5"},
	{"+7", VALUE_STRING, "+7"},
	{" 7", VALUE_STRING, " 7"},
	{"7 ", VALUE_STRING, "7 "},
	{"7.", VALUE_STRING, "7."},
	{".", VALUE_STRING, "."},
	{".5", VALUE_STRING, ".5"},
	{"-", VALUE_STRING, "-"},
	{"-.5", VALUE_STRING, "-.5"},
	{"1.2.3", VALUE_STRING, "1.2.3"},
	{"1_0", VALUE_STRING, "1_0"},
	{"\xd9\xa3", VALUE_STRING, "\xd9\xa3"},
	{"7\n", VALUE_STRING, "7\n"},
	{"True", VALUE_STRING, "True"},
	{"1.5x", VALUE_STRING, "1.5x"},
	{"--7", VALUE_STRING, "--7"},
};

START_TEST(test_coerce)
{
	ContextValue value = {.type = VALUE_STRING, .string = exact(coercions[_i].string)};

	value = value_coerce(value);
	ck_assert_int_eq(value.type, coercions[_i].type);
	ck_assert_str_eq(text_of(value), coercions[_i].text);
}
END_TEST

START_TEST(test_coerce_leaves_other_types)
{
	ContextValue boolean = {.type = VALUE_BOOL, .boolean = true};

	ck_assert_int_eq(value_coerce(NULL_VALUE).type, VALUE_NULL);
	ck_assert_int_eq(value_coerce(boolean).type, VALUE_BOOL);
}
END_TEST

START_TEST(test_coerce_4300_digits)
{
	char text[PY_INT_MAX_DIGITS + 2];
	ContextValue value = {.type = VALUE_STRING};

	memset(text, '1', sizeof(text));
	value.string = str_make(text, PY_INT_MAX_DIGITS);
	ck_assert_int_eq(value_coerce(value).type, VALUE_INT);
	value.string = str_make(text, PY_INT_MAX_DIGITS + 1);
	ck_assert_int_eq(value_coerce(value).type, VALUE_UNREADABLE);
	text[0] = '-';
	ck_assert_int_eq(value_coerce(value).type, VALUE_INT);
	/* a float may have more */
	text[5] = '.';
	value.string = str_make(text, PY_INT_MAX_DIGITS + 2);
	ck_assert_int_eq(value_coerce(value).type, VALUE_FLOAT);
}
END_TEST

/* JSON, and the context value of it. */
static const struct
{
	const char *json;
	ValueType type;
	const char *text;
} scalars[] = {
	{"null", VALUE_NULL, "None"},
	{"true", VALUE_BOOL, "True"},
	{"false", VALUE_BOOL, "False"},
	{"1", VALUE_INT, "1"},
	{"1.50", VALUE_FLOAT, "1.5"},
	{"\"1\"", VALUE_STRING, "1"},
	{"\"\"", VALUE_STRING, ""},
	{"[1, \"a\"]", VALUE_STRING, "[1, 'a']"},
	{"{\"a\": true}", VALUE_STRING, "{'a': True}"},
};

START_TEST(test_from_json)
{
	JsonValue json;
	EngineError error;
	ContextValue value;

	ck_assert(json_parse(exact(scalars[_i].json), &json, &error));
	value = value_from_json(&json);
	ck_assert_int_eq(value.type, scalars[_i].type);
	ck_assert_str_eq(text_of(value), scalars[_i].text);
}
END_TEST

/* Each less than the next. */
static const char *const ascending[] = {
	"-1e400",
	"-99999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"99999999999999999999999999999999999999999999999999999999999999999",
	"-1e308",
	"-10000000000000000000000000000000000000000",
	"-9223372036854775809",
	"-9223372036854775808",
	"-9223372036854775807",
	"-1.5",
	"-1",
	"-0.5",
	"0",
	"5e-324",
	"0.5",
	"1",
	"1.5",
	"9007199254740992.0",
	"9007199254740993",
	"9007199254740994.0",
	"9223372036854775807",
	"9223372036854775808.0",
	"9223372036854775809",
	"18446744073709551616.0",
	"18446744073709551617",
	"99999999999999991611392.0",
	"100000000000000000000000",
	"100000000000000008388608.0",
	"100000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000",
	"1e308",
	"1.7976931348623157e308",
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	"9999999999999999999999999999999999999999999999999999999999999999",
	"1e400",
};

START_TEST(test_order)
{
	ContextValue value = value_from_number(exact(ascending[_i]));

	for (int i = 0; i < (int) lengthof(ascending); i++)
	{
		ContextValue other = value_from_number(exact(ascending[i]));
		int order = value_compare_numbers(&value, &other);

		ck_assert_msg((order > 0) - (order < 0) == (_i > i) - (_i < i), "%s and %s",
		              ascending[_i], ascending[i]);
	}
}
END_TEST

static const struct
{
	const char *a;
	const char *b;
} equals[] = {
	{"1", "1.0"},
	{"0", "-0.0"},
	{"9007199254740992", "9007199254740992.0"},
	{"-9223372036854775808", "-9223372036854775808.0"},
	{"9223372036854775808", "9223372036854775808.0"},
	{"99999999999999991611392", "1e23"},
	{"123456789012345678901", "123456789012345678901"},
	{"-1.5", "-1.5"},
};

START_TEST(test_equal)
{
	ContextValue a = value_from_number(exact(equals[_i].a));
	ContextValue b = value_from_number(exact(equals[_i].b));

	ck_assert_int_eq(value_compare_numbers(&a, &b), 0);
	ck_assert_int_eq(value_compare_numbers(&b, &a), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("value");
	TCase *tcase = tcase_create("value");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_number, 0, lengthof(numbers));
	tcase_add_loop_test(tcase, test_coerce, 0, lengthof(coercions));
	tcase_add_loop_test(tcase, test_from_json, 0, lengthof(scalars));
	tcase_add_loop_test(tcase, test_order, 0, lengthof(ascending));
	tcase_add_loop_test(tcase, test_equal, 0, lengthof(equals));
	tcase_add_test(tcase, test_coerce_leaves_other_types);
	tcase_add_test(tcase, test_coerce_4300_digits);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
