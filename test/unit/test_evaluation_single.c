/*
 * One flag, one segment: the answers are those of a whole evaluation, in environments at
 * random.
 */
#include "evaluated.h"

#define FLAGS 6
#define SEGMENTS 6
#define ENVIRONMENTS 300 /* a test; there are several tests */
#define TESTS 6

static uint64 random_state;

/* A number from 0 to below limit: the same ones each time. */
static int
pick(int limit)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
	               UINT64CONST(1442695040888963407);
	return (int) ((random_state >> 33) % limit);
}

static void
append_condition(StringInfo text)
{
	static const char *const properties[] = {
		"$.flags.f%d.enabled",
		"$.flags.f%d.enabled",
		"$.flags.f%d.value",
		"$.flags.f%d.reason",
		"$.flags[\\\"f%d\\\"].*",
		"$.flags.*.enabled",
		"$.identity.traits.t%d",
		"$.features.f%d.enabled",
		"t%d",
		"t%d",
		"t%d",
		"t%d",
	};
	static const char *const comparisons[] = {
		"'operator': 'IS_SET'",
		"'operator': 'IS_NOT_SET'",
		"'operator': 'EQUAL', 'value': 'true'",
		"'operator': 'NOT_EQUAL', 'value': 'true'",
		"'operator': 'EQUAL', 'value': '1'",
		"'operator': 'REGEX', 'value': '[TS1]'",
	};

	appendStringInfoString(text, "{'property': '");
	appendStringInfo(text, properties[pick(lengthof(properties))], pick(FLAGS));
	appendStringInfo(text, "', %s}", comparisons[pick(lengthof(comparisons))]);
}

static void
append_rule(StringInfo text, int depth)
{
	static const char *const types[] = {"ALL", "ANY", "NONE"};
	int nconditions = pick(3);

	appendStringInfo(text, "{'type': '%s', 'conditions': [", types[pick(3)]);
	for (int i = 0; i < nconditions; i++)
	{
		appendStringInfoString(text, i == 0 ? "" : ", ");
		append_condition(text);
	}
	appendStringInfoString(text, "], 'rules': [");
	if (depth > 0 && pick(2) == 0)
		append_rule(text, depth - 1);
	appendStringInfoString(text, "]}");
}

/* A feature of a random value and, at times, with a split and a priority. */
static void
append_feature(StringInfo text, int name)
{
	appendStringInfo(text, "{'name': 'f%d', 'enabled': %s, 'value': %d", name,
	                 pick(2) == 0 ? "true" : "false", pick(3));
	if (pick(3) > 0)
		appendStringInfo(text, ", 'priority': %d", pick(3));
	if (pick(4) == 0)
		appendStringInfo(text,
		                 ", 'key': 'f', 'variants': [{'value': 'v', 'weight': %d,"
		                 " 'priority': 1}]",
		                 50 * pick(3));
	appendStringInfoChar(text, '}');
}

static void
append_segment(StringInfo text, int number)
{
	int noverrides = pick(4);

	appendStringInfo(text, "'s%d': {'name': 's%d', 'key': '%d', 'rules': [", number,
	                 number, number);
	append_rule(text, 1);
	appendStringInfoString(text, "], 'overrides': [");
	for (int i = 0; i < noverrides; i++)
	{
		appendStringInfoString(text, i == 0 ? "" : ", ");
		append_feature(text, pick(FLAGS));
	}
	appendStringInfoString(text, "]}");
}

static char *
random_context(void)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "{'environment': {'key': 'e'}, 'features': {");
	for (int i = 0; i < FLAGS; i++)
	{
		/* some are listed under the name of another */
		appendStringInfo(&text, "%s'f%d': ", i == 0 ? "" : ", ",
		                 pick(10) == 0 ? pick(FLAGS) : i);
		append_feature(&text, i);
	}
	appendStringInfoString(&text, "}, 'segments': {");
	for (int i = 0; i < SEGMENTS; i++)
	{
		appendStringInfoString(&text, i == 0 ? "" : ", ");
		append_segment(&text, i);
	}
	appendStringInfoString(&text, "}");
	if (pick(5) > 0)
	{
		appendStringInfo(&text, ", 'identity': {'identifier': '%d', 'traits': {",
		                 pick(100));
		for (int i = 0; i < FLAGS; i++)
			appendStringInfo(&text, "%s't%d': %s", i == 0 ? "" : ", ", i,
			                 pick(2) == 0 ? "true" : "1");
		appendStringInfoString(&text, "}}");
	}
	appendStringInfoChar(&text, '}');
	return text.data;
}

static bool
is_in_result(const EvaluationResult *result, const Segment *segment)
{
	for (uint32 i = 0; i < result->nsegments; i++)
		if (result->segments[i] == segment)
			return true;
	return false;
}

static void
check_flag(const char *context, const FlagResult *single, const FlagResult *whole)
{
	ck_assert_msg(
		single->flag == whole->flag && single->feature == whole->feature &&
			single->segment == whole->segment && single->variant == whole->variant &&
			single->reason == whole->reason,
		"%s: %s, not %s", context, evaluated_flag(single), evaluated_flag(whole));
}

/* What the random environments have to have shown. */
static int seen[REASON_CIRCULAR_DEPENDENCY + 1];
static int seen_in, seen_out;

static void
check_environment(const char *context)
{
	Evaluated *evaluated = evaluated_run(context);
	const Environment *environment = evaluated->environment;
	const Identity *identity = evaluated_identity(evaluated);
	const EvaluationResult *result = &evaluated->result;

	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		const Flag *flag = &environment->flags[environment->outputs[i].flag];
		FlagResult single = evaluation_flag(environment, identity, flag);

		check_flag(context, &single, &result->flags[i]);
		seen[single.reason]++;
	}
	for (uint32 i = 0; i < environment->nsegments; i++)
	{
		bool single =
			evaluation_segment(environment, identity, &environment->segments[i]);

		ck_assert_msg(single == is_in_result(result, &environment->segments[i]),
		              "%s: s%d", context, i);
		seen_in += single;
		seen_out += !single;
	}
}

START_TEST(test_random)
{
	random_state = _i;
	for (int i = 0; i < ENVIRONMENTS; i++)
		check_environment(random_context());
	for (int reason = 0; reason < (int) lengthof(seen); reason++)
		ck_assert_int_gt(seen[reason], ENVIRONMENTS / 10);
	ck_assert_int_gt(seen_in, ENVIRONMENTS);
	ck_assert_int_gt(seen_out, ENVIRONMENTS);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("evaluation_single");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_random, 0, TESTS);
	return support_run("evaluation_single", tcase);
}
