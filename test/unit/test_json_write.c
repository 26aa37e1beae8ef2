/*
 * Writing JSON strings.
 */
#include "support.h"

#include "engine/json_write.h"

static char *
write(Str text)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	json_write_string(&buffer, text);
	return buffer.data;
}

static const struct
{
	Str text;
	const char *json;
} strings[] = {
	{STR_INIT(""), "\"\""},
	{STR_INIT("abc"), "\"abc\""},
	{STR_INIT("\""), "\"\\\"\""},
	{STR_INIT("\\"), "\"\\\\\""},
	{STR_INIT("/"), "\"/\""},
	{STR_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
	{STR_INIT("\0"), "\"\\u0000\""},
	{STR_INIT("\x01"), "\"\\u0001\""},
	{STR_INIT("\x0b"), "\"\\u000b\""},
	{STR_INIT("\x1f"), "\"\\u001f\""},
	{STR_INIT("\x7f"), "\"\x7f\""},
	{STR_INIT("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
	{STR_INIT("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\""},
	{STR_INIT("\"\""), "\"\\\"\\\"\""},
	{STR_INIT("\n\n"), "\"\\n\\n\""},
};

START_TEST(test_string)
{
	ck_assert_str_eq(write(strings[_i].text), strings[_i].json);
}
END_TEST

START_TEST(test_appends)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	appendStringInfoString(&buffer, "[");
	json_write_string(&buffer, STR("a"));
	json_write_string(&buffer, STR("b"));
	ck_assert_str_eq(buffer.data, "[\"a\"\"b\"");
	ck_assert_int_eq(buffer.len, 7);
}
END_TEST

/* What is written is read as what it was. */
START_TEST(test_is_read_back)
{
	char text[127];
	JsonValue value;
	EngineError error;

	for (int i = 0; i < (int) sizeof(text); i++)
		text[i] = i + 1;
	for (int len = 0; len <= (int) sizeof(text); len++)
	{
		Str expected = str_make(text + sizeof(text) - len, len);
		char *json = write(expected);

		ck_assert(json_parse(str_make(json, strlen(json)), &value, &error));
		ck_assert(str_equal(value.string, expected));
	}
}
END_TEST

START_TEST(test_reads_no_further)
{
	ck_assert_str_eq(write(support_text("ab")), "\"ab\"");
	ck_assert_str_eq(write(support_text("a\n")), "\"a\\n\"");
	ck_assert_str_eq(write(str_make("abc", 2)), "\"ab\"");
}
END_TEST

START_TEST(test_long)
{
	char *text = support_repeat("0123456789\n", 100000);

	ck_assert_str_eq(write(str_make(text, strlen(text))),
	                 psprintf("\"%s\"", support_repeat("0123456789\\n", 100000)));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("json_write");

	tcase_add_loop_test(tcase, test_string, 0, lengthof(strings));
	tcase_add_test(tcase, test_appends);
	tcase_add_test(tcase, test_is_read_back);
	tcase_add_test(tcase, test_reads_no_further);
	tcase_add_test(tcase, test_long);
	return support_run("json_write", tcase);
}
