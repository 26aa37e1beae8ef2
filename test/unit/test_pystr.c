/*
 * str(json.loads(text)), as Python 3.11 says it.
 */
#include "engine/platform.h"

#include <check.h>

#include "engine/pystr.h"

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
str_of(Str text)
{
	JsonValue value;
	EngineError error;
	StringInfoData buffer;

	ck_assert_msg(json_parse(text, &value, &error), "%.*s is JSON", (int) text.len,
	              text.data);
	initStringInfo(&buffer);
	py_str(&buffer, &value);
	return buffer.data;
}

static const struct
{
	const char *json;
	const char *text;
} texts[] = {
	{"null", "None"},
	{"true", "True"},
	{"false", "False"},
	{"0", "0"},
	{"-0", "0"},
	{"-0.0", "-0.0"},
	{"7", "7"},
	{"12345678901234567890123", "12345678901234567890123"},
	{"-12345678901234567890", "-12345678901234567890"},
	{"1.0", "1.0"},
	{"1e2", "100.0"},
	{"1E400", "inf"},
	{"-1e400", "-inf"},
	{"1e-7", "1e-07"},
	{"0.1", "0.1"},
	{"123456789012345678.0", "1.2345678901234568e+17"},
	{"\"\"", ""},
	{"\"a'b\"", "a'b"},
	{"[]", "[]"},
	{"{}", "{}"},
	{"[null, true, false, -0, 1.50, 1e16]", "[None, True, False, 0, 1.5, 1e+16]"},
	{"[\"a\"]", "['a']"},
	{"[\"it's\"]", "[\"it's\"]"},
	{"[\"say \\\"hi\\\"\"]", "['say \"hi\"']"},
	{"[\"it's \\\"x\\\"\"]", "['it\\'s \"x\"']"},
	{"[\"a\\\\b\"]", "['a\\\\b']"},
	{"[\"\\n\\r\\t\"]", "['\\n\\r\\t']"},
	{"[\"\\u0001\\u001f\\u007f\"]", "['\\x01\\x1f\\x7f']"},
	{"[\"\\u00e9\\u00a0\\u00ad\"]", "['\xc3\xa9\\xa0\\xad']"},
	{"[\"\\u0378\\u200b\\u2028\\ue000\\uffff\"]",
     "['\\u0378\\u200b\\u2028\\ue000\\uffff']"},
	{"[\"\\ud83d\\ude00\\udb40\\udc01\\udbff\\udfff\"]",
     "['\xf0\x9f\x98\x80\\U000e0001\\U0010ffff']"},
	{"[\"\xe6\x97\xa5\xe6\x9c\xac\"]", "['\xe6\x97\xa5\xe6\x9c\xac']"},
	{"{\"a\": [\"b\"]}", "{'a': ['b']}"},
	{"{\"a\": {\"b\": {\"c\": [1, \"2\"]}}, \"d'\": null}",
     "{'a': {'b': {'c': [1, '2']}}, \"d'\": None}"},
	{"{\"b\": 1, \"a\": 2}", "{'b': 1, 'a': 2}"},
	{"{\"a\": 1, \"b\": 2, \"a\": 3}", "{'a': 3, 'b': 2}"},
	{" [ 1 ,2 ] ", "[1, 2]"},
	{"[[], {}, [[]]]", "[[], {}, [[]]]"},
	{"[12345678901234567890123]", "[12345678901234567890123]"},
};

START_TEST(test_str)
{
	ck_assert_str_eq(str_of(exact(texts[_i].json)), texts[_i].text);
}
END_TEST

START_TEST(test_appends)
{
	JsonValue value = {.type = JSON_STRING, .string = STR("b")};
	StringInfoData buffer;

	initStringInfo(&buffer);
	appendStringInfoString(&buffer, "a");
	py_str(&buffer, &value);
	ck_assert_str_eq(buffer.data, "ab");
}
END_TEST

START_TEST(test_flags_are_an_empty_object)
{
	JsonValue value = {.type = JSON_FLAGS};
	StringInfoData buffer;

	initStringInfo(&buffer);
	py_str(&buffer, &value);
	ck_assert_str_eq(buffer.data, "{}");
}
END_TEST

START_TEST(test_deep)
{
	char text[2 * JSON_MAX_DEPTH];

	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	ck_assert_mem_eq(str_of(str_make(text, sizeof(text))), text, sizeof(text));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pystr");
	TCase *tcase = tcase_create("pystr");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_str, 0, lengthof(texts));
	tcase_add_test(tcase, test_appends);
	tcase_add_test(tcase, test_flags_are_an_empty_object);
	tcase_add_test(tcase, test_deep);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
