/*
 * Compiling segments, and the stricter check of rules that are to be stored.
 */
#include "support.h"

#include "engine/segment.h"

static const Path root = {NULL, {NULL, 0}, 0};

typedef struct Compiled
{
	SegmentScope scope;
	Segment segment;
	EngineError error;
	bool valid;
} Compiled;

static Compiled
compile(const char *json)
{
	static JsonValue context;
	JsonValue value = support_parse(json);
	Path segments = path_member(&root, STR("segments"));
	Path path = path_member(&segments, STR("s"));
	Compiled compiled = {
		.scope = {.traits = strtable_create(1), .flags = strtable_create(1)}};

	context = support_parse("{'environment': {'name': 'e'}}");
	compiled.scope.root = &context;
	compiled.valid = segment_compile(&value, &path, &compiled.scope, &compiled.segment,
	                                 &compiled.error);
	support_wipe(&value);
	return compiled;
}

#define SEGMENT(members) "{'name': 's', 'key': '1', " members "}"
#define RULES(rules) SEGMENT("'rules': [" rules "]")
#define CONDITION(members) RULES("{'type': 'ALL', 'conditions': [{" members "}]}")

#define assert_text(text, expected) ck_assert_str_eq(support_cstring(text), expected)

START_TEST(test_members)
{
	Compiled compiled =
		compile("{'rules': [], 'key': 12.0, 'name': 's\\u0041', 'metadata': {'pk': 1.0},"
	            " 'overrides': [{'name': 'b', 'enabled': true, 'value': 1},"
	            " {'name': 'a', 'enabled': false, 'value': 2, 'priority': 3}]}");
	const Segment *segment = &compiled.segment;

	ck_assert(compiled.valid);
	assert_text(segment->name, "sA");
	assert_text(segment->name_json, "\"s\\u0041\"");
	assert_text(segment->key, "12.0");
	assert_text(segment->metadata, "{\"pk\": 1.0}");
	ck_assert(!segment->reads_flags);
	ck_assert_uint_eq(segment->nrules, 0);
	ck_assert_uint_eq(segment->noverrides, 2);
	assert_text(segment->overrides[0].feature.name, "b");
	assert_text(segment->overrides[1].feature.value, "2");
	ck_assert_int_eq(strtable_find(compiled.scope.flags, STR("b")),
	                 segment->overrides[0].flag);
	ck_assert_int_eq(strtable_find(compiled.scope.flags, STR("a")),
	                 segment->overrides[1].flag);
}
END_TEST

START_TEST(test_only_what_is_required)
{
	Compiled compiled = compile("{'name': 's', 'key': null, 'rules': null}");

	ck_assert(compiled.valid);
	assert_text(compiled.segment.key, "None");
	ck_assert_uint_eq(compiled.segment.nrules, 0);
	ck_assert_uint_eq(compiled.segment.noverrides, 0);
	ck_assert_uint_eq(compiled.segment.metadata.len, 0);
}
END_TEST

static const struct
{
	const char *rule;
	RuleType type;
} types[] = {
	{"{'type': 'ALL'}", RULE_ALL},
	{"{'type': 'ANY'}", RULE_ANY},
	{"{'type': 'NONE'}", RULE_NONE},
	{"{'type': 'all'}", RULE_UNKNOWN},
	{"{'type': 'NOT'}", RULE_UNKNOWN},
	{"{'type': null}", RULE_UNKNOWN},
	{"{'type': ['ALL']}", RULE_UNKNOWN},
	{"{}", RULE_UNKNOWN},
	{"{'type': 'ALL', 'rules': null, 'conditions': null}", RULE_ALL},
};

START_TEST(test_rule_type)
{
	Compiled compiled = compile(psprintf(RULES("%s"), types[_i].rule));

	ck_assert(compiled.valid);
	ck_assert_uint_eq(compiled.segment.nrules, 1);
	ck_assert_int_eq(compiled.segment.rules[0].type, types[_i].type);
	ck_assert_uint_eq(compiled.segment.rules[0].nconditions, 0);
	ck_assert_uint_eq(compiled.segment.rules[0].nrules, 0);
}
END_TEST

START_TEST(test_nested_rules)
{
	Compiled compiled = compile(
		RULES("{'type': 'ANY', 'conditions': [{'property': 'a', 'operator': 'IS_SET'}],"
	          " 'rules': [{'type': 'ALL'}, {'type': 'NONE', 'conditions': ["
	          "{'property': 'b', 'operator': 'IN', 'value': '1'},"
	          "{'property': 'c', 'operator': 'IS_NOT_SET'}]}]}, {'type': 'ALL'}"));
	const Rule *rule = compiled.segment.rules;

	ck_assert(compiled.valid);
	ck_assert_uint_eq(compiled.segment.nrules, 2);
	ck_assert_int_eq(rule[1].type, RULE_ALL);
	ck_assert_uint_eq(rule[0].nrules, 2);
	ck_assert_int_eq(rule[0].rules[1].type, RULE_NONE);
	ck_assert_uint_eq(rule[0].rules[1].nconditions, 2);
	ck_assert_ptr_eq(rule[0].conditions[0].operator, operator_find(STR("IS_SET")));
	ck_assert_ptr_eq(rule[0].rules[1].conditions[0].operator, operator_find(STR("IN")));
	ck_assert_int_eq(strtable_find(compiled.scope.traits, STR("c")),
	                 rule[0].rules[1].conditions[1].property.trait);
	segment_release(&compiled.segment);
}
END_TEST

/*
 * Where a condition finds its value.  Contexts say `property`, documents `property_`,
 * which may be null for the empty name.
 */
static const struct
{
	const char *condition;
	PropertyKind kind;
	bool has_operator;
} conditions[] = {
	{"'property': 'a', 'operator': 'EQUAL', 'value': '1'", PROPERTY_TRAIT, true},
	{"'property': 'a', 'operator': 'equal', 'value': '1'", PROPERTY_TRAIT, false},
	{"'property': 'a', 'operator': null", PROPERTY_TRAIT, false},
	{"'property': 'a', 'operator': 1", PROPERTY_TRAIT, false},
	{"'property': 'a', 'value': '1'", PROPERTY_REFUSED, false},
	{"'operator': 'IS_NOT_SET'", PROPERTY_REFUSED, true},
	{"'property': null, 'operator': 'IS_NOT_SET'", PROPERTY_REFUSED, true},
	{"'property': 1, 'operator': 'IS_NOT_SET'", PROPERTY_REFUSED, true},
	{"'property': '', 'operator': 'IS_NOT_SET'", PROPERTY_TRAIT, true},
	{"'property': '', 'operator': 'PERCENTAGE_SPLIT', 'value': '1'", PROPERTY_HASH_KEY,
     true},
	{"'property': null, 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_HASH_KEY,
     true},
	{"'property': 0, 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_HASH_KEY,
     true},
	{"'property': 'a', 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_TRAIT, true},
	{"'property': 1, 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_REFUSED, true},
	{"'operator': 'PERCENTAGE_SPLIT', 'value': '1'", PROPERTY_REFUSED, true},
	{"'property_': 'a', 'operator': 'IS_SET'", PROPERTY_TRAIT, true},
	{"'property_': '$.identity.key', 'operator': 'IS_SET'", PROPERTY_IDENTITY_KEY, true},
	{"'property_': null, 'operator': 'IS_NOT_SET'", PROPERTY_TRAIT, true},
	{"'property_': null, 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_HASH_KEY,
     true},
	{"'property_': '', 'operator': 'PERCENTAGE_SPLIT', 'value': 1", PROPERTY_HASH_KEY,
     true},
	{"'property_': 1, 'operator': 'IS_NOT_SET'", PROPERTY_REFUSED, true},
	{"'property': '$.identity.key', 'property_': 'a', 'operator': 'IS_SET'",
     PROPERTY_IDENTITY_KEY, true},
	{"'property': null, 'property_': 'a', 'operator': 'IS_SET'", PROPERTY_REFUSED, true},
};

START_TEST(test_condition)
{
	Compiled compiled = compile(psprintf(CONDITION("%s"), conditions[_i].condition));
	const Condition *condition;

	ck_assert(compiled.valid);
	condition = &compiled.segment.rules[0].conditions[0];
	ck_assert_int_eq(condition->property.kind, conditions[_i].kind);
	ck_assert((condition->operator!= NULL) == conditions[_i].has_operator);
}
END_TEST

static const struct
{
	const char *property;
	bool reads_flags;
	bool needs_root;
} reads[] = {
	{"plan", false, false},
	{"$.identity.key", false, false},
	{"$.environment.name", false, false},
	{"$.identity.traits.*", false, true},
	{"$.flags.a.enabled", true, false},
	{"$.flags.*.enabled", true, true},
};

/* However deep the condition lies. */
START_TEST(test_reads)
{
	char *condition =
		psprintf("{'property': '%s', 'operator': 'IS_SET'}", reads[_i].property);
	Compiled compiled = compile(psprintf(
		RULES("{'type': 'ALL'}, {'type': 'ALL', 'rules': [{'type': 'ANY', 'conditions': ["
	          "{'property': 'a', 'operator': 'IS_SET'}, %s]}]}"),
		condition));

	ck_assert(compiled.valid);
	ck_assert(compiled.segment.reads_flags == reads[_i].reads_flags);
	ck_assert(compiled.scope.needs_root == reads[_i].needs_root);
}
END_TEST

static const struct
{
	const char *json;
	const char *path;
	const char *message;
} errors[] = {
	{"1", "$.segments.s", "expected an object, found a number"},
	{"{'key': '1', 'rules': []}", "$.segments.s", "member \"name\" is missing"},
	{"{'name': 's', 'rules': []}", "$.segments.s", "member \"key\" is missing"},
	{"{'name': 's', 'key': '1'}", "$.segments.s", "member \"rules\" is missing"},
	{"{'name': 1, 'key': '1', 'rules': []}", "$.segments.s.name",
     "expected a string, found a number"},
	{SEGMENT("'rules': {}"), "$.segments.s.rules",
     "expected an array or null, found an object"},
	{SEGMENT("'rules': [], 'overrides': {}"), "$.segments.s.overrides",
     "expected an array or null, found an object"},
	{RULES("{}, null"), "$.segments.s.rules[1]", "expected an object, found null"},
	{RULES("{'conditions': {}}"), "$.segments.s.rules[0].conditions",
     "expected an array or null, found an object"},
	{RULES("{'rules': 'ALL'}"), "$.segments.s.rules[0].rules",
     "expected an array or null, found a string"},
	{RULES("{'conditions': [{}, []]}"), "$.segments.s.rules[0].conditions[1]",
     "expected an object, found an array"},
	{RULES("{}, {'rules': [{}, {'rules': [{'conditions': [1]}]}]}"),
     "$.segments.s.rules[1].rules[1].rules[0].conditions[0]",
     "expected an object, found a number"},
	{SEGMENT(
		 "'rules': [], 'overrides': [{'name': 'f', 'enabled': true, 'value': 1}, {}]"),
     "$.segments.s.overrides[1]", "member \"name\" is missing"},
	{SEGMENT("'rules': [], 'overrides': [{'name': 'f', 'enabled': 1, 'value': 1}]"),
     "$.segments.s.overrides[0].enabled", "expected a boolean, found a number"},
};

/* A segment that could not be compiled can be released, as far as it went. */
START_TEST(test_error)
{
	Compiled compiled = compile(errors[_i].json);

	ck_assert(!compiled.valid);
	support_check_error(&compiled.error, ENGINE_MALFORMED, errors[_i].path,
	                    errors[_i].message);
	segment_release(&compiled.segment);
}
END_TEST

START_TEST(test_release_after_error)
{
	Compiled compiled = compile(
		RULES("{'type': 'ALL', 'conditions': [{'property': 'a', 'operator': 'REGEX',"
	          " 'value': 'a+'}, {'property': 'a', 'operator': 'REGEX', 'value': '('},"
	          " 1, {'property': 'a', 'operator': 'REGEX', 'value': 'b'}]}"));

	ck_assert(!compiled.valid);
	ck_assert_str_eq(compiled.error.path, "$.segments.s.rules[0].conditions[2]");
	segment_release(&compiled.segment);
}
END_TEST

static char *
nest_rules(int depth)
{
	return psprintf("%s%s", support_repeat("{'type': 'ALL', 'rules': [", depth),
	                support_repeat("]}", depth));
}

START_TEST(test_depth)
{
	Compiled compiled = compile(psprintf(RULES("%s"), nest_rules(RULE_MAX_DEPTH)));
	const Rule *rule;
	int depth = 0;

	ck_assert(compiled.valid);
	for (rule = compiled.segment.rules; rule != NULL;
	     rule = rule->nrules > 0 ? rule->rules : NULL)
		depth++;
	ck_assert_int_eq(depth, RULE_MAX_DEPTH);

	compiled = compile(psprintf(RULES("%s"), nest_rules(RULE_MAX_DEPTH + 1)));
	ck_assert(!compiled.valid);
	support_check_error(&compiled.error, ENGINE_TOO_DEEP, NULL,
	                    "rules are nested deeper than 500 levels");
	segment_release(&compiled.segment);
}
END_TEST

/* Rules that are to be stored; path NULL: they are good. */
static const struct
{
	const char *json;
	const char *path;
	const char *message;
} checks[] = {
	{"[]", NULL, NULL},
	{"[{'type': 'ALL'}]", NULL, NULL},
	{"[{'type': 'NONE', 'rules': [{'type': 'ANY', 'rules': [], 'conditions': null}],"
     " 'conditions': [{'property_': null, 'operator': 'PERCENTAGE_SPLIT', 'value': "
     "'10'}]}]",
     NULL, NULL},
	/* what never matches is no error of shape */
	{"[{'type': 'ALL', 'conditions': [{'property': 'a', 'operator': 'REGEX', 'value': "
     "'('},"
     "{'property': 'a', 'operator': 'MODULO', 'value': '0|0'}, {'operator': 'IS_SET'}]}]",
     NULL, NULL},
	{"null", "$.rules", "expected an array, found null"},
	{"{}", "$.rules", "expected an array, found an object"},
	{"[1]", "$.rules[0]", "expected an object, found a number"},
	{"[{'type': 'ALL'}, {'type': 'SOME'}]", "$.rules[1].type",
     "a rule's type is one of ALL, ANY and NONE"},
	{"[{}]", "$.rules[0].type", "a rule's type is one of ALL, ANY and NONE"},
	{"[{'type': 'ALL', 'rules': [{'type': 'ANY'}, {'type': null}]}]",
     "$.rules[0].rules[1].type", "a rule's type is one of ALL, ANY and NONE"},
	{"[{'type': 'ALL', 'conditions': [{'property': 'a', 'operator': 'IS_SET'},"
     "{'property': 'a', 'operator': 'is_set'}]}]",
     "$.rules[0].conditions[1].operator", "unknown operator"},
	{"[{'type': 'ALL', 'rules': [{'type': 'ANY', 'conditions': [{'property': 'a'}]}]}]",
     "$.rules[0].rules[0].conditions[0].operator", "unknown operator"},
	{"[{'type': 'ALL', 'conditions': [{'property': 'a', 'operator': 5}]}]",
     "$.rules[0].conditions[0].operator", "unknown operator"},
	{"[{'type': 'ALL', 'conditions': [null]}]", "$.rules[0].conditions[0]",
     "expected an object, found null"},
	{"[{'type': 'ALL', 'rules': [{'type': 'ALL', 'conditions': 1}]}]",
     "$.rules[0].rules[0].conditions", "expected an array or null, found a number"},
};

START_TEST(test_check_rules)
{
	JsonValue rules = support_parse(checks[_i].json);
	Path path = path_member(&root, STR("rules"));
	EngineError error = {.path = NULL};
	bool valid = segment_check_rules(&rules, &path, &error);

	ck_assert(valid == (checks[_i].path == NULL));
	if (!valid)
		support_check_error(&error, ENGINE_MALFORMED, checks[_i].path,
		                    checks[_i].message);
}
END_TEST

START_TEST(test_check_depth)
{
	JsonValue deepest = support_parse(psprintf("[%s]", nest_rules(RULE_MAX_DEPTH)));
	JsonValue too_deep = support_parse(psprintf("[%s]", nest_rules(RULE_MAX_DEPTH + 1)));
	EngineError error;

	ck_assert(segment_check_rules(&deepest, &root, &error));
	ck_assert(!segment_check_rules(&too_deep, &root, &error));
	ck_assert_int_eq(error.code, ENGINE_TOO_DEEP);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("segment");

	tcase_add_test(tcase, test_members);
	tcase_add_test(tcase, test_only_what_is_required);
	tcase_add_loop_test(tcase, test_rule_type, 0, lengthof(types));
	tcase_add_test(tcase, test_nested_rules);
	tcase_add_loop_test(tcase, test_condition, 0, lengthof(conditions));
	tcase_add_loop_test(tcase, test_reads, 0, lengthof(reads));
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	tcase_add_test(tcase, test_release_after_error);
	tcase_add_test(tcase, test_depth);
	tcase_add_loop_test(tcase, test_check_rules, 0, lengthof(checks));
	tcase_add_test(tcase, test_check_depth);
	return support_run("segment", tcase);
}
