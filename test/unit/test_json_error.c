/*
 * What is no JSON, and how deep JSON may be nested.
 */
#include "support.h"

#define INVALID "invalid JSON"
#define NUL "the escape \\u0000 cannot be converted to text"
#define SURROGATE "a Unicode surrogate escape lacks its other half"

/*
 * A text, and the path of the innermost value that was begun: that of a token that cannot
 * be read is its container's, as the value begins with the token.
 */
static const struct
{
	const char *json;
	const char *path;
	const char *message;
} errors[] = {
	{"", "$", INVALID},
	{" \n", "$", INVALID},
	{"nul", "$", INVALID},
	{"NaN", "$", INVALID},
	{"True", "$", INVALID},
	{"01", "$", INVALID},
	{"+1", "$", INVALID},
	{"1.", "$", INVALID},
	{".5", "$", INVALID},
	{"1e", "$", INVALID},
	{"-", "$", INVALID},
	{"1 2", "$", INVALID},
	{"[] []", "$", INVALID},
	{"]", "$", INVALID},
	{"}", "$", INVALID},
	{":", "$", INVALID},
	{"'a", "$", INVALID},
	{"'a\\", "$", INVALID},
	{"'a\\u12", "$", INVALID},
	{"'\\u12g4'", "$", INVALID},
	{"'\\x41'", "$", INVALID},
	{"'a\nb'", "$", INVALID},
	{"[", "$[0]", INVALID},
	{"[1", "$", INVALID},
	{"[1, ", "$[1]", INVALID},
	{"[1,]", "$[1]", INVALID},
	{"[1 2]", "$", INVALID},
	{"[1}", "$", INVALID},
	{"[[1], [2, ]]", "$[1][1]", INVALID},
	{"{", "$", INVALID},
	{"{'a'", "$", INVALID},
	{"{'a' 1}", "$", INVALID},
	{"{'a':", "$.a", INVALID},
	{"{'a': }", "$.a", INVALID},
	{"{'a': 1", "$", INVALID},
	{"{'a': 1,}", "$", INVALID},
	{"{'a': 1, 'b': ]}", "$.b", INVALID},
	{"{1: 2}", "$", INVALID},
	{"{'a': [1, {'b c': [}]}", "$.a[1]['b c'][0]", INVALID},
	{"{'a': [1, {'b': tru}]}", "$.a[1]", INVALID},
	{"{'a': {'x': 1}, 'b': {'y': 1 'z': 2}}", "$.b", INVALID},
	{"'\\u0000'", "$", NUL},
	{"['a', 'b\\u0000']", "$", NUL},
	{"{'a': {'b': '\\u0000'}}", "$.a", NUL},
	{"{'a': {'\\u0000': 1}}", "$.a", NUL},
	{"'\\ud800'", "$", SURROGATE},
	{"'\\udc00'", "$", SURROGATE},
	{"'\\ud800x'", "$", SURROGATE},
	{"'\\ud800\\n'", "$", SURROGATE},
	{"'\\ud800\\u0041'", "$", SURROGATE},
	{"'\\ud800\\ud800'", "$", SURROGATE},
	{"'\\udc00\\ud800'", "$", SURROGATE},
	{"{'a': [{}, [0, '\\udfff']]}", "$.a[1]", SURROGATE},
};

START_TEST(test_error)
{
	JsonValue value;
	EngineError error;

	ck_assert_msg(!json_parse(support_quote(errors[_i].json), &value, &error),
	              "%s is no JSON", errors[_i].json);
	support_check_error(&error, ENGINE_INVALID_JSON, errors[_i].path, errors[_i].message);
}
END_TEST

START_TEST(test_nul_byte)
{
	JsonValue value;
	EngineError error;

	ck_assert(!json_parse(STR("\0"), &value, &error));
	ck_assert(!json_parse(STR("1\0"), &value, &error));
	ck_assert(!json_parse(STR("\"a\0b\""), &value, &error));
	ck_assert(!json_parse(STR("[1,\0 2]"), &value, &error));
}
END_TEST

/* All that a document can be cut to, in memory that ends there. */
START_TEST(test_every_beginning)
{
	Str text = support_quote(
		"{'a\\u00e9\xc3\xa9': [1.5e3, true, null, {'b': '\\ud83d\\ude00'}]}");
	JsonValue value;
	EngineError error;

	for (uint32 len = 0; len <= text.len; len++)
	{
		char *copy = malloc(Max(len, 1));

		memcpy(copy, text.data, len);
		ck_assert_msg(json_parse(str_make(copy, len), &value, &error) ==
		                  (len == text.len),
		              "%u bytes", len);
		free(copy);
	}
}
END_TEST

static const struct
{
	const char *open;
	const char *close;
} nests[] = {
	{"[", "]"},
	{"{'a': ", "}"},
	{"[{}, ", ", 3]"},
	{"{'b': '\\\\', 'a': ", ", 'c': '\\\"['}"},
};

/* Returns count values, one in the other. */
static Str
nest(int which, int count)
{
	return support_quote(psprintf("%s0%s", support_repeat(nests[which].open, count),
	                              support_repeat(nests[which].close, count)));
}

START_TEST(test_depth)
{
	JsonValue value;
	EngineError error;
	int depth = 0;
	/* there is one value more in the innermost {} */
	int levels = JSON_MAX_DEPTH - (strchr(nests[_i].open + 1, '}') != NULL);

	ck_assert(json_parse(nest(_i, levels), &value, &error));
	for (const JsonValue *at = &value; at->type != JSON_NUMBER; depth++)
		if (at->type == JSON_ARRAY)
			at = &at->elements[at->count == 3 ? 1 : 0];
		else
			at = json_get(at, STR("a"));
	ck_assert_int_eq(depth, levels);

	ck_assert(!json_parse(nest(_i, levels + 1), &value, &error));
	support_check_error(&error, ENGINE_TOO_DEEP, NULL,
	                    "JSON is nested deeper than 2000 levels");
}
END_TEST

START_TEST(test_far_too_deep)
{
	JsonValue value;
	EngineError error;
	int count = 3000000;

	ck_assert(!json_parse(nest(_i, count), &value, &error));
	ck_assert_int_eq(error.code, ENGINE_TOO_DEEP);
	/* nor without an end */
	ck_assert(!json_parse(support_quote(support_repeat(nests[_i].open, count)), &value,
	                      &error));
	ck_assert_int_eq(error.code, ENGINE_TOO_DEEP);
}
END_TEST

/* Neither brackets in strings nor those that are closed again nest anything. */
START_TEST(test_not_deep)
{
	JsonValue value;
	EngineError error;
	char *brackets = support_repeat("[{\\\"[\\\\", 3000);
	char *pairs = support_repeat("[{}],", 3000);

	ck_assert(json_parse(support_quote(psprintf("['%s', '%s']", brackets, brackets)),
	                     &value, &error));
	ck_assert_uint_eq(value.elements[1].string.len, 5 * 3000);
	ck_assert(json_parse(support_text(psprintf("[%s0]", pairs)), &value, &error));
	ck_assert_uint_eq(value.count, 3001);
}
END_TEST

/* A copy goes as deep as what it is made of. */
START_TEST(test_deep_copy)
{
	JsonValue value, copy;
	EngineError error;

	ck_assert(json_parse(nest(_i, JSON_MAX_DEPTH - 1), &value, &error));
	copy = json_copy(&value);
	ck_assert(str_equal(copy.raw, value.raw));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("json_error");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	tcase_add_test(tcase, test_nul_byte);
	tcase_add_test(tcase, test_every_beginning);
	tcase_add_loop_test(tcase, test_depth, 0, lengthof(nests));
	tcase_add_loop_test(tcase, test_far_too_deep, 0, lengthof(nests));
	tcase_add_test(tcase, test_not_deep);
	tcase_add_loop_test(tcase, test_deep_copy, 0, lengthof(nests));
	return support_run("json_error", tcase);
}
