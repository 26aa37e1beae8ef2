/*
 * Evaluations: which override wins, and why.  The expected results are those of
 * Flagsmith's engine.
 */
#include "evaluated.h"

typedef struct Case
{
	const char *context;
	const char *summary;
} Case;

/* A feature or override with variants, the feature a, and a context of nobody. */
#define SPLIT(name, variants)                                                            \
	"{'name': '" name                                                                    \
	"', 'enabled': true, 'value': 1, 'key': 'f', 'variants': [" variants "]}"
#define SPLIT_A(variants) "'a': " SPLIT("a", variants)
#define NO_IDENTITY(features, segments)                                                  \
	"{'features': {" features "}, 'segments': {" segments "}}"
#define VARIANT(key, value, weight)                                                      \
	"{'key': '" key "', 'value': " value ", 'weight': " weight ", 'priority': 1}"

static const Case cases[] = {
	/* nothing to evaluate */
	{CONTEXT("", ""), "in"},
	{"{}", "in"},
	/* the reasons of defaults */
	{CONTEXT(LIST(FEATURE("b"), FEATURE("a"), FEATURE("10")),
             LIST(SEGMENT("s", NEVER, OVERRIDE("a", "1")), SEGMENT("t", ALWAYS, ""))),
     "b off 0 STATIC / a off 0 DEFAULT / 10 off 0 STATIC / in t"},
	/* the lowest priority wins, whatever its place */
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", ALWAYS, OVERRIDE_AT("1", "a", "1")),
                                SEGMENT("t", ALWAYS, OVERRIDE_AT("2", "a", "2")))),
     "a on 1 TARGETING_MATCH; segment=s / in s, t"},
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", ALWAYS, OVERRIDE_AT("2", "a", "1")),
                                SEGMENT("t", ALWAYS, OVERRIDE_AT("1", "a", "2")))),
     "a on 2 TARGETING_MATCH; segment=t / in s, t"},
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", ALWAYS, OVERRIDE_AT("10", "a", "1")),
                                SEGMENT("t", ALWAYS, OVERRIDE_AT("9", "a", "2")))),
     "a on 2 TARGETING_MATCH; segment=t / in s, t"},
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", ALWAYS, OVERRIDE_AT("0", "a", "1")),
                                SEGMENT("t", ALWAYS, OVERRIDE_AT("-0.5", "a", "2")),
                                SEGMENT("u", NEVER, OVERRIDE_AT("-3", "a", "3")))),
     "a on 2 TARGETING_MATCH; segment=t / in s, t"},
	/* of equals the first wins */
	{CONTEXT(FEATURE("a"), LIST(SEGMENT("s", ALWAYS, OVERRIDE_AT("1", "a", "1")),
                                SEGMENT("t", ALWAYS, OVERRIDE_AT("1.0", "a", "2")))),
     "a on 1 TARGETING_MATCH; segment=s / in s, t"},
	{CONTEXT(FEATURE("a"),
             LIST(SEGMENT("s", ALWAYS, OVERRIDE("a", "1")),
                  SEGMENT("t", ALWAYS, LIST(OVERRIDE("a", "2"), OVERRIDE("a", "3"))))),
     "a on 1 TARGETING_MATCH; segment=s / in s, t"},
	{CONTEXT(
		 FEATURE("a"),
		 SEGMENT("s", ALWAYS, LIST(OVERRIDE("a", "1"), OVERRIDE_AT("1e999", "a", "2")))),
     "a on 1 TARGETING_MATCH; segment=s / in s"},
	{CONTEXT(
		 FEATURE("a"),
		 SEGMENT("s", ALWAYS, LIST(OVERRIDE_AT("1e999", "a", "1"), OVERRIDE("a", "2")))),
     "a on 1 TARGETING_MATCH; segment=s / in s"},
	/* none given is the weakest */
	{CONTEXT(FEATURE("a"),
             LIST(SEGMENT("s", ALWAYS, OVERRIDE("a", "1")),
                  SEGMENT("t", ALWAYS, OVERRIDE_AT("98765432109876543210", "a", "2")))),
     "a on 2 TARGETING_MATCH; segment=t / in s, t"},
	/* a segment with several overrides, one of no feature */
	{CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
             SEGMENT("s", ALWAYS,
                     LIST(OVERRIDE("b", "1"), OVERRIDE("c", "2"), OVERRIDE("a", "3")))),
     "a on 3 TARGETING_MATCH; segment=s / b on 1 TARGETING_MATCH; segment=s / in s"},
	/* an override replaces all of the flag */
	{CONTEXT(SPLIT_A(VARIANT("v", "2", "100")),
             SEGMENT("s", ALWAYS, "{'name': 'a', 'enabled': false, 'value': null}")),
     "a off null TARGETING_MATCH; segment=s / in s"},
	/* variants: hit, with a weight as it was written, and control */
	{CONTEXT(SPLIT_A(VARIANT("v", "2", "100")), ""),
     "a on 2 (\"v\") SPLIT; weight=100 / in"},
	{CONTEXT(SPLIT_A(VARIANT("v", "2", "1e2")), ""),
     "a on 2 (\"v\") SPLIT; weight=100.0 / in"},
	{CONTEXT(SPLIT_A(VARIANT("v", "2", "0")), ""), "a on 1 (\"control\") STATIC / in"},
	{CONTEXT(SPLIT_A(VARIANT("v", "2", "0")), SEGMENT("s", NEVER, OVERRIDE("a", "1"))),
     "a on 1 (\"control\") DEFAULT / in"},
	{CONTEXT("'a': {'name': 'a', 'enabled': true, 'value': 1, 'key': 'f', 'variants': ["
             "{'value': 'no key', 'weight': 50, 'priority': 1},"
             "{'value': 'no key', 'weight': 50.0, 'priority': 2}]}",
             ""),
     "a on \"no key\" SPLIT; weight=50 / in"},
	/* variants of an override */
	{CONTEXT(FEATURE("a"), SEGMENT("s", ALWAYS,
                                   SPLIT("a", LIST(VARIANT("v", "2", "0"),
                                                   VARIANT("w", "3", "100.0"))))),
     "a on 3 (\"w\") SPLIT; weight=100.0 / in s"},
	{CONTEXT(FEATURE("a"), SEGMENT("s", ALWAYS, SPLIT("a", VARIANT("v", "2", "0")))),
     "a on 1 (\"control\") TARGETING_MATCH; segment=s / in s"},
	/* without an identity there are no variants, and no traits */
	{NO_IDENTITY(LIST(SPLIT_A(VARIANT("v", "2", "100")), FEATURE("b")),
                 LIST(SEGMENT("s", ALWAYS, OVERRIDE("b", "1")),
                      SEGMENT("t", NEVER, OVERRIDE("a", "2")))),
     "a on 1 DEFAULT / b on 1 TARGETING_MATCH; segment=s / in s"},
	/* features listed under other names than their own */
	{CONTEXT("'a': {'name': 'b', 'enabled': true, 'value': 1},"
             "'b': {'name': 'a', 'enabled': true, 'value': 2}",
             SEGMENT("s", ALWAYS, OVERRIDE("b", "3"))),
     "b on 3 TARGETING_MATCH; segment=s / a on 1 STATIC / in s"},
	/* segments with one name */
	{CONTEXT(FEATURE("a"), "'x': {'name': 's', 'key': 'x', 'rules': [{'type': 'ALL'}]},"
                           "'y': {'name': 's', 'key': 'y', 'rules': [{'type': 'ALL'}],"
                           " 'overrides': [" OVERRIDE("a", "1") "]}"),
     "a on 1 TARGETING_MATCH; segment=s / in s, s"},
};

START_TEST(test_case)
{
	Evaluated *evaluated = evaluated_run(cases[_i].context);

	ck_assert_str_eq(evaluated_summary(&evaluated->result), cases[_i].summary);
}
END_TEST

/* An override that an identity has of its own. */
static IdentityOverride
own_override(const Evaluated *evaluated, const char *flag, const char *json)
{
	Path root = {NULL, {NULL, 0}, 0};
	JsonValue value = support_parse(json);
	FeatureContext *feature = palloc(sizeof(FeatureContext));
	EngineError error;

	ck_assert(feature_compile(&value, &root, feature, &error));
	return (IdentityOverride){
		environment_flag(evaluated->environment, support_text(flag)), feature};
}

START_TEST(test_identity_override)
{
	Evaluated *evaluated = evaluated_prepare(CONTEXT(
		LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
		SEGMENT("s", ALWAYS, LIST(OVERRIDE_AT("-1e999", "a", "1"), OVERRIDE("b", "1")))));
	IdentityOverride overrides[] = {
		own_override(evaluated, "c", SPLIT("c", VARIANT("v", "8", "100"))),
		own_override(evaluated, "a", "{'name': 'a', 'enabled': false, 'value': 9}"),
	};
	EvaluationResult result;

	evaluated->identity.overrides = overrides;
	evaluated->identity.noverrides = lengthof(overrides);
	evaluation_run(evaluated->environment, &evaluated->identity, &result);
	ck_assert_str_eq(evaluated_summary(&result),
	                 "a off 9 TARGETING_MATCH; segment=identity_overrides / "
	                 "b on 1 TARGETING_MATCH; segment=s / "
	                 "c on 8 (\"v\") SPLIT; weight=100 / in s");
	for (uint32 i = 0; i < result.nflags; i++)
	{
		FlagResult single = evaluation_flag(evaluated->environment, &evaluated->identity,
		                                    result.flags[i].flag);

		ck_assert_str_eq(evaluated_flag(&single), evaluated_flag(&result.flags[i]));
	}
}
END_TEST

/* What the identity has of its own is what conditions read; no segment is asked for it. */
START_TEST(test_identity_override_is_read)
{
	Evaluated *evaluated =
		evaluated_prepare(CONTEXT(LIST(FEATURE("a"), FEATURE("b")),
	                              LIST(SEGMENT("s", IS_ON("a"), OVERRIDE("b", "1")),
	                                   SEGMENT("t", IS_ON("b"), OVERRIDE("a", "1")))));
	IdentityOverride override =
		own_override(evaluated, "a", "{'name': 'a', 'enabled': true, 'value': 9}");
	EvaluationResult result;

	evaluation_run(evaluated->environment, &evaluated->identity, &result);
	ck_assert_int_eq(result.flags[0].reason, REASON_CIRCULAR_DEPENDENCY);
	evaluated->identity.overrides = &override;
	evaluated->identity.noverrides = 1;
	evaluation_run(evaluated->environment, &evaluated->identity, &result);
	ck_assert_str_eq(evaluated_summary(&result),
	                 "a on 9 TARGETING_MATCH; segment=identity_overrides / "
	                 "b on 1 TARGETING_MATCH; segment=s / in s, t");
}
END_TEST

START_TEST(test_default)
{
	Evaluated *evaluated =
		evaluated_prepare(CONTEXT(LIST(FEATURE("b"), SPLIT_A(VARIANT("v", "2", "100"))),
	                              SEGMENT("s", ALWAYS, OVERRIDE("a", "1"))));
	FlagResult a = evaluation_default(environment_flag(evaluated->environment, STR("a")));
	FlagResult b = evaluation_default(environment_flag(evaluated->environment, STR("b")));

	ck_assert_str_eq(evaluated_flag(&a), "a on 1 DEFAULT");
	ck_assert_str_eq(evaluated_flag(&b), "b off 0 STATIC");
	ck_assert_ptr_null(a.segment);
}
END_TEST

START_TEST(test_reason_of_odd_name)
{
	Evaluated *evaluated = evaluated_run(CONTEXT(
		FEATURE("a"), "'s': {'name': 'a\\\"\\u00e9\\n; b', 'key': 1, 'rules':"
					  " [{'type': 'ALL'}], 'overrides': [" OVERRIDE("a", "1") "]}"));
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "reason: ");
	evaluation_append_reason(&text, &evaluated->result.flags[0]);
	ck_assert_str_eq(text.data, "reason: TARGETING_MATCH; segment=a\"\xc3\xa9\n; b");
}
END_TEST

static int nconditions;

static void
count_condition(void)
{
	nconditions++;
}

/* A run asks each segment once, and one answer no more segments than it takes. */
START_TEST(test_no_more_than_it_takes)
{
	Evaluated *evaluated = evaluated_prepare(
		CONTEXT(LIST(FEATURE("a"), FEATURE("b"), FEATURE("c")),
	            LIST(SEGMENT("s", ALWAYS, LIST(OVERRIDE("a", "1"), OVERRIDE("b", "1"))),
	                 SEGMENT("t", LIST(ALWAYS, NEVER, ALWAYS), OVERRIDE("a", "1")),
	                 SEGMENT("u", ALWAYS, ""))));
	const Environment *environment = evaluated->environment;
	EvaluationResult result;

	engine_interrupt_hook = count_condition;
	evaluation_run(environment, NULL, &result);
	ck_assert_int_eq(nconditions, 4);
	nconditions = 0;
	evaluation_flag(environment, NULL, environment_flag(environment, STR("a")));
	ck_assert_int_eq(nconditions, 3);
	nconditions = 0;
	evaluation_flag(environment, NULL, environment_flag(environment, STR("c")));
	ck_assert_int_eq(nconditions, 0);
	ck_assert(evaluation_segment(environment, NULL,
	                             environment_segment(environment, STR("u"))));
	ck_assert_int_eq(nconditions, 1);
}
END_TEST

/* Nor does a flag that several segments read ask its own again. */
START_TEST(test_resolved_once)
{
	Evaluated *evaluated = evaluated_prepare(CONTEXT(
		LIST(FEATURE("a"), FEATURE("b")),
		LIST(SEGMENT("s", IS_ON("a"), OVERRIDE("b", "1")), SEGMENT("t", IS_ON("a"), ""),
	         SEGMENT("u", LIST(IS_ON("b"), IS_ON("a")), ""),
	         SEGMENT("v", ALWAYS, OVERRIDE("a", "1")))));
	EvaluationResult result;

	engine_interrupt_hook = count_condition;
	evaluation_run(evaluated->environment, NULL, &result);
	/* s (v), t, u (s once more, for b); v is known */
	ck_assert_int_eq(nconditions, 6);
	ck_assert_uint_eq(result.nsegments, 4);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("evaluation");

	tcase_add_loop_test(tcase, test_case, 0, lengthof(cases));
	tcase_add_test(tcase, test_identity_override);
	tcase_add_test(tcase, test_identity_override_is_read);
	tcase_add_test(tcase, test_default);
	tcase_add_test(tcase, test_reason_of_odd_name);
	tcase_add_test(tcase, test_no_more_than_it_takes);
	tcase_add_test(tcase, test_resolved_once);
	return support_run("evaluation", tcase);
}
