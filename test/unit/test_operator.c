/*
 * Operators.  The expected answers are those of Flagsmith's engine; where it raises they
 * are false.
 */
#include "support.h"

#include "engine/operator.h"
#include "operator_outcomes.h"

static const char *const names[] = {
	"EQUAL",        "NOT_EQUAL",
	"GREATER_THAN", "GREATER_THAN_INCLUSIVE",
	"LESS_THAN",    "LESS_THAN_INCLUSIVE",
	"CONTAINS",     "NOT_CONTAINS",
	"REGEX",        "IN",
	"MODULO",       "PERCENTAGE_SPLIT",
	"IS_SET",       "IS_NOT_SET",
};

/* Whether operator, given the operand (NULL: none), matches value, as conditions ask. */
static bool
ask(const Operator *operator, const char * operand_json, const char *value_json,
    const char *segment_key)
{
	JsonValue operand_value, value_value = support_parse(value_json);
	ContextValue value = value_coerce(value_from_json(&value_value));
	Operand operand = {.valid = false};
	bool matches;

	if (operand_json != NULL)
		operand_value = support_parse(operand_json);
	if (operator->prepare != NULL)
		operator->prepare(operand_json == NULL ? NULL : &operand_value, &operand);
	matches = (value.type != VALUE_NULL || operator->takes_null) &&
	          (operator->prepare == NULL || operand.valid) &&
	          operator->matches(operator, & operand, &value, support_text(segment_key));
	operator_release(operator, & operand);
	return matches;
}

static bool
matches(const char *name, const char *operand, const char *value)
{
	return ask(operator_find(support_text(name)), operand, value, "s");
}

START_TEST(test_names)
{
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		const Operator *operator= operator_find(support_text(names[i]));

		ck_assert_msg(operator!= NULL, "%s", names[i]);
		ck_assert_str_eq(support_cstring(operator->name), names[i]);
		ck_assert(operator_is_split(operator) ==
		          (strcmp(names[i], "PERCENTAGE_SPLIT") == 0));
		ck_assert(operator->takes_null ==(strncmp(names[i], "IS_", 3) == 0));
	}
}
END_TEST

/* The table has each of them once, and no other. */
START_TEST(test_rows)
{
	int count = 0;

	for (const Operator *operator; (operator= operator_at(count)) != NULL; count++)
		ck_assert_ptr_eq(operator_find(operator->name), operator);
	ck_assert_int_eq(count, lengthof(names));
	ck_assert_ptr_null(operator_at(-1));
	ck_assert_ptr_null(operator_at(count + 1));
	ck_assert_ptr_null(operator_at(PG_INT32_MAX));
}
END_TEST

START_TEST(test_unknown)
{
	static const char *const unknown[] = {"",       "equal", "EQUAL ", "EQUA",
	                                      "EQUALS", "IS",    "in"};

	for (int i = 0; i < (int) lengthof(unknown); i++)
		ck_assert_ptr_null(operator_find(support_text(unknown[i])));
	ck_assert(!operator_is_split(NULL));
	operator_release(NULL, &(Operand){.valid = false});
}
END_TEST

/* The answers of the operator for the operand, or NULL if it never matches. */
static const char *
find_outcome(const Operator *operator, const char * operand)
{
	for (int i = 0; operand != NULL && i < (int) lengthof(outcomes); i++)
		if (strcmp(support_cstring(operator->name), outcomes[i].operator) == 0 &&
		    strcmp(operand, outcomes[i].operand) == 0)
			return outcomes[i].matches;
	return NULL;
}

/* Whether the table of outcomes says that it matches. */
static bool
expected(const Operator *operator, const char * operand, int value)
{
	const char *found = find_outcome(operator, operand);

	if (operator->takes_null)
		return strcmp(values[value], "null") == 0
		           ? str_equal(operator->name, STR("IS_NOT_SET"))
		           : str_equal(operator->name, STR("IS_SET"));
	return found != NULL && found[value] == 'x';
}

START_TEST(test_outcomes)
{
	const Operator *operator= operator_at(_i);

	for (int i = 0; i < (int) lengthof(operands); i++)
		for (int j = 0; j < (int) lengthof(values); j++)
			ck_assert_msg(ask(operator, operands[i], values[j], "s") ==
			                  expected(operator, operands[i], j),
			              "%s %s %s", values[j], names[_i], operands[i]);
}
END_TEST

/* Each row is one that the loop above looks up, and has a mark for each value. */
START_TEST(test_outcomes_are_all_used)
{
	int used = 0;

	for (int i = 0; i < (int) lengthof(names); i++)
		for (int j = 0; j < (int) lengthof(operands); j++)
			used += find_outcome(operator_at(i), operands[j]) != NULL;
	ck_assert_int_eq(used, lengthof(outcomes));
	for (int i = 0; i < (int) lengthof(outcomes); i++)
		ck_assert_uint_eq(strlen(outcomes[i].matches), lengthof(values));
}
END_TEST

/* What the table above has no operand or value for. */
typedef struct Case
{
	const char *operator;
	const char *operand;
	const char *value;
	bool matches;
} Case;

static const Case cases[] = {
	/* int(), float() and str() of the operand */
	{"EQUAL", "' 0_7 '", "7", true},
	{"EQUAL", "'7.0'", "7", false},
	{"NOT_EQUAL", "'7.0'", "7", false},
	{"EQUAL", "7.9", "7", true},
	{"EQUAL", "-7.9", "-7", true},
	{"EQUAL", "1e23", "99999999999999991611392", true},
	{"EQUAL", "true", "1", true},
	{"EQUAL", "true", "1.0", true},
	{"EQUAL", "'\xd9\xa3'", "3", true},
	{"EQUAL", "'9007199254740993'", "9007199254740993", true},
	{"EQUAL", "'9007199254740993'", "9007199254740992", false},
	{"EQUAL", "'9007199254740993'", "9007199254740992.0", true},
	{"EQUAL", "'-0.0'", "0.0", true},
	{"EQUAL", "'1e-400'", "0.0", true},
	{"EQUAL", "'007'", "'7'", true},
	{"EQUAL", "'None'", "'None'", true},
	{"EQUAL", "null", "'None'", true},
	{"EQUAL", "['a', 1.0]", "'[\\u0027a\\u0027, 1.0]'", true},
	{"NOT_EQUAL", "{}", "'a'", false},
	{"NOT_EQUAL", "12", "'a'", false},
	{"EQUAL", "'FALSE'", "false", false},
	{"EQUAL", "'false'", "false", true},
	{"EQUAL", "''", "true", true},
	/* code points, not UTF-16 */
	{"GREATER_THAN", "'\xef\xbf\xbd'", "'\xf0\x9f\x98\x80'", true},
	{"LESS_THAN", "'a'", "'Z'", true},
	/* versions */
	{"EQUAL", "'1.2.3+a:semver'", "'1.2.3+b'", true},
	{"GREATER_THAN", "'1.9.0:semver'", "'1.10.0'", true},
	{"LESS_THAN", "'1.0.0:semver'", "'1.0.0-rc.1'", true},
	{"LESS_THAN_INCLUSIVE", "'1.0.0:semver'", "'1.0.0'", true},
	{"NOT_EQUAL", "'1.0:semver'", "'1.0.0'", false},
	{"NOT_EQUAL", "'1.0.0:semver'", "'v1.0.0'", false},
	{"EQUAL", "'1.0.0:semver'", "'1.0.0:semver'", false},
	{"EQUAL", "':semver'", "''", false},
	{"EQUAL", "'1.0.0:SEMVER'", "'1.0.0:SEMVER'", true},
	{"CONTAINS", "'a:semver'", "'1.2.3-a+b'", true},
	{"CONTAINS", "'b:semver'", "'1.2.3-a+b'", true},
	{"CONTAINS", "'1.2.3:semver'", "'1.2.3-a+b'", false},
	/* parts of texts */
	{"CONTAINS", "'\xc3\xa9'", "'caf\xc3\xa9'", true},
	{"CONTAINS", "'A'", "'caf'", false},
	{"CONTAINS", "null", "'a None b'", true},
	{"CONTAINS", "'1'", "'a1'", true},
	{"CONTAINS", "'1'", "'11'", false},
	{"NOT_CONTAINS", "'1'", "'11'", false},
	{"NOT_CONTAINS", "'a'", "'b'", true},
	{"NOT_CONTAINS", "''", "'b'", false},
	/* regular expressions start at the start, of the text that str() makes */
	{"REGEX", "'b'", "'ab'", false},
	{"REGEX", "'a$'", "'a\\n'", true},
	{"REGEX", "'1\\\\.5$'", "'1.50'", true},
	{"REGEX", "'1e\\\\+16'", "1e16", true},
	{"REGEX", "'^$'", "''", true},
	{"REGEX", "'(?P<x>a)(?P=x)'", "'aa'", true},
	{"REGEX", "'*'", "'*'", false},
	{"REGEX", "null", "'None'", true},
	/* lists */
	{"IN", "'a, b'", "' b'", true},
	{"IN", "'a, b'", "'b'", false},
	{"IN", "'01'", "'01'", false},
	{"IN", "'1'", "'01'", true},
	{"IN", "'1.5'", "1.5", false},
	{"IN", "'True'", "true", false},
	{"IN", "[true, null, 1.0, 1e2, {'a': []}]", "'True'", true},
	{"IN", "[true, null, 1.0, 1e2, {'a': []}]", "'None'", true},
	{"IN", "[null]", "null", false},
	{"IN", "[true, null, 1.0, 1e2, {'a': []}]", "'{\\u0027a\\u0027: []}'", true},
	{"IN", "['1.0']", "1.0", false},
	{"IN", "[1]", "'1'", true},
	{"IN", "' [\\\"a\\\"]'", "'a'", false},
	{"IN", "'[a,b'", "'b'", true},
	{"IN", "'[a,b'", "'[a'", true},
	{"IN", "'[]'", "'[]'", false},
	{"IN", "'a,,b'", "''", true},
	{"IN", "[]", "''", false},
	{"IN", "7", "7", false},
	/* the remainder has the sign of the divisor */
	{"MODULO", "'3|2'", "-1", true},
	{"MODULO", "'-3|-2'", "4", true},
	{"MODULO", "'3|0'", "'9'", true},
	{"MODULO", "'0.5|0.25'", "1.75", true},
	{"MODULO", "' 2 | 1_0 '", "1", false},
	{"MODULO", "' 1_0 | 3 '", "13", true},
	{"MODULO", "'inf|5'", "5", true},
	{"MODULO", "'inf|inf'", "-5", true},
	{"MODULO", "'2|nan'", "4", false},
	{"MODULO", "'nan|0'", "4", false},
	{"MODULO", "'0|0'", "4", false},
	{"MODULO", "'0|nan'", "4", false},
	{"MODULO", "'2'", "4", false},
	{"MODULO", "'2|0|0'", "4", false},
	{"MODULO", "'|0'", "4", false},
	{"MODULO", "'2|'", "4", false},
	{"MODULO", "['2', '0']", "4", false},
	{"MODULO", "'2|1'", "true", true},
	{"MODULO", "'2|0'", "'a'", false},
	/* splits: the hash of s and of the value's text */
	{"PERCENTAGE_SPLIT", "'100'", "true", true},
	{"PERCENTAGE_SPLIT", "'-1'", "true", false},
	{"PERCENTAGE_SPLIT", "'nan'", "true", false},
	{"PERCENTAGE_SPLIT", "'inf'", "true", true},
	{"PERCENTAGE_SPLIT", "'ten'", "true", false},
	{"PERCENTAGE_SPLIT", "[50]", "true", false},
};

START_TEST(test_case)
{
	const Case *c = &cases[_i];

	ck_assert_msg(matches(c->operator, c->operand, c->value) == c->matches,
	              "%s %s %s is %s", c->value, c->operator, c->operand,
	              c->matches ? "true" : "false");
}
END_TEST

/* An int beyond every float is none that MODULO can divide. */
START_TEST(test_modulo_of_huge_int)
{
	char *int309 = support_repeat("9", 309);

	ck_assert(!matches("MODULO", "'1|0'", int309));
	ck_assert(matches("MODULO", "'1|0'", int309 + 1));
}
END_TEST

/* The segment's key and the value's text, and the end that is included. */
static const struct
{
	const char *key;
	const char *value;
	const char *percentage;
	bool matches;
} splits[] = {
	{"12", "'93'", "27.655531106221243", true},
	{"12", "'93'", "'27.655531106221243'", true},
	{"12", "'93'", "27.65553110622124", false},
	{"12", "'093'", "27.655531106221243", true},
	{"12", "93.0", "27.655531106221243", false},
	{"5", "1.5", "34.61692338467694", true},
	{"5", "'1.50'", "34.61692338467694", true},
	{"5", "1.5", "34.61692338467693", false},
	{"5", "true", "69.42388477695539", true},
	{"5", "true", "69.42388477695538", false},
	{"7", "''", "77.5755151030206", true},
	{"7", "'\xc3\xa9'", "11.582316463292658", true},
	{"7", "'\xc3\xa9'", "11.582316463292657", false},
	{"1", "13139", "0", true},
	{"1", "13139", "false", true},
	{"1", "13139", "-0.0", true},
	{"1", "13139", "-5e-324", false},
};

START_TEST(test_split)
{
	ck_assert(ask(operator_find(STR("PERCENTAGE_SPLIT")), splits[_i].percentage,
	              splits[_i].value, splits[_i].key) == splits[_i].matches);
}
END_TEST

/* Nothing of the condition is kept. */
START_TEST(test_operand_stands_alone)
{
	static const struct
	{
		const char *operator;
		const char *operand;
		const char *value;
	} prepared[] = {
		{"EQUAL", "'some text'", "'some text'"},
		{"EQUAL", "12345678901234567890", "12345678901234567890"},
		{"EQUAL", "'1.2.3-rc.1:semver'", "'1.2.3-rc.1'"},
		{"CONTAINS", "'rc.1:semver'", "'1.2.3-rc.1'"},
		{"NOT_CONTAINS", "'text'", "'xxxx'"},
		{"REGEX", "'ab+'", "'abb'"},
		{"IN", "'first,second'", "'second'"},
		{"IN", "['first', 'second']", "'second'"},
		{"IN", "'[\\\"first\\\", \\\"second\\\"]'", "'second'"},
	};

	for (int i = 0; i < (int) lengthof(prepared); i++)
	{
		const Operator *operator= operator_find(support_text(prepared[i].operator));
		JsonValue operand_json = support_parse(prepared[i].operand);
		JsonValue value_json = support_parse(prepared[i].value);
		ContextValue value = value_coerce(value_from_json(&value_json));
		Operand operand = {.valid = false};

		operator->prepare(&operand_json, &operand);
		support_wipe(&operand_json);
		ck_assert_msg(operator->matches(operator, & operand, &value, STR("s")), "%s",
		              prepared[i].operand);
		operator_release(operator, & operand);
	}
}
END_TEST

START_TEST(test_long_list)
{
	int count = 100000;
	char *list = psprintf("[0%s, 'last']", support_repeat(", 'member'", count));
	JsonValue json = support_parse(list);
	const Operator *operator= operator_find(STR("IN"));
	ContextValue last = {.type = VALUE_STRING, .string = STR("last")};
	ContextValue zero = {.type = VALUE_INT, .integer = 0};
	ContextValue one = {.type = VALUE_INT, .integer = 1};
	Operand operand = {.valid = false};

	operator->prepare(&json, &operand);
	ck_assert(operator->matches(operator, & operand, &last, STR("s")));
	ck_assert(operator->matches(operator, & operand, &zero, STR("s")));
	ck_assert(!operator->matches(operator, & operand, &one, STR("s")));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("operator");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_rows);
	tcase_add_test(tcase, test_unknown);
	tcase_add_loop_test(tcase, test_outcomes, 0, lengthof(names));
	tcase_add_test(tcase, test_outcomes_are_all_used);
	tcase_add_loop_test(tcase, test_case, 0, lengthof(cases));
	tcase_add_test(tcase, test_modulo_of_huge_int);
	tcase_add_loop_test(tcase, test_split, 0, lengthof(splits));
	tcase_add_test(tcase, test_operand_stands_alone);
	tcase_add_test(tcase, test_long_list);
	return support_run("operator", tcase);
}
