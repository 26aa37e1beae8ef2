/*
 * Characters as Python 3.11 sees them.
 */
#include "engine/platform.h"

#include <check.h>

#include "engine/unicode.h"

static const struct
{
	uint32 character;
	bool space;
	int digit;
	bool printable;
} characters[] = {
	{0x0001, false, -1, false},   {0x0009, true, -1, false},   {0x000D, true, -1, false},
	{0x001B, false, -1, false},   {0x001C, true, -1, false},   {0x001F, true, -1, false},
	{0x0020, true, -1, true},     {0x0030, false, 0, true},    {0x0039, false, 9, true},
	{0x0041, false, -1, true},    {0x007E, false, -1, true},   {0x007F, false, -1, false},
	{0x0085, true, -1, false},    {0x009F, false, -1, false},  {0x00A0, true, -1, false},
	{0x00A1, false, -1, true},    {0x00AD, false, -1, false},  {0x00B2, false, -1, true},
	{0x00E9, false, -1, true},    {0x0378, false, -1, false},  {0x0660, false, 0, true},
	{0x0669, false, 9, true},     {0x066A, false, -1, true},   {0x0966, false, 0, true},
	{0x1680, true, -1, false},    {0x180E, false, -1, false},  {0x2000, true, -1, false},
	{0x200A, true, -1, false},    {0x200B, false, -1, false},  {0x2028, true, -1, false},
	{0x202F, true, -1, false},    {0x205F, true, -1, false},   {0x2160, false, -1, true},
	{0x3000, true, -1, false},    {0x4E00, false, -1, true},   {0xD7A3, false, -1, true},
	{0xD800, false, -1, false},   {0xE000, false, -1, false},  {0xFEFF, false, -1, false},
	{0xFF10, false, 0, true},     {0xFFFF, false, -1, false},  {0x10000, false, -1, true},
	{0x1D7CE, false, 0, true},    {0x1D7FF, false, 9, true},   {0x1F600, false, -1, true},
	{0x1FBF9, false, 9, true},    {0xE0001, false, -1, false}, {0xE0100, false, -1, true},
	{0x10FFFF, false, -1, false},
};

START_TEST(test_character)
{
	uint32 character = characters[_i].character;

	ck_assert(unicode_is_space(character) == characters[_i].space);
	ck_assert_int_eq(unicode_digit(character), characters[_i].digit);
	ck_assert(unicode_is_printable(character) == characters[_i].printable);
}
END_TEST

/* The tables as a whole, against Unicode 14's figures. */
START_TEST(test_how_many)
{
	int spaces = 0;
	int digits = 0;
	int printable = 0;

	for (uint32 character = 0; character < 0x110000; character++)
	{
		spaces += unicode_is_space(character);
		digits += unicode_digit(character) >= 0;
		printable += unicode_is_printable(character);
	}
	ck_assert_int_eq(spaces, 29);
	ck_assert_int_eq(digits, 660);
	ck_assert_int_eq(printable, 144516);
}
END_TEST

START_TEST(test_encode_and_next)
{
	for (uint32 character = 0; character < 0x110000; character++)
	{
		char bytes[4];
		Str text = str_make(bytes, unicode_encode(character, bytes));
		uint32 at = 0;

		ck_assert_uint_eq(unicode_next(text, &at), character);
		ck_assert_uint_eq(at, text.len);
	}
}
END_TEST

/* Bytes that are no UTF-8. */
static const char *const broken[] = {"\x80",
                                     "\xbf",
                                     "\xc3",
                                     "\xc1\x81",
                                     "\xe2\x82",
                                     "\xf0\x9f\x98",
                                     "\xf5\x80\x80\x80",
                                     "\xff",
                                     "\xc3\x28",
                                     "\xe2\x28\xa1"};

START_TEST(test_broken)
{
	size_t length = strlen(broken[_i]);
	char *copy = malloc(length);
	uint32 at = 0;

	memcpy(copy, broken[_i], length);
	ck_assert_uint_eq(unicode_next(str_make(copy, length), &at), UNICODE_INVALID);
	ck_assert_uint_eq(at, 1);
	free(copy);
}
END_TEST

START_TEST(test_ascii)
{
	ck_assert(unicode_is_ascii(STR("")));
	ck_assert(unicode_is_ascii(STR("a\x7f")));
	ck_assert(!unicode_is_ascii(STR("a\xc3\xa9")));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("unicode");
	TCase *tcase = tcase_create("unicode");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_character, 0, lengthof(characters));
	tcase_add_loop_test(tcase, test_broken, 0, lengthof(broken));
	tcase_add_test(tcase, test_how_many);
	tcase_add_test(tcase, test_encode_and_next);
	tcase_add_test(tcase, test_ascii);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
