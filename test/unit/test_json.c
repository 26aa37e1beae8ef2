/*
 * JSON as a tree.
 */
#include "support.h"

#include "lib/stringinfo.h"

/* The names of an object's members in their order, with commas between. */
static char *
names_of(const JsonValue *object)
{
	char *names = pstrdup("");

	for (uint32 i = 0; i < object->count; i++)
		names = psprintf("%s%s%s", names, i == 0 ? "" : ",",
		                 support_cstring(object->members[i].name));
	return names;
}

static void
assert_equal(const JsonValue *a, const JsonValue *b)
{
	ck_assert_int_eq(a->type, b->type);
	ck_assert(str_equal(a->raw, b->raw));
	if (a->type == JSON_BOOL)
		ck_assert(a->boolean == b->boolean);
	if (a->type == JSON_STRING)
		ck_assert(str_equal(a->string, b->string));
	if (a->type != JSON_ARRAY && a->type != JSON_OBJECT)
		return;
	ck_assert_uint_eq(a->count, b->count);
	for (uint32 i = 0; i < a->count; i++)
		if (a->type == JSON_ARRAY)
			assert_equal(&a->elements[i], &b->elements[i]);
		else
		{
			ck_assert(str_equal(a->members[i].name, b->members[i].name));
			assert_equal(&a->members[i].value, &b->members[i].value);
		}
}

START_TEST(test_scalars)
{
	JsonValue value = support_parse("[null, true, false, 12, 'text', [], {}]");
	static const JsonType types[] = {JSON_NULL,   JSON_BOOL,  JSON_BOOL,  JSON_NUMBER,
	                                 JSON_STRING, JSON_ARRAY, JSON_OBJECT};

	ck_assert_int_eq(value.type, JSON_ARRAY);
	ck_assert_uint_eq(value.count, lengthof(types));
	for (int i = 0; i < (int) lengthof(types); i++)
		ck_assert_int_eq(value.elements[i].type, types[i]);
	ck_assert(value.elements[1].boolean);
	ck_assert(!value.elements[2].boolean);
	ck_assert(str_equal(value.elements[4].string, STR("text")));
	ck_assert_uint_eq(value.elements[5].count, 0);
	ck_assert_uint_eq(value.elements[6].count, 0);
}
END_TEST

/* A document, and what is its value's own text. */
static const struct
{
	const char *json;
	const char *raw;
} lone[] = {
	{"null", "null"},
	{" true\n", "true"},
	{"\t-1.50E+2 ", "-1.50E+2"},
	{" 'a b' ", "\"a b\""},
	{"\r\n[1, 2 ] ", "[1, 2 ]"},
	{" { } ", "{ }"},
	{"'\\u0041'", "\"\\u0041\""},
	{" {'a' : [ ]}", "{\"a\" : [ ]}"},
};

START_TEST(test_lone_value)
{
	ck_assert_str_eq(support_cstring(support_parse(lone[_i].json).raw), lone[_i].raw);
}
END_TEST

static const char *const numbers[] = {
	"0",   "-0",    "0.0",       "1.0",   "1.00",
	"1e2", "1E+02", "-1.5e-300", "1e400", "123456789012345678901234567890.000",
};

START_TEST(test_number_stays_as_written)
{
	JsonValue value =
		support_parse(psprintf("[%s, {'a': %s }]", numbers[_i], numbers[_i]));

	ck_assert_str_eq(support_cstring(value.elements[0].raw), numbers[_i]);
	ck_assert_str_eq(support_cstring(value.elements[1].members[0].value.raw),
	                 numbers[_i]);
	ck_assert_str_eq(support_cstring(support_parse(numbers[_i]).raw), numbers[_i]);
}
END_TEST

START_TEST(test_raw)
{
	JsonValue value = support_parse(" {'a' : [ 1 , {'b':'\\n'} ] , 'c': null }");
	const JsonValue *a = json_get(&value, STR("a"));

	ck_assert_str_eq(support_cstring(value.raw),
	                 "{\"a\" : [ 1 , {\"b\":\"\\n\"} ] , \"c\": null }");
	ck_assert_str_eq(support_cstring(a->raw), "[ 1 , {\"b\":\"\\n\"} ]");
	ck_assert_str_eq(support_cstring(a->elements[1].raw), "{\"b\":\"\\n\"}");
	ck_assert_str_eq(support_cstring(a->elements[1].members[0].value.raw), "\"\\n\"");
	ck_assert_str_eq(support_cstring(json_get(&value, STR("c"))->raw), "null");
}
END_TEST

static const struct
{
	const char *json;
	const char *string;
} strings[] = {
	{"''", ""},
	{"'\\\"\\\\\\/\\b\\f\\n\\r\\t'", "\"\\/\b\f\n\r\t"},
	{"'\\u0041\\u00e9\\u00E9'", "A\xc3\xa9\xc3\xa9"},
	{"'\\u20ac'", "\xe2\x82\xac"},
	{"'\\ud83d\\ude00'", "\xf0\x9f\x98\x80"},
	{"'\\uD83D\\uDE00x'", "\xf0\x9f\x98\x80x"},
	{"'caf\xc3\xa9 \xf0\x9f\x98\x80'", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
	{"'\\u0001'", "\x01"},
	{"'\\\\u0000'", "\\u0000"},
	{"'\\\"'", "\""},
	{"'\\\\'", "\\"},
	{"'\\\\\\\"a'", "\\\"a"},
	{"'\\\"\\\\'", "\"\\"},
	{"' : '", " : "},
};

START_TEST(test_escapes)
{
	const char *json = strings[_i].json;
	JsonValue object = support_parse(psprintf("{ 'x': %s,%s \n:\t%s}", json, json, json));

	ck_assert_uint_eq(object.count, 2);
	ck_assert_str_eq(support_cstring(object.members[0].value.string), strings[_i].string);
	ck_assert_str_eq(support_cstring(object.members[1].name), strings[_i].string);
	ck_assert_str_eq(support_cstring(object.members[1].value.string), strings[_i].string);
	ck_assert_str_eq(support_cstring(support_parse(strings[_i].json).string),
	                 strings[_i].string);
}
END_TEST

START_TEST(test_order)
{
	JsonValue value = support_parse("{'b': 1, 'a': 2, '10': 3, '': 4, '9': 5, 'B': 6}");

	ck_assert_str_eq(names_of(&value), "b,a,10,,9,B");
}
END_TEST

/* Objects with names that repeat, the names that are left, and their values. */
static const struct
{
	const char *json;
	const char *names;
	const char *values;
} repeated[] = {
	{"{'a': 1, 'a': 2}", "a", "2"},
	{"{'a': 1, 'b': 2, 'a': 3}", "a,b", "32"},
	{"{'a': 1, 'b': 2, 'b': 3, 'a': 4, 'c': 5, 'b': 6}", "a,b,c", "465"},
	{"{'a': 1, '\\u0061': 2}", "a", "2"},
	{"{'': 1, 'a': 2, '': 3}", ",a", "32"},
	/* more than a few */
	{"{'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 1, 'f': 1, 'g': 1, 'h': 1, 'i': 1}",
     "a,b,c,d,e,f,g,h,i", "111111111"},
	{"{'i': 1, 'h': 1, 'g': 1, 'f': 1, 'e': 1, 'd': 1, 'c': 1, 'b': 1, 'a': 1, 'f': 2,"
     " 'j': 1, 'i': 3, 'f': 4}",
     "i,h,g,f,e,d,c,b,a,j", "3114111111"},
};

START_TEST(test_last_of_equal_names_counts)
{
	JsonValue value = support_parse(repeated[_i].json);
	char *values = pstrdup("");

	for (uint32 i = 0; i < value.count; i++)
		values = psprintf("%s%s", values, support_cstring(value.members[i].value.raw));
	ck_assert_str_eq(names_of(&value), repeated[_i].names);
	ck_assert_str_eq(values, repeated[_i].values);
}
END_TEST

/* 50,000 names, each of them three times. */
START_TEST(test_many_equal_names)
{
	int count = 50000;
	StringInfoData text;
	JsonValue value;
	EngineError error;

	initStringInfo(&text);
	appendStringInfoString(&text, "{\"first\": 0");
	for (int i = 0; i < 3 * count; i++)
		appendStringInfo(&text, ",\"n%d\": [%d]", i * 7919 % count, i);
	appendStringInfoChar(&text, '}');
	ck_assert(json_parse(str_make(text.data, text.len), &value, &error));
	ck_assert_uint_eq(value.count, count + 1);
	for (int i = 0; i < count; i++)
	{
		const JsonMember *member = &value.members[i + 1];

		ck_assert_str_eq(support_cstring(member->name),
		                 psprintf("n%d", (int) ((int64) i * 7919 % count)));
		ck_assert_str_eq(support_cstring(member->value.elements[0].raw),
		                 psprintf("%d", i + 2 * count));
	}
}
END_TEST

START_TEST(test_get)
{
	JsonValue value = support_parse("{'a': 1, 'ab': 2, '': 3}");
	JsonValue array = support_parse("['a']");

	ck_assert_str_eq(support_cstring(json_get(&value, STR("ab"))->raw), "2");
	ck_assert_str_eq(support_cstring(json_get(&value, STR(""))->raw), "3");
	ck_assert_ptr_null(json_get(&value, STR("b")));
	ck_assert_ptr_null(json_get(&value, STR("abc")));
	ck_assert_ptr_null(json_get(&array, STR("a")));
	ck_assert_ptr_null(json_get(&array.elements[0], STR("")));
}
END_TEST

static const char copied[] =
	"[null, true, 1.50, 'a\\u00e9', ['x', []], {}, {'n': {'a\\tb': [{'c':"
	" 'd'}, 'e']}, 'm': 7, 'n': 'last'} ]";

START_TEST(test_copy_stands_alone)
{
	JsonValue expected = support_parse(copied);
	JsonValue source = support_parse(copied);
	JsonValue copy = json_copy(&source);

	support_wipe(&source);
	assert_equal(&copy, &expected);
}
END_TEST

START_TEST(test_copy_of_a_part)
{
	JsonValue expected = support_parse(copied);

	for (uint32 i = 0; i < expected.count; i++)
	{
		JsonValue source = support_parse(copied);
		JsonValue copy = json_copy(&source.elements[i]);

		support_wipe(&source);
		assert_equal(&copy, &expected.elements[i]);
	}
}
END_TEST

START_TEST(test_big_array)
{
	int count = 1000000;
	char *text = psprintf("[0%s]", support_repeat(",1", count - 1));
	JsonValue value = support_parse(text);

	ck_assert_uint_eq(value.count, count);
	ck_assert_str_eq(support_cstring(value.elements[0].raw), "0");
	for (int i = 1; i < count; i++)
		ck_assert(value.elements[i].type == JSON_NUMBER &&
		          value.elements[i].raw.len == 1);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("json");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_scalars);
	tcase_add_loop_test(tcase, test_lone_value, 0, lengthof(lone));
	tcase_add_loop_test(tcase, test_number_stays_as_written, 0, lengthof(numbers));
	tcase_add_test(tcase, test_raw);
	tcase_add_loop_test(tcase, test_escapes, 0, lengthof(strings));
	tcase_add_test(tcase, test_order);
	tcase_add_loop_test(tcase, test_last_of_equal_names_counts, 0, lengthof(repeated));
	tcase_add_test(tcase, test_many_equal_names);
	tcase_add_test(tcase, test_get);
	tcase_add_test(tcase, test_copy_stands_alone);
	tcase_add_test(tcase, test_copy_of_a_part);
	tcase_add_test(tcase, test_big_array);
	return support_run("json", tcase);
}
