/*
 * Evaluations that go deep: rules in rules, and flags that depend on flags in long chains.
 * What lies beyond the limit is false; nothing of it may end the process.
 */
#include "evaluated.h"

/* How a segment asks whether a flag is on: by a path of its own, or by a query. */
static const char *const asks[] = {
	CONDITION("$.flags.f%d.enabled", "EQUAL", "true"),
	CONDITION("$.flags.f%d[\\\"enabled\\\", \\\"value\\\"]", "EQUAL", "true"),
};

/* Writes a segment that overrides a flag if another is on, a condition below nrules rules. */
static void
append_link(StringInfo text, const char *ask, int number, int other, int nrules)
{
	appendStringInfo(text,
	                 "'s%d': {'name': 's%d', 'key': 's', 'overrides': [{'name': 'f%d',"
	                 " 'enabled': true, 'value': 1}], 'rules': [%s{'type': 'ALL',"
	                 " 'conditions': [%s]}%s]}, ",
	                 number, number, number,
	                 support_repeat("{'type': 'ALL', 'rules': [", nrules - 1),
	                 psprintf(ask, other), support_repeat("]}", nrules - 1));
}

typedef struct Chain
{
	int length;
	const char *ask;
	bool descending; /* the segments, against the order in which they depend */
	bool closed;     /* the last reads the first: all are off */
	int nrules;
} Chain;

/* A chain of flags, each on if the next is, and one more that is on. */
static char *
write(Chain chain)
{
	StringInfoData text;
	int length = chain.length;

	initStringInfo(&text);
	appendStringInfoString(&text, "{'features': {");
	for (int i = 0; i < length; i++)
		appendStringInfo(&text, "'f%d': {'name': 'f%d', 'enabled': false, 'value': 0}, ",
		                 i, i);
	appendStringInfo(
		&text, "'f%d': {'name': 'f%d', 'enabled': true, 'value': 1}}, 'segments': {",
		length, length);
	for (int i = 0; i < length; i++)
	{
		int number = chain.descending ? length - 1 - i : i;
		int other = chain.closed && number == length - 1 ? 0 : number + 1;

		append_link(&text, chain.ask, number, other, Max(chain.nrules, 1));
	}
	appendStringInfoString(&text, SEGMENT("last", ALWAYS, "") "}}");
	return text.data;
}

static const EvaluationResult *
run(Chain chain)
{
	return &evaluated_run(write(chain))->result;
}

static int
count_on(const EvaluationResult *result)
{
	int count = 0;

	for (uint32 i = 0; i < result->nflags; i++)
		count += result->flags[i].feature->enabled;
	return count;
}

/* As long as the limit bears, all of them are on. */
START_TEST(test_chain)
{
	int length = EVALUATION_MAX_DEPTH / 2 - 10;
	const EvaluationResult *result = run((Chain){.length = length, .ask = asks[0]});

	ck_assert_int_eq(count_on(result), length + 1);
	ck_assert_int_eq(result->nsegments, length + 1);
}
END_TEST

/* A chain of any length is no deep one where each flag is read before it is needed. */
START_TEST(test_shallow_chain)
{
	const EvaluationResult *result =
		run((Chain){.length = 5000, .ask = asks[_i], .descending = true});

	ck_assert_int_eq(count_on(result), 5001);
	ck_assert_int_eq(result->nsegments, 5001);
}
END_TEST

/* Flags beyond the limit are off, those within it on, and the evaluation goes on. */
START_TEST(test_long_chain)
{
	const EvaluationResult *result = run((Chain){.length = 5000, .ask = asks[_i]});

	ck_assert_uint_eq(result->nflags, 5001);
	ck_assert(!result->flags[0].feature->enabled);
	ck_assert(result->flags[4999].feature->enabled);
	ck_assert(result->flags[5000].feature->enabled);
	ck_assert_str_eq(support_cstring(result->segments[result->nsegments - 1]->name),
	                 "last");
	for (uint32 i = 0; i < result->nflags; i++)
		ck_assert_int_ne(result->flags[i].reason, REASON_CIRCULAR_DEPENDENCY);
}
END_TEST

/* Each step of the chain through all the rules that there may be. */
START_TEST(test_chain_through_rules)
{
	const EvaluationResult *result =
		run((Chain){.length = 3, .ask = asks[_i], .nrules = RULE_MAX_DEPTH});

	ck_assert_int_eq(count_on(result), 4);
	result = run((Chain){.length = 20, .ask = asks[_i], .nrules = RULE_MAX_DEPTH});
	ck_assert_uint_eq(result->nflags, 21);
	ck_assert(!result->flags[0].feature->enabled);
	ck_assert(result->flags[20].feature->enabled);
}
END_TEST

START_TEST(test_ring)
{
	int length = 500;
	const EvaluationResult *result =
		run((Chain){.length = length, .ask = asks[0], .closed = true});

	for (int i = 0; i < length; i++)
		ck_assert_int_eq(result->flags[i].reason, REASON_CIRCULAR_DEPENDENCY);
	ck_assert_int_eq(result->flags[length].reason, REASON_STATIC);
	ck_assert_int_eq(count_on(result), 1);
	ck_assert_uint_eq(result->nsegments, 1);
}
END_TEST

/* Too long to come round: its flags are off even so. */
START_TEST(test_long_ring)
{
	const EvaluationResult *result =
		run((Chain){.length = 3000, .ask = asks[_i], .closed = true});

	ck_assert_uint_eq(result->nflags, 3001);
	ck_assert_int_eq(count_on(result), 1);
	ck_assert_uint_eq(result->nsegments, 1);
}
END_TEST

START_TEST(test_nested_rules)
{
	char *open = psprintf("{'type': '%s', 'rules': [", _i == 0 ? "ALL" : "ANY");
	char *text = psprintf(CONTEXT("", "'s': {'name': 's', 'key': 's', 'rules': ["
	                                  "%s{'type': 'ALL', 'conditions': [%s]}%s]}"),
	                      support_repeat(open, RULE_MAX_DEPTH - 1), "%s",
	                      support_repeat("]}", RULE_MAX_DEPTH - 1));
	Evaluated *evaluated = evaluated_run(psprintf(text, ALWAYS));

	ck_assert_uint_eq(evaluated->result.nsegments, 1);
	evaluated = evaluated_run(psprintf(text, NEVER));
	ck_assert_uint_eq(evaluated->result.nsegments, 0);
}
END_TEST

/* NONE in NONE: an even number of them matches where the innermost condition does. */
START_TEST(test_nested_none)
{
	for (int depth = RULE_MAX_DEPTH - 2; depth < RULE_MAX_DEPTH; depth++)
	{
		char *open = support_repeat("{'type': 'NONE', 'rules': [", depth);
		Evaluated *evaluated = evaluated_run(
			psprintf(CONTEXT("", "'s': {'name': 's', 'key': 's', 'rules': ["
		                         "%s{'type': 'ALL', 'conditions': [%s]}%s]}"),
		             open, ALWAYS, support_repeat("]}", depth)));

		ck_assert_uint_eq(evaluated->result.nsegments, depth % 2 == 0);
	}
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("evaluation_depth");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_chain);
	tcase_add_loop_test(tcase, test_shallow_chain, 0, lengthof(asks));
	tcase_add_loop_test(tcase, test_long_chain, 0, lengthof(asks));
	tcase_add_loop_test(tcase, test_chain_through_rules, 0, lengthof(asks));
	tcase_add_test(tcase, test_ring);
	tcase_add_loop_test(tcase, test_long_ring, 0, lengthof(asks));
	tcase_add_loop_test(tcase, test_nested_rules, 0, 2);
	tcase_add_test(tcase, test_nested_none);
	return support_run("evaluation_depth", tcase);
}
