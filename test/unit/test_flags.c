/*
 * Flags that depend on flags.  The expected results are those of Flagsmith's engine.
 */
#include "evaluated.h"

typedef struct Case
{
	const char *context;
	const char *summary;
} Case;

#define RULE(conditions, rules)                                                          \
	"{'type': 'ALL', 'conditions': [" conditions "], 'rules': [" rules "]}"
#define WITH_FLAGS(features, segments)                                                   \
	"{'flags': {'a': {'enabled': true}}, 'features': {" features                         \
	"}, 'segments': {" segments "}}"

static const Case cases[] = {
	/* one flag reads another, which is on, off, listed later, no feature */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", ALWAYS, OVERRIDE("b", "1")))),
     "a on 1 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=t / in s, t"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", NEVER, OVERRIDE("b", "1")))),
     "a off 0 DEFAULT / b off 0 DEFAULT / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             SEGMENT("s", IS_OFF("b"), OVERRIDE("a", "1"))),
     "a on 1 TARGETING_MATCH; segment=s / b off 0 STATIC / in s"},
	{CONTEXT(FEATURE("a"), SEGMENT("s", IS_UNKNOWN("b"), OVERRIDE("a", "1"))),
     "a on 1 TARGETING_MATCH; segment=s / in s"},
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", IS_UNKNOWN("b"), OVERRIDE("b", "1")),
                                SEGMENT("t", IS_OFF("b"), OVERRIDE("a", "1")))),
     "a off 0 DEFAULT / in s"},
	/* all that a flag has can be read */
	{CONTEXT(
		 LIST(FEATURE("a"), FEATURE("b")),
		 LIST(
			 SEGMENT("s", CONDITION("$.flags.a.value", "EQUAL", "7"), OVERRIDE("b", "1")),
			 SEGMENT("t", ALWAYS, OVERRIDE("a", "'007'")),
			 SEGMENT("u",
                     CONDITION("$.flags.a.reason", "EQUAL", "TARGETING_MATCH; segment=t"),
                     ""),
			 SEGMENT("v", CONDITION("$.flags.b.reason", "CONTAINS", "segment=s"), ""),
			 SEGMENT("w", CONDITION("$.flags.a.name", "EQUAL", "a"), ""),
			 SEGMENT("x", CONDITION("$.flags.a.variant", "IS_NOT_SET", ""), ""),
			 SEGMENT("y", CONDITION("$.flags.a.metadata", "IS_SET", ""), ""),
			 SEGMENT("z", CONDITION("$.flags.a", "IS_SET", ""), ""))),
     "a on \"007\" TARGETING_MATCH; segment=t / b on 1 TARGETING_MATCH; segment=s / in "
     "s, t, u, v, w, x"},
	{CONTEXT(
		 FEATURE("a"),
		 LIST(SEGMENT(
				  "s", ALWAYS,
				  "{'name': 'a', 'enabled': true, 'value': {'x': [1, 'y']}, 'metadata': "
				  "{'id': 7}}"),
              SEGMENT("t", CONDITION("$.flags.a.value", "IS_NOT_SET", ""), ""),
              SEGMENT("u", CONDITION("$.flags.a.value.x[1]", "EQUAL", "y"), ""),
              SEGMENT("v", CONDITION("$.flags.a.metadata.id", "EQUAL", "7"), ""),
              SEGMENT("w",
                      CONDITION("$.flags[\\\"a\\\"][\\\"enabled\\\"]", "EQUAL", "true"),
                      ""))),
     "a on {\"x\": [1, \"y\"]} TARGETING_MATCH; segment=s / in s, t, u, v, w"},
	{CONTEXT("'a': {'name': 'a', 'enabled': true, 'value': 0, 'key': 'a', 'variants': ["
             "{'value': 'v', 'weight': 100, 'priority': 1, 'key': 'one'}]}," FEATURE("b"),
             SEGMENT("s",
                     LIST(CONDITION("$.flags.a.variant", "EQUAL", "one"),
                          CONDITION("$.flags.a.value", "EQUAL", "v"),
                          CONDITION("$.flags.a.reason", "EQUAL", "SPLIT; weight=100")),
                     OVERRIDE("b", "1"))),
     "a on \"v\" (\"one\") SPLIT; weight=100 / b on 1 TARGETING_MATCH; segment=s / in s"},
	/* wildcards see only what has been resolved so far */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", CONDITION("$.flags.*.enabled", "IS_NOT_SET", ""), ""),
                  SEGMENT("t", IS_OFF("b"), ""),
                  SEGMENT("u", CONDITION("$.flags.*.name", "EQUAL", "b"), ""),
                  SEGMENT("v", CONDITION("$.flags.*.name", "EQUAL", "a"), ""),
                  SEGMENT("w", CONDITION("$.flags..reason", "EQUAL", "STATIC"), ""))),
     "a off 0 STATIC / b off 0 STATIC / in s, t, u"},
	/* a chain, in and against the order of the context */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c"), FEATURE("d")),
             LIST(SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("c"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_ON("d"), OVERRIDE("c", "1")),
                  SEGMENT("v", ALWAYS, OVERRIDE("d", "1")))),
     "a on 1 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=t / c on 1 "
     "TARGETING_MATCH; segment=u / d on 1 TARGETING_MATCH; segment=v / in s, t, u, v"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c"), FEATURE("d")),
             LIST(SEGMENT("v", ALWAYS, OVERRIDE("d", "1")),
                  SEGMENT("u", IS_ON("d"), OVERRIDE("c", "1")),
                  SEGMENT("t", IS_ON("c"), OVERRIDE("b", "1")),
                  SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")))),
     "a on 1 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=t / c on 1 "
     "TARGETING_MATCH; segment=u / d on 1 TARGETING_MATCH; segment=v / in v, u, t, s"},
	/* a diamond: a reads b and c, which both read d */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c"), FEATURE("d")),
             LIST(SEGMENT("s", LIST(IS_ON("b"), IS_ON("c")), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("d"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_ON("d"), OVERRIDE("c", "1")),
                  SEGMENT("v", ALWAYS, OVERRIDE("d", "1")))),
     "a on 1 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=t / c on 1 "
     "TARGETING_MATCH; segment=u / d on 1 TARGETING_MATCH; segment=v / in s, t, u, v"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c"), FEATURE("d")),
             LIST(SEGMENT("s", LIST(IS_ON("b"), IS_OFF("c")), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("d"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_OFF("d"), OVERRIDE("c", "1")),
                  SEGMENT("v", ALWAYS, OVERRIDE("d", "1")))),
     "a on 1 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=t / c off 0 "
     "DEFAULT / d on 1 TARGETING_MATCH; segment=v / in s, t, v"},
	/* priorities count where a flag is read, and the first of equals */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", CONDITION("$.flags.b.value", "EQUAL", "2"),
                          OVERRIDE("a", "1")),
                  SEGMENT("t", ALWAYS, OVERRIDE_AT("5", "b", "1")),
                  SEGMENT("u", ALWAYS,
                          LIST(OVERRIDE_AT("4", "b", "2"), OVERRIDE_AT("4", "b", "3"))))),
     "a on 1 TARGETING_MATCH; segment=s / b on 2 TARGETING_MATCH; segment=u / in s, t, "
     "u"},
	/* cycles of one to four flags, at which conditions see nothing */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             SEGMENT("s", IS_ON("a"), OVERRIDE("a", "1"))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 STATIC / in"},
	{CONTEXT(FEATURE("a"), SEGMENT("s", IS_UNKNOWN("a"), OVERRIDE("a", "1"))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
             LIST(SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("a"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_OFF("a"), OVERRIDE("c", "1")))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 ERROR; code=CIRCULAR_DEPENDENCY "
     "/ c off 0 DEFAULT / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
             LIST(SEGMENT("s", IS_UNKNOWN("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_UNKNOWN("c"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_UNKNOWN("a"), OVERRIDE("c", "1")))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 ERROR; code=CIRCULAR_DEPENDENCY "
     "/ c off 0 ERROR; code=CIRCULAR_DEPENDENCY / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c"), FEATURE("d"), FEATURE("e")),
             LIST(SEGMENT("s", IS_ON("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("c"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_ON("d"), OVERRIDE("c", "1")),
                  SEGMENT("v", IS_ON("a"), OVERRIDE("d", "1")),
                  SEGMENT("w", ALWAYS, OVERRIDE("e", "1")))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 ERROR; code=CIRCULAR_DEPENDENCY "
     "/ c off 0 ERROR; code=CIRCULAR_DEPENDENCY / d off 0 ERROR; "
     "code=CIRCULAR_DEPENDENCY / e on 1 TARGETING_MATCH; segment=w / in w"},
	/* what reads into a cycle is in none, and what a cycle reads is not */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
             LIST(SEGMENT("s", IS_UNKNOWN("b"), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("c"), OVERRIDE("b", "1")),
                  SEGMENT("u", IS_ON("b"), OVERRIDE("c", "1")))),
     "a off 0 DEFAULT / b off 0 ERROR; code=CIRCULAR_DEPENDENCY / c off 0 ERROR; "
     "code=CIRCULAR_DEPENDENCY / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
             LIST(SEGMENT("s", LIST(IS_OFF("c"), IS_ON("b")), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_ON("a"), OVERRIDE("b", "1")))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 ERROR; code=CIRCULAR_DEPENDENCY "
     "/ c off 0 STATIC / in"},
	/* a flag in a cycle keeps what the other segments give it */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", IS_ON("a"), OVERRIDE_AT("1", "a", "1")),
                  SEGMENT("t", ALWAYS, OVERRIDE_AT("2", "a", "2")))),
     "a on 2 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 STATIC / in t"},
	/* a short circuit does not come to the cycle */
	{CONTEXT(FEATURE("a"), SEGMENT("s", LIST(NEVER, IS_ON("a")), OVERRIDE("a", "1"))),
     "a off 0 DEFAULT / in"},
	{CONTEXT(FEATURE("a"), SEGMENT("s", LIST(IS_ON("a"), NEVER), OVERRIDE("a", "1"))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / in"},
	/* a segment that matched without a cycle is remembered for the flags that come later */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
             LIST(SEGMENT("s", IS_ON("a"), OVERRIDE("c", "1")),
                  SEGMENT("t", IS_OFF("c"), LIST(OVERRIDE("a", "1"), OVERRIDE("b", "1"))),
                  SEGMENT("u", IS_ON("b"), ""))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 DEFAULT / c off 0 ERROR; "
     "code=CIRCULAR_DEPENDENCY / in"},
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT("s", LIST(IS_UNKNOWN("a"), IS_UNKNOWN("b")),
                          LIST(OVERRIDE("a", "1"), OVERRIDE("b", "2"))),
                  SEGMENT("t", IS_UNKNOWN("b"), OVERRIDE("b", "3")),
                  SEGMENT("u", IS_UNKNOWN("a"), ""))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 ERROR; code=CIRCULAR_DEPENDENCY "
     "/ in"},
	/* sub-rules are evaluated even where the conditions have failed */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             LIST(SEGMENT_OF("s", RULE(NEVER, RULE(IS_ON("a"), "")), OVERRIDE("a", "1")),
                  SEGMENT("t", IS_UNKNOWN("a"), OVERRIDE("b", "1")))),
     "a off 0 ERROR; code=CIRCULAR_DEPENDENCY / b off 0 DEFAULT / in"},
	/* a feature listed under another name is read under that name */
	{CONTEXT("'x': {'name': 'a', 'enabled': true, 'value': 0}," FEATURE("b"),
             LIST(SEGMENT("s", IS_ON("x"), OVERRIDE("b", "1")),
                  SEGMENT("t", IS_UNKNOWN("a"), OVERRIDE("a", "1")))),
     "a on 1 TARGETING_MATCH; segment=t / b on 1 TARGETING_MATCH; segment=s / x on 0 "
     "STATIC / in s, t"},
	/* flags that the context brings along are not looked at */
	{WITH_FLAGS(FEATURE("a"),
                LIST(SEGMENT("s", IS_ON("a"), ""), SEGMENT("t", IS_OFF("a"), ""))),
     "a off 0 STATIC / in t"},
};

START_TEST(test_case)
{
	Evaluated *evaluated = evaluated_run(cases[_i].context);

	ck_assert_str_eq(evaluated_summary(&evaluated->result), cases[_i].summary);
}
END_TEST

/* A second evaluation begins anew. */
START_TEST(test_again)
{
	Evaluated *evaluated = evaluated_run(cases[_i].context);
	EvaluationResult result;

	evaluation_run(evaluated->environment, evaluated_identity(evaluated), &result);
	ck_assert_str_eq(evaluated_summary(&result), cases[_i].summary);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("flags");

	tcase_add_loop_test(tcase, test_case, 0, lengthof(cases));
	tcase_add_loop_test(tcase, test_again, 0, lengthof(cases));
	return support_run("flags", tcase);
}
