/*
 * Numbers as Python reads, writes and divides them.  The expected values are what
 * Python 3.11 says.
 */
#include "engine/platform.h"

#include <check.h>
#include <math.h>

#include "engine/pynumber.h"

/* A copy without a NUL behind it, so that a sanitizer sees a read beyond the end. */
static Str
exact(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(Max(length, 1));

	memcpy(copy, text, length);
	return str_make(copy, length);
}

/* int(text), as Python writes the result; NULL where it raises ValueError. */
static const struct
{
	const char *text;
	const char *result;
} ints[] = {
	{"0", "0"},
	{"7", "7"},
	{"-7", "-7"},
	{"+7", "7"},
	{" 7 ", "7"},
	{"\t\n\x0b\x0c\x0d"
     "7",
     "7"},
	{"007", "7"},
	{"-0", "0"},
	{"1_000", "1000"},
	{"1__0", NULL},
	{"_1", NULL},
	{"1_", NULL},
	{"+", NULL},
	{"-", NULL},
	{"", NULL},
	{"  ", NULL},
	{"- 7", NULL},
	{"--7", NULL},
	{"7.0", NULL},
	{"1e3", NULL},
	{"0x10", NULL},
	{"7 7", NULL},
	{"9223372036854775807", "9223372036854775807"},
	{"9223372036854775808", "9223372036854775808"},
	{"-9223372036854775808", "-9223372036854775808"},
	{"-9223372036854775809", "-9223372036854775809"},
	{"00000000000000000000000000000000012", "12"},
	{"1_01_01_01_01_01_01_01_01_01_01_01_0", "101010101010101010101010"},
	{"\xd9\xa3", "3"},
	{"1\xd9\xa3", "13"},
	{"\xc2\xa0"
     "7\xe3\x80\x80",
     "7"},
	{"\x1c"
     "7",
     NULL},
	{"\x1c\xd9\xa3", NULL},
	{"\xe0\xa5\xad_\xe0\xa5\xad", "77"},
	{"\xc2\xb2", NULL},
	{"\xe2\x85\xa7", NULL},
	{"\xef\xbc\x97", "7"},
	{"\xf0\x9d\x9f\x9f", "7"},
	{"7\xe2\x80\x8b", NULL},
	{"\xc2\x85"
     "7",
     "7"},
	{"\xef\xbc\x97\x7f", NULL},
};

START_TEST(test_int)
{
	ContextValue value = {0};
	char buffer[VALUE_TEXT_MAX];
	Str text;
	bool valid = py_int(exact(ints[_i].text), &value);

	ck_assert_msg(valid == (ints[_i].result != NULL), "int(%s)", ints[_i].text);
	if (!valid)
		return;
	ck_assert_int_eq(value.type, VALUE_INT);
	text = value_text(&value, buffer);
	ck_assert_str_eq(pnstrdup(text.data, text.len), ints[_i].result);
}
END_TEST

/* A number of so many times the same digit, behind a prefix. */
static Str
digits(const char *prefix, char digit, int count)
{
	char *text = malloc(strlen(prefix) + count);

	memcpy(text, prefix, strlen(prefix));
	memset(text + strlen(prefix), digit, count);
	return str_make(text, strlen(prefix) + count);
}

START_TEST(test_int_of_4300_digits)
{
	ContextValue value;

	ck_assert(py_int(digits("", '1', 4300), &value));
	ck_assert_uint_eq(value.digits.len, 4300);
	ck_assert(py_int(digits("-", '1', 4300), &value));
	ck_assert_uint_eq(value.digits.len, 4301);
	ck_assert(!py_int(digits("", '1', 4301), &value));
	/* leading zeros count, underscores do not */
	ck_assert(!py_int(digits("", '0', 4301), &value));
	ck_assert(py_int(digits("1_1_", '1', 4298), &value));
}
END_TEST

/* float(text), as repr() writes the result; NULL where it raises ValueError. */
static const struct
{
	const char *text;
	const char *result;
} floats[] = {
	{"0", "0.0"},
	{"-0", "-0.0"},
	{"1", "1.0"},
	{"1.5", "1.5"},
	{"+1.5", "1.5"},
	{" 1.5\n", "1.5"},
	{"1.", "1.0"},
	{".", NULL},
	{".5", "0.5"},
	{"-.5", "-0.5"},
	{"1e5", "100000.0"},
	{"1E+5", "100000.0"},
	{"1e-5", "1e-05"},
	{"1e", NULL},
	{"e5", NULL},
	{"1e5.0", NULL},
	{"1_0.2_5", "10.25"},
	{"1_.5", NULL},
	{"1._5", NULL},
	{"1_e5", NULL},
	{"1e_5", NULL},
	{"1e1_0", "10000000000.0"},
	{"nan", "nan"},
	{"-NaN", "nan"},
	{"inf", "inf"},
	{"-Infinity", "-inf"},
	{"+iNf", "inf"},
	{"infinit", NULL},
	{"nan(1)", NULL},
	{"0x1p3", NULL},
	{"1e400", "inf"},
	{"-1e400", "-inf"},
	{"1e-400", "0.0"},
	{"4.9e-324", "5e-324"},
	{"2.4703282292062327e-324", "0.0"},
	{"2.4703282292062328e-324", "5e-324"},
	{"9007199254740993", "9007199254740992.0"},
	{"9007199254740992.99", "9007199254740992.0"},
	{"1.7976931348623157e308", "1.7976931348623157e+308"},
	{"1.7976931348623159e308", "inf"},
	{"\xd9\xa3.\xd9\xa5", "3.5"},
	{"\xe2\x80\x83"
     "1.5\xe2\x80\x83",
     "1.5"},
	{"\x1f"
     "1.5",
     NULL},
	{"1,5", NULL},
	{"", NULL},
	{"1.5f", NULL},
	{"\xef\xbc\x91\xef\xbd\x85\xef\xbc\x95", NULL},
};

START_TEST(test_float)
{
	double number;
	char buffer[32];
	bool valid = py_float(exact(floats[_i].text), &number);

	ck_assert_msg(valid == (floats[_i].result != NULL), "float(%s)", floats[_i].text);
	if (!valid)
		return;
	buffer[py_float_repr(number, buffer)] = '\0';
	ck_assert_str_eq(buffer, floats[_i].result);
}
END_TEST

START_TEST(test_float_of_many_digits)
{
	double number;

	ck_assert(py_float(digits("0.", '0', 100000), &number));
	ck_assert_double_eq(number, 0.0);
	ck_assert(py_float(digits("", '9', 100000), &number));
	ck_assert(isinf(number));
}
END_TEST

/* repr(number) */
static const struct
{
	double number;
	const char *text;
} reprs[] = {
	{0.0, "0.0"},
	{-0.0, "-0.0"},
	{1.0, "1.0"},
	{-1.5, "-1.5"},
	{0.1, "0.1"},
	{100.0, "100.0"},
	{123456.789, "123456.789"},
	{0.0001, "0.0001"},
	{0.00012345, "0.00012345"},
	{1e-05, "1e-05"},
	{1.5e-05, "1.5e-05"},
	{9999999999999998.0, "9999999999999998.0"},
	{1000000000000000.0, "1000000000000000.0"},
	{1e+16, "1e+16"},
	{1.2345678901234568e+16, "1.2345678901234568e+16"},
	{1.2345678901234567e+19, "1.2345678901234567e+19"},
	{1e+22, "1e+22"},
	{1e+23, "1e+23"},
	{9.5e+22, "9.5e+22"},
	{1e+24, "1e+24"},
	{5e-324, "5e-324"},
	{2.2250738585072014e-308, "2.2250738585072014e-308"},
	{1.7976931348623157e+308, "1.7976931348623157e+308"},
	{9007199254740992.0, "9007199254740992.0"},
	{1e+100, "1e+100"},
	{1.2e-100, "1.2e-100"},
	{1.23e-05, "1.23e-05"},
	{0.30000000000000004, "0.30000000000000004"},
	{2e+16, "2e+16"},
	{5e+22, "5e+22"},
	{-1e+23, "-1e+23"},
	{8.41e+21, "8.41e+21"},
	{9007199254740994.0, "9007199254740994.0"},
	{4503599627370496.0, "4503599627370496.0"},
	{INFINITY, "inf"},
	{-INFINITY, "-inf"},
	{NAN, "nan"},
};

START_TEST(test_repr)
{
	char buffer[32];
	int length = py_float_repr(reprs[_i].number, buffer);

	ck_assert_str_eq(pnstrdup(buffer, length), reprs[_i].text);
}
END_TEST

/* However a float is written, it reads back as itself, in as many digits as it needs. */
START_TEST(test_repr_reads_back)
{
	for (int exponent = -1074; exponent < 1024; exponent++)
	{
		double number = ldexp(1.0, exponent);
		double neighbours[] = {number, nextafter(number, 0), nextafter(number, INFINITY)};

		for (size_t i = 0; i < lengthof(neighbours); i++)
		{
			char buffer[32];

			buffer[py_float_repr(neighbours[i], buffer)] = '\0';
			ck_assert_double_eq(strtod(buffer, NULL), neighbours[i]);
			ck_assert_uint_le(strlen(buffer), 24);
		}
	}
}
END_TEST

/* a % b; zeros with their sign */
static const struct
{
	double a;
	double b;
	double result;
} modulos[] = {
	{-1.0, 3.0, 2.0},
	{4.0, -3.0, -2.0},
	{5.5, 2.0, 1.5},
	{-5.5, 2.0, 0.5},
	{5.5, -2.0, -0.5},
	{6.0, 3.0, 0.0},
	{-6.0, 3.0, 0.0},
	{6.0, -3.0, -0.0},
	{0.0, -3.0, -0.0},
	{-0.0, 3.0, 0.0},
	{1.0, INFINITY, 1.0},
	{-1.0, INFINITY, INFINITY},
	{1.0, -INFINITY, -INFINITY},
	{1e+300, 7.0, 1.0},
	{5e-324, 3.0, 5e-324},
	{-5e-324, 3.0, 3.0},
	{0.3, 0.1, 0.09999999999999998},
	{-1e-20, 3.0, 3.0},
};

START_TEST(test_modulo)
{
	double result = py_modulo(modulos[_i].a, modulos[_i].b);

	ck_assert_double_eq(result, modulos[_i].result);
	ck_assert(!signbit(result) == !signbit(modulos[_i].result));
}
END_TEST

START_TEST(test_modulo_of_no_number)
{
	ck_assert(isnan(py_modulo(INFINITY, 3)));
	ck_assert(isnan(py_modulo(NAN, 3)));
	ck_assert(isnan(py_modulo(1, NAN)));
}
END_TEST

/* float(int(text)), as repr() writes it; NULL where it raises OverflowError. */
static const struct
{
	const char *text;
	const char *result;
} conversions[] = {
	{"0", "0.0"},
	{"9007199254740993", "9007199254740992.0"},
	{"-9007199254740993", "-9007199254740992.0"},
	{"9223372036854775807", "9.223372036854776e+18"},
	{"-9223372036854775808", "-9.223372036854776e+18"},
	{"9223372036854775808", "9.223372036854776e+18"},
	{"18014398509481985", "1.8014398509481984e+16"},
	{"36028797018963970", "3.602879701896397e+16"},
	{"100000000000000000000000", "1e+23"},
	{"10000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000000000000000",
     "1e+308"},
	{"17976931348623157000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000000000000000",
     "1.7976931348623157e+308"},
	{"-1000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000",
     "-1e+308"},
	{"17976931348623158079372897140530341507993413271003782693617377898044496829276475094"
     "66490179775872070963302864166928879109465555478519404026306574886715058206819089020"
     "00708383676273854845817711531764475730270069855571366959622842914819860834936475292"
     "719074168444365510704342711559699508093042880177904174497791",
     "1.7976931348623157e+308"},
	{"17976931348623158079372897140530341507993413271003782693617377898044496829276475094"
     "66490179775872070963302864166928879109465555478519404026306574886715058206819089020"
     "00708383676273854845817711531764475730270069855571366959622842914819860834936475292"
     "719074168444365510704342711559699508093042880177904174497792",
     NULL},
	{"-1000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000",
     NULL},
};

START_TEST(test_int_to_float)
{
	ContextValue value;
	double number;
	char buffer[32];
	bool valid;

	ck_assert(py_int(exact(conversions[_i].text), &value));
	valid = py_int_to_float(&value, &number);
	ck_assert(valid == (conversions[_i].result != NULL));
	if (!valid)
		return;
	buffer[py_float_repr(number, buffer)] = '\0';
	ck_assert_str_eq(buffer, conversions[_i].result);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pynumber");
	TCase *tcase = tcase_create("pynumber");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_int, 0, lengthof(ints));
	tcase_add_loop_test(tcase, test_float, 0, lengthof(floats));
	tcase_add_loop_test(tcase, test_repr, 0, lengthof(reprs));
	tcase_add_loop_test(tcase, test_modulo, 0, lengthof(modulos));
	tcase_add_loop_test(tcase, test_int_to_float, 0, lengthof(conversions));
	tcase_add_test(tcase, test_int_of_4300_digits);
	tcase_add_test(tcase, test_float_of_many_digits);
	tcase_add_test(tcase, test_repr_reads_back);
	tcase_add_test(tcase, test_modulo_of_no_number);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
