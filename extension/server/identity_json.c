/*
 * The JSON of identities.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/json_write.h"
#include "engine/pystr.h"

#include "identity_json.h"

void
identity_append_trait(StringInfo buffer, int64 id, Str name, const JsonValue *value,
                      bool transient)
{
	if (id == 0)
		json_write_raw(buffer, STR("{\"id\":null,\"trait_key\":"));
	else
		appendStringInfo(buffer, "{\"id\":" INT64_FORMAT ",\"trait_key\":", id);
	json_write_string(buffer, name);
	json_write_raw(buffer, STR(",\"trait_value\":"));
	if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
		json_write_string(buffer, py_str_text(value));
	else if (value->type == JSON_STRING)
		json_write_string(buffer, value->string);
	else
		json_write_raw(buffer, value->raw);
	json_write_raw(buffer, transient ? STR(",\"transient\":true}")
	                                 : STR(",\"transient\":false}"));
}

/* A flag of a result, and its place there. */
typedef struct PlacedFlag
{
	int64 lowest_id;
	uint32 place;
	FlagResult flag;
} PlacedFlag;

static int
compare_placed(const void *a, const void *b)
{
	const PlacedFlag *left = a, *right = b;

	if (left->lowest_id != right->lowest_id)
		return left->lowest_id < right->lowest_id ? -1 : 1;
	return left->place < right->place ? -1 : 1;
}

/* Takes note of a state of the flag. */
static void
note_state(PlacedFlag *flags, const Flag *flag, const FeatureContext *state)
{
	int64 id;

	if (flag->output < 0)
		return;
	id = answers_of(state)->attributes.id;
	flags[flag->output].lowest_id = Min(flags[flag->output].lowest_id, id);
}

/* Takes note of the states that override flags for the identity. */
static void
note_overrides(const Environment *environment, const Identity *identity,
               const EvaluationResult *result, PlacedFlag *flags)
{
	for (uint32 i = 0; i < identity->noverrides; i++)
		note_state(flags, identity->overrides[i].flag, identity->overrides[i].feature);
	for (uint32 i = 0; i < result->nsegments; i++)
		for (uint32 j = 0; j < result->segments[i]->noverrides; j++)
		{
			const SegmentOverride *override = &result->segments[i]->overrides[j];

			note_state(flags, &environment->flags[override->flag], &override->feature);
		}
}

void
identity_order_flags(const StoredEnvironment *stored, const Identity *identity,
                     EvaluationResult *result)
{
	PlacedFlag *flags;
	bool is_sorted = true;

	if (!stored->orders_by_state)
		return;
	flags = palloc(sizeof(PlacedFlag) * Max(result->nflags, 1));
	for (uint32 i = 0; i < result->nflags; i++)
		flags[i] = (PlacedFlag){answers_of(result->flags[i].flag->feature)->attributes.id,
		                        i, result->flags[i]};
	note_overrides(stored->environment, identity, result, flags);
	for (uint32 i = 1; i < result->nflags && is_sorted; i++)
		is_sorted = flags[i - 1].lowest_id <= flags[i].lowest_id;
	if (is_sorted)
		return;
	qsort(flags, result->nflags, sizeof(PlacedFlag), compare_placed);
	for (uint32 i = 0; i < result->nflags; i++)
		result->flags[i] = flags[i].flag;
}

/* Appends an element of an array; flags are many, and mostly there is room. */
static inline void
append_element(StringInfo buffer, Str json, bool is_first)
{
	if ((Size) buffer->len + json.len + 1 >= (Size) buffer->maxlen)
		enlargeStringInfo(buffer, (int) json.len + 1);
	if (!is_first)
		buffer->data[buffer->len++] = ',';
	memcpy(buffer->data + buffer->len, json.data, json.len);
	buffer->len += (int) json.len;
}

void
identity_append_flags(StringInfo buffer, const OpenEnvironment *open,
                      const EvaluationResult *result)
{
	bool is_first = true;

	for (uint32 i = 0; i < result->nflags; i++)
	{
		const FlagResult *flag = &result->flags[i];

		if (!open_shows_flag(open, flag->flag) || open_hides_result(open, flag))
			continue;
		append_element(buffer, answer_of(flag)->document, is_first);
		is_first = false;
	}
}
