/*
 * Flags that depend on flags: a flag that a condition reads is resolved then and there,
 * once, with the overrides of the segments that name it.
 *
 * A flag that is read while it is being resolved closes a cycle.  The read finds null,
 * all flags on the way round are marked and get no result, and cycle_hits tells whoever
 * evaluated a segment meanwhile that its verdict rests on a flag that had no answer.
 */
#include "evaluation_internal.h"

#include "json_write.h"

/* Places in the object that a flag's result is to queries. */
enum
{
	MEMBER_ENABLED,
	MEMBER_NAME,
	MEMBER_REASON,
	MEMBER_VALUE,
	MEMBER_VARIANT,
	MEMBER_METADATA,
	MEMBER_COUNT
};

static void
allocate(Evaluation *evaluation)
{
	uint32 nflags = evaluation->environment->nflags;

	if (evaluation->states != NULL)
		return;
	evaluation->states = palloc0(sizeof(FlagState) * nflags);
	evaluation->stack = palloc(sizeof(uint32) * nflags);
	evaluation->resolved = palloc(sizeof(uint32) * nflags);
}

/* Marks all flags from the first read of this one to the last that is being resolved. */
static void
cut_cycle(Evaluation *evaluation, uint32 flag)
{
	for (uint32 i = evaluation->states[flag].stack_place - 1; i < evaluation->nstack; i++)
		evaluation->states[evaluation->stack[i]].cyclic = true;
	evaluation->cycle_hits++;
}

/* Whether a segment matches, for a resolution: remembered unless a cycle was met. */
static bool
match_for_flag(Evaluation *evaluation, uint32 segment)
{
	MatchMemo *memo = &evaluation->matches[segment];
	uint32 hits = evaluation->cycle_hits;
	bool matches;

	if (*memo != MATCH_UNKNOWN)
		return *memo == MATCH_YES;
	matches = match_segment(evaluation, &evaluation->environment->segments[segment]);
	if (evaluation->cycle_hits != hits)
		return false;
	*memo = matches ? MATCH_YES : MATCH_NO;
	return matches;
}

/* The override that wins for the flag, or NULL. */
static const Override *
choose_override(Evaluation *evaluation, const Flag *flag)
{
	const Override *winner = NULL;

	for (uint32 i = 0; i < flag->noverrides; i++)
	{
		const Override *override = &flag->overrides[i];

		if (match_for_flag(evaluation, override->segment) &&
		    feature_wins(override->feature, winner == NULL ? NULL : winner->feature))
			winner = override;
	}
	return winner;
}

static FlagResult
resolve_result(Evaluation *evaluation, uint32 number)
{
	const Flag *flag = &evaluation->environment->flags[number];
	const FeatureContext *own = evaluation_identity_override(evaluation, number);
	const Override *override;

	/* an identity's own override asks no segment */
	if (own != NULL)
		return evaluation_answer(evaluation, flag, own, evaluation_identity_segment(),
		                         REASON_TARGETING_MATCH);
	override = choose_override(evaluation, flag);
	if (override != NULL)
		return evaluation_answer(evaluation, flag, override->feature,
		                         &evaluation->environment->segments[override->segment],
		                         REASON_TARGETING_MATCH);
	return evaluation_answer(evaluation, flag, flag->feature, NULL,
	                         flag->noverrides > 0 ? REASON_DEFAULT : REASON_STATIC);
}

static void
resolve(Evaluation *evaluation, uint32 number)
{
	FlagState *state = &evaluation->states[number];
	FlagResult result;

	if (state->stack_place > 0)
	{
		cut_cycle(evaluation, number);
		return;
	}
	if (evaluation->environment->flags[number].feature == NULL ||
	    evaluation->depth >= EVALUATION_MAX_DEPTH)
		return;

	evaluation->depth++;
	evaluation->stack[evaluation->nstack++] = number;
	state->stack_place = evaluation->nstack;
	result = resolve_result(evaluation, number);
	state->stack_place = 0;
	evaluation->nstack--;
	evaluation->depth--;

	if (state->cyclic)
		return;
	state->result = result;
	state->resolved = true;
	evaluation->resolved[evaluation->nresolved++] = number;
}

const FlagResult *
flags_read(Evaluation *evaluation, uint32 flag)
{
	FlagState *state;

	allocate(evaluation);
	state = &evaluation->states[flag];
	if (!state->resolved)
		resolve(evaluation, flag);
	return state->resolved ? &state->result : NULL;
}

/* The JSON value of a text that is known to be JSON. */
static JsonValue
parse_known(Str text)
{
	JsonValue value = {.type = JSON_NULL, .raw = STR("null")};
	EngineError ignored;

	if (!json_parse(text, &value, &ignored))
		value = (JsonValue){.type = JSON_NULL, .raw = STR("null")};
	return value;
}

static Str
reason_text(const FlagResult *result)
{
	StringInfoData text;

	initStringInfo(&text);
	evaluation_append_reason(&text, result);
	return str_make(text.data, text.len);
}

static ContextValue
value_of_json_text(Str text)
{
	JsonValue value = parse_known(text);

	if (value.type == JSON_ARRAY || value.type == JSON_OBJECT)
		return NULL_VALUE;
	return value_coerce(value_from_json(&value));
}

static ContextValue
value_of_text(Str text)
{
	return value_coerce((ContextValue){.type = VALUE_STRING, .string = text});
}

ContextValue
flags_read_member(Evaluation *evaluation, uint32 flag, FlagMember member)
{
	const FlagResult *result = flags_read(evaluation, flag);

	if (result == NULL)
		return NULL_VALUE;
	switch (member)
	{
		case FLAG_ENABLED:
			return (ContextValue){.type = VALUE_BOOL,
			                      .boolean = result->feature->enabled};
		case FLAG_VALUE:
			return value_of_json_text(feature_value(result->feature, result->variant));
		case FLAG_VARIANT:
			return value_of_json_text(
				feature_variant_key(result->feature, result->variant));
		case FLAG_REASON:
			return value_of_text(reason_text(result));
		case FLAG_NAME:
			return value_of_text(result->feature->name);
	}
	return NULL_VALUE;
}

/* A flag's result as the object that queries see. */
static JsonValue *
make_json(const FlagResult *result)
{
	const FeatureContext *feature = result->feature;
	JsonMember *members = palloc0(sizeof(JsonMember) * MEMBER_COUNT);
	JsonValue *object = palloc0(sizeof(JsonValue));

	members[MEMBER_ENABLED] =
		(JsonMember){STR("enabled"),
	                 {.type = JSON_BOOL,
	                  .raw = feature->enabled ? STR("true") : STR("false"),
	                  .boolean = feature->enabled}};
	members[MEMBER_NAME] = (JsonMember){STR("name"), json_make_string(feature->name)};
	members[MEMBER_REASON] =
		(JsonMember){STR("reason"), json_make_string(reason_text(result))};
	members[MEMBER_VALUE] =
		(JsonMember){STR("value"), parse_known(feature_value(feature, result->variant))};
	members[MEMBER_VARIANT] = (JsonMember){
		STR("variant"), parse_known(feature_variant_key(feature, result->variant))};
	object->count = MEMBER_METADATA;
	if (feature->metadata.len > 0)
		members[object->count++] =
			(JsonMember){STR("metadata"), parse_known(feature->metadata)};
	object->type = JSON_OBJECT;
	object->raw = STR("{}");
	object->members = members;
	return object;
}

static const JsonValue *
json_of(Evaluation *evaluation, uint32 flag)
{
	FlagState *state = &evaluation->states[flag];

	if (state->json == NULL)
		state->json = make_json(&state->result);
	return state->json;
}

/* JsonFlags.get: the evaluation that the flags are part of resolves the name. */
static const JsonValue *
get_flag(JsonFlags *flags, Str name)
{
	Evaluation *evaluation =
		(Evaluation *) ((char *) flags - offsetof(Evaluation, flags));
	int64 number = strtable_find(evaluation->environment->flag_names, name);

	if (number < 0 || flags_read(evaluation, (uint32) number) == NULL)
		return NULL;
	return json_of(evaluation, (uint32) number);
}

/* JsonFlags.at */
static const JsonValue *
get_flag_at(JsonFlags *flags, uint32 index)
{
	Evaluation *evaluation =
		(Evaluation *) ((char *) flags - offsetof(Evaluation, flags));

	return index < evaluation->nresolved
	           ? json_of(evaluation, evaluation->resolved[index])
	           : NULL;
}

/* The context: what the environment knows, the identity, and the flags. */
static JsonValue *
make_root(Evaluation *evaluation)
{
	const JsonValue *context = &evaluation->environment->root;
	const Identity *identity = evaluation->identity;
	JsonValue *root = palloc(sizeof(JsonValue));

	*root = *context;
	root->members = palloc(sizeof(JsonMember) * (context->count + 2));
	memcpy(root->members, context->members, sizeof(JsonMember) * context->count);
	if (identity != NULL && identity->json != NULL)
		json_set(root, STR("identity"), *identity->json(identity->argument));
	evaluation->flags = (JsonFlags){.get = get_flag, .at = get_flag_at};
	json_set(
		root, STR("flags"),
		(JsonValue){.type = JSON_FLAGS, .raw = STR("{}"), .flags = &evaluation->flags});
	return root;
}

const JsonValue *
flags_query(Evaluation *evaluation, const JsonPath *path)
{
	if (evaluation->root == NULL)
		evaluation->root = make_root(evaluation);
	return jsonpath_first(path, evaluation->root);
}
