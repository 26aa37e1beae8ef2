/*
 * Compiled environments.
 */
#include "support.h"

#include "engine/environment.h"

/* Compiles a context, and forgets it. */
static Environment *
compile(const char *json)
{
	Environment *environment = environment_create();
	JsonValue context = support_parse(json);
	EngineError error;

	if (!environment_compile(environment, &context, &error))
		ck_abort_msg("%s: %s at %s", json, error.message, error.path);
	support_wipe(&context);
	return environment;
}

#define assert_text(text, expected) ck_assert_str_eq(support_cstring(text), expected)

/* A feature, listed under a name, with a name of its own and a value. */
#define LISTED(listed, name, value)                                                      \
	"'" listed "': {'name': '" name "', 'enabled': true, 'value': '" value "'}"
#define FEATURE(name) LISTED(name, name, name)
#define OVERRIDE(name, value)                                                            \
	"{'name': '" name "', 'enabled': true, 'value': '" value "'}"
#define SEGMENT(listed, name, property, overrides)                                       \
	"'" listed "': {'name': '" name                                                      \
	"', 'key': '1', 'rules': [{'type': 'ALL', 'conditions': ["                           \
	"{'property': '" property "', 'operator': 'IS_SET'}]}], 'overrides': [" overrides    \
	"]}"

#define CONTEXT(features, segments)                                                      \
	"{'environment': {'name': [1.0]}, 'features': {" features                            \
	"}, 'segments': {" segments                                                          \
	"}, 'identity': {'identifier': 'i', 'traits': {'colour': 'red'}}}"

/* "name=value" of each output, with commas between. */
static char *
outputs_of(const Environment *environment)
{
	char *text = pstrdup("");

	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		const Output *output = &environment->outputs[i];

		ck_assert_int_eq(environment->flags[output->flag].output, i);
		text = psprintf("%s%s%s=%s", text, i == 0 ? "" : ",",
		                support_cstring(environment->flags[output->flag].name),
		                support_cstring(output->feature->value));
	}
	return text;
}

/* "segment=value" of each override of the flag, with commas between. */
static char *
overrides_of(const Environment *environment, const char *name)
{
	int64 number = strtable_find(environment->flag_names, support_text(name));
	const Flag *flag = &environment->flags[number];
	char *text = pstrdup("");

	for (uint32 i = 0; i < flag->noverrides; i++)
		text = psprintf(
			"%s%s%s=%s", text, i == 0 ? "" : ",",
			support_cstring(environment->segments[flag->overrides[i].segment].name),
			support_cstring(flag->overrides[i].feature->value));
	return text;
}

static const char *const empties[] = {
	"{}",
	"{'features': null, 'segments': null}",
	"{'features': {}, 'segments': {}}",
	"{'environment': 'e', 'identity': [], 'flags': 1, 'other': null}",
};

START_TEST(test_empty)
{
	Environment *environment = compile(empties[_i]);

	ck_assert_uint_eq(environment->nflags, 0);
	ck_assert_uint_eq(environment->nfeatures, 0);
	ck_assert_uint_eq(environment->noutputs, 0);
	ck_assert_uint_eq(environment->nsegments, 0);
	ck_assert_uint_eq(environment_ntraits(environment), 0);
	ck_assert(!environment->reads_flags && !environment->needs_root);
	ck_assert_ptr_null(environment_flag(environment, STR("a")));
	ck_assert_ptr_null(environment_segment(environment, STR("a")));
	environment_release(environment);
}
END_TEST

START_TEST(test_order)
{
	Environment *environment =
		compile(CONTEXT(LIST(FEATURE("b"), FEATURE("a"), FEATURE("10"), FEATURE("9")),
	                    LIST(SEGMENT("2", "y", "t", ""), SEGMENT("1", "x", "t", ""))));

	ck_assert_str_eq(outputs_of(environment), "b=\"b\",a=\"a\",10=\"10\",9=\"9\"");
	ck_assert_uint_eq(environment->nfeatures, 4);
	assert_text(environment->features[1].name, "a");
	ck_assert_uint_eq(environment->nsegments, 2);
	assert_text(environment->segments[0].name, "y");
	assert_text(environment->segments[1].name, "x");
}
END_TEST

/*
 * Features listed under other names than their own: a flag goes by its own name, at the
 * place of the first that has it, and its default is the one listed under that name.
 */
static const struct
{
	const char *features;
	const char *outputs;
} listings[] = {
	{LISTED("x", "a", "1"), "a=\"1\""},
	{LIST(LISTED("x", "a", "1"), LISTED("a", "a", "2")), "a=\"2\""},
	{LIST(LISTED("a", "a", "1"), LISTED("x", "a", "2")), "a=\"1\""},
	{LIST(LISTED("b", "a", "1"), LISTED("a", "b", "2")), "a=\"2\",b=\"1\""},
	{LIST(LISTED("x", "a", "1"), LISTED("b", "b", "2"), LISTED("a", "a", "3")),
     "a=\"3\",b=\"2\""},
	{LIST(LISTED("a", "b", "1"), LISTED("b", "c", "2"), LISTED("c", "a", "3")),
     "b=\"2\",c=\"3\",a=\"1\""},
	{LIST(LISTED("a", "a", "1"), LISTED("a", "a", "2")), "a=\"2\""},
	{LIST(LISTED("a", "a", "1"), FEATURE("b"), LISTED("a", "a", "2")), "a=\"2\",b=\"b\""},
};

START_TEST(test_listed_under_another_name)
{
	ck_assert_str_eq(
		outputs_of(compile(psprintf("{'features': {%s}}", listings[_i].features))),
		listings[_i].outputs);
}
END_TEST

START_TEST(test_overrides)
{
	Environment *environment = compile(CONTEXT(
		LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
		LIST(SEGMENT("2", "first", "t", LIST(OVERRIDE("b", "1"), OVERRIDE("a", "2"))),
	         SEGMENT("1", "second", "t",
	                 LIST(OVERRIDE("a", "3"), OVERRIDE("no feature", "4"))),
	         SEGMENT("3", "third", "t", LIST(OVERRIDE("a", "5"), OVERRIDE("a", "6"))))));

	ck_assert_str_eq(overrides_of(environment, "a"),
	                 "first=\"2\",second=\"3\",third=\"5\",third=\"6\"");
	ck_assert_str_eq(overrides_of(environment, "b"), "first=\"1\"");
	ck_assert_str_eq(overrides_of(environment, "c"), "");
	/* an override of what is no feature is known, but gives no flag */
	ck_assert_str_eq(overrides_of(environment, "no feature"), "second=\"4\"");
	ck_assert_uint_eq(environment->noutputs, 3);
	ck_assert_ptr_null(environment_flag(environment, STR("no feature")));
}
END_TEST

START_TEST(test_flag)
{
	Environment *environment =
		compile(CONTEXT(LIST(LISTED("x", "a", "1"), FEATURE("b")),
	                    SEGMENT("1", "s", "$.flags.read.enabled", "")));
	const Flag *flag = environment_flag(environment, STR("a"));

	ck_assert_ptr_nonnull(flag);
	assert_text(flag->name, "a");
	ck_assert_int_eq(flag->output, 0);
	flag = environment_flag(environment, STR("b"));
	assert_text(flag->feature->value, "\"b\"");
	ck_assert_int_eq(flag->output, 1);
	ck_assert_ptr_null(environment_flag(environment, STR("x")));
	ck_assert_ptr_null(environment_flag(environment, STR("read")));
	ck_assert_ptr_null(environment_flag(environment, STR("")));
}
END_TEST

START_TEST(test_segment)
{
	Environment *environment =
		compile(CONTEXT("", LIST(SEGMENT("a", "s", "t", ""), SEGMENT("b", "r", "t", ""),
	                             SEGMENT("c", "s", "t", ""))));

	ck_assert_ptr_eq(environment_segment(environment, STR("s")),
	                 &environment->segments[0]);
	ck_assert_ptr_eq(environment_segment(environment, STR("r")),
	                 &environment->segments[1]);
	ck_assert_ptr_null(environment_segment(environment, STR("a")));
}
END_TEST

START_TEST(test_traits)
{
	Environment *environment =
		compile(CONTEXT("", LIST(SEGMENT("1", "s", "plan", ""),
	                             SEGMENT("2", "t", "$.identity.traits.age", ""),
	                             SEGMENT("3", "u", "plan", ""))));

	/* the path itself may be a trait's name */
	ck_assert_uint_eq(environment_ntraits(environment), 3);
	ck_assert_int_ge(environment_trait(environment, STR("plan")), 0);
	ck_assert_int_ge(environment_trait(environment, STR("age")), 0);
	ck_assert_int_ge(environment_trait(environment, STR("$.identity.traits.age")), 0);
	ck_assert_int_eq(environment_trait(environment, STR("colour")), -1);
}
END_TEST

static const struct
{
	const char *property;
	bool reads_flags;
	bool needs_root;
} reads[] = {
	{"plan", false, false},
	{"$.environment.name", false, false},
	{"$.flags.a.enabled", true, false},
	{"$.identity.*", false, true},
	{"$..enabled", true, true},
};

/* One segment that reads flags or the context is enough. */
START_TEST(test_reads)
{
	Environment *environment = compile(
		psprintf(CONTEXT("", LIST(SEGMENT("1", "s", "t", ""), SEGMENT("2", "r", "%s", ""),
	                              SEGMENT("3", "q", "t", ""))),
	             reads[_i].property));

	ck_assert(environment->reads_flags == reads[_i].reads_flags);
	ck_assert(environment->needs_root == reads[_i].needs_root);
	ck_assert(!environment->segments[0].reads_flags);
	if (environment->needs_root)
		assert_text(
			json_get(&environment->root, STR("environment"))->members[0].value.raw,
			"[1.0]");
}
END_TEST

static const struct
{
	const char *json;
	const char *path;
	const char *message;
} errors[] = {
	{"[]", "$", "expected an object, found an array"},
	{"null", "$", "expected an object, found null"},
	{"{'features': []}", "$.features", "expected an object or null, found an array"},
	{"{'segments': 'all'}", "$.segments", "expected an object or null, found a string"},
	{CONTEXT(LIST(FEATURE("a"), "'b c': {'name': 'b'}"), ""), "$.features['b c']",
     "member \"enabled\" is missing"},
	{CONTEXT("'a': null", ""), "$.features.a", "expected an object, found null"},
	{CONTEXT(FEATURE("a"), "'1': {'name': 's', 'key': '1'}"), "$.segments['1']",
     "member \"rules\" is missing"},
	{CONTEXT("", LIST(SEGMENT("a", "s", "t", ""), SEGMENT("b", "s", "t", "{'name': 1}"))),
     "$.segments.b.overrides[0].name", "expected a string, found a number"},
};

START_TEST(test_error)
{
	Environment *environment = environment_create();
	JsonValue context = support_parse(errors[_i].json);
	EngineError error;

	ck_assert(!environment_compile(environment, &context, &error));
	support_check_error(&error, ENGINE_MALFORMED, errors[_i].path, errors[_i].message);
	environment_release(environment);
}
END_TEST

/* Of an environment that was never compiled, and of one with regular expressions. */
START_TEST(test_release)
{
	environment_release(environment_create());
	environment_release(
		compile("{'segments': {'s': {'name': 's', 'key': '1', 'rules': [{'type': 'ALL',"
	            " 'conditions': [{'property': 'a', 'operator': 'REGEX', 'value': 'a+'},"
	            " {'property': 'a', 'operator': 'REGEX', 'value': '('}]}]}}}"));
}
END_TEST

START_TEST(test_large)
{
	int count = 20000;
	char *features = support_repeat(
		"'xxxxx': {'name': 'xxxxx', 'enabled': true, 'value': 1}, ", count);
	size_t part = strlen(features) / count;
	Environment *environment;

	for (int i = 0; i < count; i++)
	{
		char number[6];

		snprintf(number, sizeof(number), "%05d", i);
		memcpy(features + part * i + 1, number, 5);
		memcpy(features + part * i + 19, number, 5);
	}
	environment = compile(psprintf("{'features': {%s" FEATURE("last") "}}", features));
	ck_assert_uint_eq(environment->noutputs, count + 1);
	ck_assert_int_eq(environment_flag(environment, STR("00000"))->output, 0);
	ck_assert_int_eq(environment_flag(environment, STR("12345"))->output, 12345);
	ck_assert_int_eq(environment_flag(environment, STR("last"))->output, count);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("environment");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_empty, 0, lengthof(empties));
	tcase_add_test(tcase, test_order);
	tcase_add_loop_test(tcase, test_listed_under_another_name, 0, lengthof(listings));
	tcase_add_test(tcase, test_overrides);
	tcase_add_test(tcase, test_flag);
	tcase_add_test(tcase, test_segment);
	tcase_add_test(tcase, test_traits);
	tcase_add_loop_test(tcase, test_reads, 0, lengthof(reads));
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	tcase_add_test(tcase, test_release);
	tcase_add_test(tcase, test_large);
	return support_run("environment", tcase);
}
