/*
 * Evaluation contexts in, evaluation results out.  The expected results are those of
 * Flagsmith's engine.
 */
#include "evaluated.h"

#include "engine/pystr.h"

/* Contexts, and their results as they are written. */
static const struct
{
	const char *context;
	const char *result;
} cases[] = {
	{"{}", "{'flags': {}, 'segments': []}"},
	{"{'environment': {'key': 'e', 'name': 'e'}, 'features': null, 'segments': null}",
     "{'flags': {}, 'segments': []}"},
	/* in the context's order, values as they were written */
	{"{'features': {'b': {'name': 'b', 'enabled': true, 'value': {'y': 1.50, 'x': [null "
     "]}},"
     " '10': {'name': '10', 'enabled': false, 'value': '\\u0041\\n'},"
     " '9': {'name': '9', 'enabled': false, 'value': 1E2}}}",
     "{'flags': {'b': {'enabled': true, 'name': 'b', 'reason': 'STATIC', 'value': {'y': "
     "1.50,"
     " 'x': [null ]}, 'variant': null}, '10': {'enabled': false, 'name': '10', 'reason':"
     " 'STATIC', 'value': '\\u0041\\n', 'variant': null}, '9': {'enabled': false, "
     "'name': '9',"
     " 'reason': 'STATIC', 'value': 1E2, 'variant': null}}, 'segments': []}"},
	/* metadata, where there is something in it */
	{"{'identity': {'identifier': 'i', 'key': 'k'}, 'features': {"
     "'a': {'name': 'a', 'enabled': true, 'value': null, 'metadata': {'id': 7}},"
     "'b': {'name': 'b', 'enabled': true, 'value': null, 'metadata': {}}}, 'segments': {"
     "'1': {'name': 's', 'key': '1', 'rules': [{'type': 'ALL'}], 'metadata': {'id': 8},"
     " 'overrides': [{'name': 'b', 'enabled': false, 'value': 2, 'metadata': 'm'}]},"
     "'2': {'name': 't', 'key': '2', 'rules': [], 'metadata': {'id': 9}},"
     "'3': {'name': 'u', 'key': '2', 'rules': [{'type': 'ALL'}], 'metadata': null}}}",
     "{'flags': {'a': {'enabled': true, 'name': 'a', 'reason': 'STATIC', 'value': null,"
     " 'variant': null, 'metadata': {'id': 7}}, 'b': {'enabled': false, 'name': 'b', "
     "'reason':"
     " 'TARGETING_MATCH; segment=s', 'value': 2, 'variant': null, 'metadata': 'm'}},"
     " 'segments': [{'name': 's', 'metadata': {'id': 8}}, {'name': 'u'}]}"},
	/* names that need escapes */
	{"{'features': {'a\\\"\\\\\\n': {'name': 'a\\\"\\\\\\n', 'enabled': true, 'value': "
     "1}},"
     " 'segments': {'s': {'name': 's\\t\\\"', 'key': 's', 'rules': [{'type': 'ALL'}],"
     " 'overrides': [{'name': 'a\\\"\\\\\\n', 'enabled': true, 'value': 2}]}}}",
     "{'flags': {'a\\\"\\\\\\n': {'enabled': true, 'name': 'a\\\"\\\\\\n', 'reason':"
     " 'TARGETING_MATCH; segment=s\\t\\\"', 'value': 2, 'variant': null}},"
     " 'segments': [{'name': 's\\t\\\"'}]}"},
	/* variants */
	{"{'identity': {'identifier': 'i', 'key': '93'}, 'features': {'a': {'name': 'a', "
     "'key': 12,"
     " 'enabled': true, 'value': 'control', 'variants': [{'value': 'big', 'weight': 72.5,"
     " 'priority': 2, 'key': '\\u0062ig'}, {'value': 'small', 'weight': 27.5, "
     "'priority': 1}]}}}",
     "{'flags': {'a': {'enabled': true, 'name': 'a', 'reason': 'SPLIT; weight=72.5', "
     "'value':"
     " 'big', 'variant': '\\u0062ig'}}, 'segments': []}"},
	/* a flag that conditions read under the name that it is listed under */
	{"{'features': {'x': {'name': 'a', 'enabled': true, 'value': 1}}, 'segments': "
     "{" SEGMENT("s", IS_ON("x"), OVERRIDE("a", "2")) "}}",
     "{'flags': {'a': {'enabled': true, 'name': 'a', 'reason': 'TARGETING_MATCH; "
     "segment=s',"
     " 'value': 2, 'variant': null}, 'x': {'enabled': true, 'name': 'a', 'reason': "
     "'STATIC',"
     " 'value': 1, 'variant': null}}, 'segments': [{'name': 's'}]}"},
	/* a circular dependency */
	{CONTEXT(FEATURE("a"), SEGMENT("s", IS_ON("a"), OVERRIDE("a", "1"))),
     "{'flags': {'a': {'enabled': false, 'name': 'a', 'reason': 'ERROR;"
     " code=CIRCULAR_DEPENDENCY', 'value': 0, 'variant': null}}, 'segments': []}"},
};

START_TEST(test_result)
{
	Evaluated *evaluated = evaluated_run(cases[_i].context);
	StringInfoData text;

	initStringInfo(&text);
	context_write_result(&text, &evaluated->result);
	ck_assert_str_eq(text.data, support_cstring(support_quote(cases[_i].result)));
}
END_TEST

/* What is written is JSON, and behind what was there before. */
START_TEST(test_result_is_json)
{
	Evaluated *evaluated = evaluated_run(cases[_i].context);
	StringInfoData text;
	JsonValue value;
	EngineError error;

	initStringInfo(&text);
	appendStringInfoString(&text, "[");
	context_write_result(&text, &evaluated->result);
	appendStringInfoString(&text, "]");
	ck_assert(json_parse(str_make(text.data, text.len), &value, &error));
	ck_assert_uint_eq(json_get(&value.elements[0], STR("flags"))->count,
	                  evaluated->result.nflags);
	ck_assert_uint_eq(json_get(&value.elements[0], STR("segments"))->count,
	                  evaluated->result.nsegments);
}
END_TEST

static const char *const absent[] = {
	"{}",
	"{'identity': null}",
	"{'identity': {}}",
	"{'environment': 1, 'identity': {}}",
};

START_TEST(test_no_identity)
{
	Evaluated *evaluated = evaluated_prepare(absent[_i]);

	ck_assert(!evaluated->has_identity);
}
END_TEST

/* Members of an identity, and the key that it is hashed with. */
static const struct
{
	const char *members;
	const char *hash_key;
	const char *key; /* as conditions see it */
	const char *names;
} keys[] = {
	{"'identifier': 'i', 'key': 'k'", "k", "k", "identifier,key"},
	{"'identifier': 'i'", "1.0_i", "1.0_i", "identifier,key"},
	{"'identifier': 'i', 'key': '', 'traits': {}", "1.0_i", "1.0_i",
     "identifier,key,traits"},
	{"'key': null, 'identifier': 'i'", "1.0_i", "1.0_i", "key,identifier"},
	{"'identifier': 'i', 'key': 0", "1.0_i", "1.0_i", "identifier,key"},
	{"'identifier': 'i', 'key': false", "1.0_i", "1.0_i", "identifier,key"},
	{"'identifier': ''", "1.0_", "1.0_", "identifier,key"},
	{"'identifier': 7", "1.0_7", "1.0_7", "identifier,key"},
	{"'identifier': null", "1.0_None", "1.0_None", "identifier,key"},
	{"'key': 'k'", "k", "k", "key"},
	{"'key': '007'", "007", "7", "key"},
	{"'key': '1.50'", "1.50", "1.5", "key"},
	{"'key': 7", "7", "7", "key"},
	{"'key': 1e2", "100.0", "100.0", "key"},
	{"'key': true", "True", "True", "key"},
	{"'key': ' '", " ", " ", "key"},
	{"'key': 'k', 'other': 1, 'key': 'last'", "last", "last", "key,other"},
};

START_TEST(test_key)
{
	Evaluated *evaluated = evaluated_prepare(
		psprintf("{'environment': {'key': 1.0}, 'identity': {%s}}", keys[_i].members));
	const JsonValue *json = evaluated->identity.json(evaluated->identity.argument);
	ContextValue key = value_coerce(evaluated->identity.key);
	char buffer[VALUE_TEXT_MAX];
	char *names = pstrdup("");

	ck_assert(evaluated->has_identity);
	ck_assert_str_eq(support_cstring(evaluated->identity.hash_key), keys[_i].hash_key);
	ck_assert_str_eq(support_cstring(value_text(&key, buffer)), keys[_i].key);
	/* queries see it at its place */
	for (uint32 i = 0; i < json->count; i++)
		names = psprintf("%s%s%s", names, i == 0 ? "" : ",",
		                 support_cstring(json->members[i].name));
	ck_assert_str_eq(names, keys[_i].names);
	ck_assert_str_eq(support_cstring(py_str_text(json_get(json, STR("key")))),
	                 keys[_i].hash_key);
}
END_TEST

/* A key that is given needs no environment. */
START_TEST(test_key_alone)
{
	Evaluated *evaluated = evaluated_prepare("{'identity': {'key': 'k'}}");

	ck_assert(evaluated->has_identity);
	ck_assert_int_eq(evaluated->identity.identifier.type, VALUE_NULL);
}
END_TEST

START_TEST(test_traits)
{
	Evaluated *evaluated = evaluated_prepare(
		"{'identity': {'key': 'k', 'traits': {'a': '007', 'b': [1], 'c': null, 'd': 1, "
		"'a': 'x'}},"
		" 'segments': {" SEGMENT("s",
	                             LIST(CONDITION("a", "IS_SET", ""),
	                                  CONDITION("b", "IS_SET", ""),
	                                  CONDITION("c", "IS_SET", "")),
	                             "") "}}");
	const Environment *environment = evaluated->environment;
	const Trait *traits = evaluated->identity.traits;
	const Trait *a = &traits[environment_trait(environment, STR("a"))];
	const Trait *b = &traits[environment_trait(environment, STR("b"))];
	JsonValue seven = support_parse("'007'"), null = support_parse("null");

	ck_assert_str_eq(support_cstring(a->value.string), "x");
	ck_assert(!a->nested && b->nested);
	ck_assert_str_eq(support_cstring(b->value.string), "[1]");
	ck_assert_int_eq(traits[environment_trait(environment, STR("c"))].value.type,
	                 VALUE_NULL);

	context_set_trait(environment, &evaluated->identity, STR("b"), &seven);
	ck_assert_int_eq(b->value.type, VALUE_INT);
	ck_assert_int_eq(b->value.integer, 7);
	ck_assert(!b->nested);
	context_set_trait(environment, &evaluated->identity, STR("a"), &null);
	ck_assert_int_eq(a->value.type, VALUE_NULL);
	/* what no condition reads is let go */
	context_set_trait(environment, &evaluated->identity, STR("d"), &seven);
	ck_assert_int_eq(environment_trait(environment, STR("d")), -1);
}
END_TEST

static const struct
{
	const char *context;
	const char *path;
	const char *message;
} errors[] = {
	{"{'identity': 'i'}", "$.identity", "expected an object or null, found a string"},
	{"{'identity': []}", "$.identity", "expected an object or null, found an array"},
	{"{'identity': {'key': ['k']}}", "$.identity.key",
     "expected a boolean, a number, a string or null, found an array"},
	{"{'identity': {'key': 'k', 'traits': []}}", "$.identity.traits",
     "expected an object or null, found an array"},
	{"{'identity': {'identifier': 'i'}}", "$", "member \"environment\" is missing"},
	{"{'environment': null, 'identity': {'identifier': 'i'}}", "$.environment",
     "expected an object, found null"},
	{"{'environment': {}, 'identity': {'identifier': 'i'}}", "$.environment",
     "member \"key\" is missing"},
	{"{'environment': {'key': 'e'}, 'identity': {'traits': {}}}", "$.identity",
     "member \"identifier\" is missing"},
};

START_TEST(test_error)
{
	Environment *environment = environment_create();
	JsonValue context = support_parse(errors[_i].context);
	Identity identity;
	bool present;
	EngineError error;

	ck_assert(environment_compile(environment, &context, &error));
	ck_assert(!context_identity(&context, environment, &identity, &present, &error));
	support_check_error(&error, ENGINE_MALFORMED, errors[_i].path, errors[_i].message);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("context");

	tcase_add_loop_test(tcase, test_result, 0, lengthof(cases));
	tcase_add_loop_test(tcase, test_result_is_json, 0, lengthof(cases));
	tcase_add_loop_test(tcase, test_no_identity, 0, lengthof(absent));
	tcase_add_loop_test(tcase, test_key, 0, lengthof(keys));
	tcase_add_test(tcase, test_key_alone);
	tcase_add_test(tcase, test_traits);
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	return support_run("context", tcase);
}
