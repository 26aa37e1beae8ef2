/*
 * Whether a segment matches.  The expected answers are those of Flagsmith's engine; where
 * it raises, the condition is false.
 */
#include "evaluated.h"

#include "engine/pynumber.h"

#define T "{'property': 'on', 'operator': 'IS_SET'}"
#define F "{'property': 'on', 'operator': 'IS_NOT_SET'}"

/* A list of rules, and whether a segment of them matches. */
static const struct
{
	const char *rules;
	bool matches;
} rules[] = {
	{"", false},
	{"{'type': 'ALL'}", true},
	{"{'type': 'ANY'}", true},
	{"{'type': 'NONE'}", true},
	{"{'type': 'ALL', 'conditions': [], 'rules': []}", true},
	{"{'type': 'ANY', 'conditions': [], 'rules': []}", true},
	{"{'type': 'NONE', 'conditions': [], 'rules': []}", true},
	{"{'type': 'ALL', 'conditions': [" T "]}", true},
	{"{'type': 'ALL', 'conditions': [" F "]}", false},
	{"{'type': 'ALL', 'conditions': [" T "," F "]}", false},
	{"{'type': 'ALL', 'conditions': [" T "," T "," T "]}", true},
	{"{'type': 'ANY', 'conditions': [" T "]}", true},
	{"{'type': 'ANY', 'conditions': [" F "]}", false},
	{"{'type': 'ANY', 'conditions': [" F "," F "," T "]}", true},
	{"{'type': 'NONE', 'conditions': [" T "]}", false},
	{"{'type': 'NONE', 'conditions': [" F "]}", true},
	{"{'type': 'NONE', 'conditions': [" F "," T "]}", false},
	{"{'type': 'NONE', 'conditions': [" F "," F "]}", true},
	/* all rules of the segment */
	{"{'type': 'ALL'}, {'type': 'ALL'}", true},
	{"{'type': 'ALL'}, {'type': 'ALL', 'conditions': [" F "]}", false},
	{"{'type': 'ANY', 'conditions': [" F "]}, {'type': 'ANY', 'conditions': [" T "]}",
     false},
	/* sub-rules follow the type of the rule that they are in */
	{"{'type': 'ALL', 'rules': [{'type': 'ALL'}, {'type': 'ALL', 'conditions': [" F
     "]}]}",
     false},
	{"{'type': 'ANY', 'rules': [{'type': 'ALL'}, {'type': 'ALL', 'conditions': [" F
     "]}]}",
     true},
	{"{'type': 'ANY', 'rules': [{'type': 'ANY', 'conditions': [" F "]}]}", false},
	{"{'type': 'NONE', 'rules': [{'type': 'ALL'}]}", false},
	{"{'type': 'NONE', 'rules': [{'type': 'NONE'}]}", false},
	{"{'type': 'NONE', 'rules': [{'type': 'ALL', 'conditions': [" F "]}]}", true},
	/* conditions and sub-rules must both hold, for every type */
	{"{'type': 'ALL', 'conditions': [" T "], 'rules': [{'type': 'ALL'}]}", true},
	{"{'type': 'ALL', 'conditions': [" F "], 'rules': [{'type': 'ALL'}]}", false},
	{"{'type': 'ANY', 'conditions': [" F "], 'rules': [{'type': 'ALL'}]}", false},
	{"{'type': 'ANY', 'conditions': [" T "], 'rules': [{'type': 'ANY', 'conditions': [" F
     "]}]}",
     false},
	{"{'type': 'NONE', 'conditions': [" F "], 'rules': [{'type': 'ALL'}]}", false},
	{"{'type': 'NONE', 'conditions': [" F "], 'rules': [{'type': 'ANY', 'conditions': [" F
     "]}]}",
     true},
	/* an unknown type, of something or of nothing */
	{"{'type': 'SOME'}", true},
	{"{}", true},
	{"{'type': 'SOME', 'conditions': [" T "]}", false},
	{"{'type': 'SOME', 'rules': [{'type': 'ALL'}]}", false},
	{"{'type': 'NONE', 'rules': [{'type': 'SOME', 'conditions': [" T "]}]}", true},
	/* a condition that makes the engine raise is false, and NONE turns it */
	{"{'type': 'NONE', 'conditions': [{'operator': 'IS_SET'}]}", true},
	{"{'type': 'NONE', 'conditions': [{'property': 'on', 'operator': 'REGEX', 'value': "
     "'('}]}",
     true},
	{"{'type': 'ANY', 'conditions': [{'property': 'one', 'operator': 'MODULO', 'value': "
     "'0|0'}," T "]}",
     true},
	{"{'type': 'ALL', 'conditions': [{'property': 'on', 'operator': 'is_set'}]}", false},
	{"{'type': 'NONE', 'conditions': [{'property': 'on', 'operator': 'is_set'}]}", true},
};

/* Identity.read_trait: out of the identity's JSON. */
static Trait
read_trait(void *argument, Str name)
{
	const JsonValue *traits = json_get(argument, STR("traits"));
	const JsonValue *value = traits == NULL ? NULL : json_get(traits, name);

	return value == NULL ? (Trait){NULL_VALUE, false} : context_trait(value);
}

/* A context with one segment: whether its identity is in it, whenever traits are read. */
static bool
is_in(const char *identity, const char *segment_rules)
{
	static const char context[] =
		"{'environment': {'key': 'e', 'name': 'my env'}, 'identity': %s,"
		" 'features': {'f': {'name': 'f', 'enabled': false, 'value': 0}},"
		" 'segments': {'s': {'name': 's', 'key': 's', 'rules': [%s]}}}";
	Evaluated *evaluated = evaluated_run(psprintf(context, identity, segment_rules));
	bool matches = evaluated->result.nsegments == 1;

	ck_assert(evaluation_segment(evaluated->environment, evaluated_identity(evaluated),
	                             evaluated->environment->segments) == matches);
	if (evaluated->has_identity)
	{
		evaluated->identity.traits = NULL;
		evaluated->identity.read_trait = read_trait;
		ck_assert(evaluation_segment(evaluated->environment, &evaluated->identity,
		                             evaluated->environment->segments) == matches);
	}
	return matches;
}

START_TEST(test_rules)
{
	static const char identity[] =
		"{'identifier': 'i', 'key': 'k', 'traits': {'on': true, 'one': 1}}";

	ck_assert_msg(is_in(identity, rules[_i].rules) == rules[_i].matches, "%s",
	              rules[_i].rules);
}
END_TEST

#define TRAITS(traits) "{'identifier': 'i', 'key': 'k', 'traits': {" traits "}}"
#define LONG "{'identifier': 'i', 'key': 'k', 'traits': {'a': '%s'}}"

/* What a condition on that property finds for an identity. */
static const struct
{
	const char *identity;
	const char *property;
	const char *operator;
	const char *value;
	bool matches;
} reads[] = {
	{TRAITS("'a': 'x'"), "a", "EQUAL", "x", true},
	{TRAITS("'a': 'x'"), "b", "IS_NOT_SET", "", true},
	{TRAITS("'a': null"), "a", "IS_NOT_SET", "", true},
	{TRAITS("'a': '', 'a': 'last'"), "a", "EQUAL", "last", true},
	{TRAITS("'': 'x'"), "", "EQUAL", "x", true},
	{TRAITS("'a': '007'"), "a", "EQUAL", "7", true},
	{TRAITS("'a': '007'"), "$.identity.traits.a", "EQUAL", "7", true},
	{TRAITS("'a b': true"), "$.identity.traits[\\\"a b\\\"]", "EQUAL", "true", true},
	{TRAITS("'a': null"), "$.identity.traits.a", "IS_NOT_SET", "", true},
	{TRAITS(""), "$.identity.traits.a", "IS_NOT_SET", "", true},
	/* a list or an object is text as a trait, and nothing by a path */
	{TRAITS("'a': [1, 'b']"), "a", "CONTAINS", "[1, ", true},
	{TRAITS("'a': [1, 'b']"), "$.identity.traits.a", "IS_NOT_SET", "", true},
	{TRAITS("'a': [1, 'b']"), "$.identity.traits.a[1]", "EQUAL", "b", true},
	{TRAITS("'a': {}"), "a", "EQUAL", "{}", true},
	{TRAITS("'a': {}"), "$.identity.traits.a", "IS_NOT_SET", "", true},
	/* the identity */
	{TRAITS(""), "$.identity.identifier", "EQUAL", "i", true},
	{TRAITS(""), "$.identity.key", "EQUAL", "k", true},
	{"{'identifier': 'i'}", "$.identity.key", "EQUAL", "e_i", true},
	{"{'identifier': 'i'}", "$.identity[\\\"key\\\", \\\"x\\\"]", "EQUAL", "e_i", true},
	{"{'identifier': '007', 'key': '1.50'}", "$.identity.identifier", "EQUAL", "7", true},
	{"{'identifier': '007', 'key': '1.50'}", "$.identity.key", "REGEX", "1.5$", true},
	{"{'identifier': ['i'], 'key': 'k'}", "$.identity.identifier", "IS_NOT_SET", "",
     true},
	/* a trait of the property's name comes before any path, unless it is null */
	{TRAITS("'$.identity.key': 'x'"), "$.identity.key", "EQUAL", "x", true},
	{TRAITS("'$.identity.key': null"), "$.identity.key", "EQUAL", "k", true},
	{TRAITS("'$.identity.traits.a': 'x', 'a': 'y'"), "$.identity.traits.a", "EQUAL", "x",
     true},
	{TRAITS("'$.environment.name': 'x'"), "$.environment.name", "EQUAL", "x", true},
	{TRAITS("'$.identity.*': 'x'"), "$.identity.*", "EQUAL", "x", true},
	{TRAITS("'$.flags.f.enabled': 'x'"), "$.flags.f.enabled", "EQUAL", "x", true},
	{TRAITS("'$.a b': 'x'"), "$.a b", "EQUAL", "x", true},
	/* what is the same for everybody, and queries */
	{TRAITS(""), "$.environment.name", "EQUAL", "my env", true},
	{TRAITS(""), "$.features.f.enabled", "EQUAL", "false", true},
	{TRAITS(""), "$.features", "IS_NOT_SET", "", true},
	{TRAITS(""), "$.features.*.name", "EQUAL", "f", true},
	{TRAITS(""), "$.segments.s.key", "EQUAL", "s", true},
	{TRAITS(""), "$.segments.s.rules[0].conditions[0].operator", "EQUAL", "EQUAL", true},
	{TRAITS("'a': 1, 'b': 2"), "$.identity.traits[?@ > 1]", "EQUAL", "2", true},
	{TRAITS("'a': 1, 'b': 2"), "$.identity.traits.*", "EQUAL", "1", true},
	{TRAITS("'a': {'key': 'x'}"), "$.identity..key", "EQUAL", "k", true},
	{TRAITS("'a': ['007']"), "$.identity.traits.a[*]", "EQUAL", "7", true},
	/* no identity */
	{"null", "a", "IS_NOT_SET", "", true},
	{"{}", "$.identity.key", "IS_NOT_SET", "", true},
	{"{}", "$.identity.traits.a", "IS_NOT_SET", "", true},
	{"null", "$.identity.*", "IS_NOT_SET", "", true},
	{"null", "$.environment.name", "EQUAL", "my env", true},
	{"null", "", "PERCENTAGE_SPLIT", "100", false},
	{"null", "$.environment.name", "PERCENTAGE_SPLIT", "100", true},
	/* a split without property goes by the key as it is: s,007 is at 9.9, s,7 at 17.1 */
	{"{'identifier': 'i', 'key': '007'}", "", "PERCENTAGE_SPLIT", "12", true},
	{"{'identifier': 'i', 'key': '007'}", "$.identity.key", "PERCENTAGE_SPLIT", "12",
     false},
	{"{'identifier': 'i', 'key': '7'}", "", "PERCENTAGE_SPLIT", "12", false},
	{TRAITS("'': 'x'"), "", "PERCENTAGE_SPLIT", "100", true},
	/* a property that makes the engine raise */
	{TRAITS("'a': [1]"), "$.identity.traits.a[9007199254740992]", "IS_NOT_SET", "",
     false},
	{TRAITS("'a': [1]"), "$.identity.traits.a[9007199254740991]", "IS_NOT_SET", "", true},
};

START_TEST(test_read)
{
	char *condition =
		psprintf("{'type': 'ALL', 'conditions': [" CONDITION("%s", "%s", "%s") "]}",
	             reads[_i].property, reads[_i].operator, reads[_i].value);

	ck_assert_msg(is_in(reads[_i].identity, condition) == reads[_i].matches, "%s",
	              condition);
}
END_TEST

/* A text of more digits than Python reads as an int: no condition on it is true. */
START_TEST(test_unreadable)
{
	static const char *const operators[] = {"IS_SET",    "IS_NOT_SET", "EQUAL",
	                                        "NOT_EQUAL", "CONTAINS",   "REGEX"};
	static const char *const properties[] = {"a", "$.identity.traits.a",
	                                         "$.identity.traits.*"};
	char *longest = psprintf(LONG, support_repeat("1", PY_INT_MAX_DIGITS));
	char *too_long = psprintf(LONG, support_repeat("1", PY_INT_MAX_DIGITS + 1));

	for (int i = 0; i < (int) lengthof(operators); i++)
		for (int j = 0; j < (int) lengthof(properties); j++)
			ck_assert(!is_in(
				too_long,
				psprintf("{'type': 'ALL', 'conditions': [" CONDITION("%s", "%s", "") "]}",
			             properties[j], operators[i])));
	ck_assert(is_in(longest,
	                "{'type': 'ALL', 'conditions': [" CONDITION("a", "IS_SET", "") "]}"));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("match");

	tcase_add_loop_test(tcase, test_rules, 0, lengthof(rules));
	tcase_add_loop_test(tcase, test_read, 0, lengthof(reads));
	tcase_add_test(tcase, test_unreadable);
	return support_run("match", tcase);
}
