/*
 * Evaluating an identity in an environment: first the segments in their order, each with
 * the overrides that it brings; then each flag with the override that won.
 */
#include "evaluation_internal.h"

/* What an identity's own overrides come from, as far as reasons tell. */
static const Segment identity_segment = {
	.name = STR_INIT(IDENTITY_OVERRIDES_SEGMENT),
	.name_json = STR_INIT("\"" IDENTITY_OVERRIDES_SEGMENT "\""),
};

const Segment *
evaluation_identity_segment(void)
{
	return &identity_segment;
}

void
evaluation_begin(Evaluation *evaluation, const Environment *environment,
                 const Identity *identity)
{
	*evaluation = (Evaluation){.environment = environment, .identity = identity};
	evaluation->matches = palloc0(sizeof(MatchMemo) * Max(environment->nsegments, 1));
}

FlagResult
evaluation_answer(const Evaluation *evaluation, const Flag *flag,
                  const FeatureContext *feature, const Segment *segment,
                  FlagReason reason)
{
	FlagResult result = {flag, feature, segment, VARIANT_NONE, reason};

	if (feature->nvariants > 0 && evaluation->identity != NULL)
		result.variant = feature_choose_variant(feature, evaluation->identity->hash_key);
	if (result.variant >= 0)
		result.reason = REASON_SPLIT;
	return result;
}

const FeatureContext *
evaluation_identity_override(const Evaluation *evaluation, uint32 flag)
{
	const Identity *identity = evaluation->identity;

	for (uint32 i = 0; identity != NULL && i < identity->noverrides; i++)
		if (identity->overrides[i].flag == &evaluation->environment->flags[flag])
			return identity->overrides[i].feature;
	return NULL;
}

/* Whether a segment matches; one that reads no flag gives the same answer every time. */
static bool
match_once(Evaluation *evaluation, const Segment *segment)
{
	MatchMemo *memo = &evaluation->matches[segment - evaluation->environment->segments];
	bool matches;

	if (segment->reads_flags)
		return match_segment(evaluation, segment);
	if (*memo != MATCH_UNKNOWN)
		return *memo == MATCH_YES;
	matches = match_segment(evaluation, segment);
	*memo = matches ? MATCH_YES : MATCH_NO;
	return matches;
}

/* Takes over the overrides of a segment that matches where they are the strongest. */
static void
apply_overrides(const Segment *segment, Override *winners, uint32 number)
{
	for (uint32 i = 0; i < segment->noverrides; i++)
	{
		const SegmentOverride *override = &segment->overrides[i];
		Override *winner = &winners[override->flag];

		if (feature_wins(&override->feature, winner->feature))
			*winner = (Override){number, &override->feature};
	}
}

static void
run_segments(Evaluation *evaluation, Override *winners, EvaluationResult *result)
{
	const Environment *environment = evaluation->environment;

	result->segments = palloc(sizeof(Segment *) * Max(environment->nsegments, 1));
	result->nsegments = 0;
	for (uint32 i = 0; i < environment->nsegments; i++)
	{
		const Segment *segment = &environment->segments[i];
		uint32 hits = evaluation->cycle_hits;
		bool matches = match_once(evaluation, segment);

		/* where a cycle was cut the verdict is unsound, whatever it was */
		if (evaluation->cycle_hits != hits || !matches)
			continue;
		result->segments[result->nsegments++] = segment;
		apply_overrides(segment, winners, i);
	}
}

/* The answer of an output, winner being the strongest override that matches, if any. */
static inline FlagResult
answer_output(const Evaluation *evaluation, const Output *output, const Override *winner)
{
	const Environment *environment = evaluation->environment;
	const Flag *flag = &environment->flags[output->flag];
	const FeatureContext *own = evaluation_identity_override(evaluation, output->flag);

	if (own != NULL)
		return evaluation_answer(evaluation, flag, own, &identity_segment,
		                         REASON_TARGETING_MATCH);
	if (winner->feature != NULL)
		return evaluation_answer(evaluation, flag, winner->feature,
		                         &environment->segments[winner->segment],
		                         REASON_TARGETING_MATCH);
	return evaluation_answer(evaluation, flag, output->feature, NULL,
	                         flag->noverrides > 0 ? REASON_DEFAULT : REASON_STATIC);
}

/* Puts what was resolved for conditions over the flags of the same names. */
static void
merge_resolved(Evaluation *evaluation, EvaluationResult *result)
{
	const Environment *environment = evaluation->environment;

	if (evaluation->states == NULL)
		return;
	for (uint32 i = 0; i < evaluation->nresolved; i++)
	{
		uint32 flag = evaluation->resolved[i];
		int64 output = environment->flags[flag].output;

		if (output < 0)
			output = result->nflags++;
		result->flags[output] = evaluation->states[flag].result;
	}
	for (uint32 i = 0; i < environment->noutputs; i++)
		if (evaluation->states[environment->outputs[i].flag].cyclic)
			result->flags[i].reason = REASON_CIRCULAR_DEPENDENCY;
}

void
evaluation_run(const Environment *environment, const Identity *identity,
               EvaluationResult *result)
{
	Evaluation evaluation;
	Override *winners = palloc0(sizeof(Override) * Max(environment->nflags, 1));
	uint32 room;

	evaluation_begin(&evaluation, environment, identity);
	run_segments(&evaluation, winners, result);
	/* where flags are read, a feature may be resolved under a name that is no output's */
	room =
		environment->noutputs + (environment->reads_flags ? environment->nfeatures : 0);
	result->flags = palloc(sizeof(FlagResult) * Max(room, 1));
	result->nflags = environment->noutputs;
	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		const Output *output = &environment->outputs[i];

		result->flags[i] = answer_output(&evaluation, output, &winners[output->flag]);
	}
	merge_resolved(&evaluation, result);
}

/* Whether evaluating the flag involves a segment that reads flags: then only a whole run
 * has the order in which they are resolved. */
static bool
depends_on_flags(const Environment *environment, const Flag *flag)
{
	for (uint32 i = 0; i < flag->noverrides; i++)
		if (environment->segments[flag->overrides[i].segment].reads_flags)
			return true;
	return false;
}

static FlagResult
run_one_flag(const Environment *environment, const Identity *identity, const Flag *flag)
{
	Evaluation evaluation;
	Override winner = {0, NULL};

	evaluation_begin(&evaluation, environment, identity);
	for (uint32 i = 0; i < flag->noverrides; i++)
	{
		const Override *override = &flag->overrides[i];

		if (match_once(&evaluation, &environment->segments[override->segment]) &&
		    feature_wins(override->feature, winner.feature))
			winner = *override;
	}
	return answer_output(&evaluation, &environment->outputs[flag->output], &winner);
}

FlagResult
evaluation_flag(const Environment *environment, const Identity *identity,
                const Flag *flag)
{
	EvaluationResult result;

	if (!depends_on_flags(environment, flag))
		return run_one_flag(environment, identity, flag);
	evaluation_run(environment, identity, &result);
	return result.flags[flag->output];
}

bool
evaluation_segment(const Environment *environment, const Identity *identity,
                   const Segment *segment)
{
	EvaluationResult result;

	if (!segment->reads_flags)
	{
		/* no other segment is asked: nothing to remember of any */
		Evaluation evaluation = {.environment = environment, .identity = identity};

		return match_segment(&evaluation, segment);
	}
	evaluation_run(environment, identity, &result);
	for (uint32 i = 0; i < result.nsegments; i++)
		if (result.segments[i] == segment)
			return true;
	return false;
}

FlagResult
evaluation_default(const Flag *flag)
{
	return (FlagResult){flag, flag->feature, NULL, VARIANT_NONE,
	                    flag->noverrides > 0 ? REASON_DEFAULT : REASON_STATIC};
}

void
evaluation_append_reason(StringInfo buffer, const FlagResult *result)
{
	Str text = STR("");

	switch (result->reason)
	{
		case REASON_STATIC:
			appendStringInfoString(buffer, "STATIC");
			return;
		case REASON_DEFAULT:
			appendStringInfoString(buffer, "DEFAULT");
			return;
		case REASON_TARGETING_MATCH:
			text = result->segment->name;
			appendStringInfoString(buffer, "TARGETING_MATCH; segment=");
			break;
		case REASON_SPLIT:
			text = result->feature->variants[result->variant].weight;
			appendStringInfoString(buffer, "SPLIT; weight=");
			break;
		case REASON_CIRCULAR_DEPENDENCY:
			appendStringInfoString(buffer, "ERROR; code=CIRCULAR_DEPENDENCY");
			return;
	}
	appendBinaryStringInfo(buffer, text.data, text.len);
}
