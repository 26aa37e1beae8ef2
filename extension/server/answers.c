/*
 * Writing answers.
 *
 * A context without variants has one outcome.  One with variants has two more than these:
 * at 0 the identity has hit none (VARIANT_CONTROL), at 1 there was none to bucket
 * (VARIANT_NONE), then come the variants.
 */
#include "postgres.h"
#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "engine/json_write.h"

#include "answers.h"
#include "arguments.h"
#include "report.h"

StaticAssertDecl(VARIANT_CONTROL == -2 && VARIANT_NONE == -1,
                 "outcomes are in that order");

/* Appends an id, or null: for none, or where the environment hides it. */
static void
append_id(StringInfo buffer, const char *member, int64 id, bool hidden)
{
	if (id == 0 || hidden)
		appendStringInfo(buffer, "%s:null", member);
	else
		appendStringInfo(buffer, "%s:" INT64_FORMAT, member, id);
}

/* The variant as the API gives it: a multivariate feature always has one. */
static Str
shown_variant(const FlagResult *result, const Attributes *attributes)
{
	if (!attributes->is_multivariate)
		return STR("null");
	return feature_variant_key(result->feature, result->variant == VARIANT_NONE
	                                                ? VARIANT_CONTROL
	                                                : result->variant);
}

static Str
write_document(const FlagResult *result, const Attributes *attributes, bool hide_ids,
               uint32 *variant_at)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	append_id(&buffer, "{\"id\"", attributes->id, hide_ids);
	append_id(&buffer, ",\"feature\":{\"id\"", attributes->feature_id, false);
	appendStringInfoString(&buffer, ",\"name\":");
	json_write_raw(&buffer, result->feature->name_json);
	appendStringInfoString(&buffer, ",\"type\":");
	json_write_raw(&buffer, attributes->feature_type);
	json_write_raw(&buffer, attributes->feature_details);
	appendStringInfoString(&buffer, "},\"feature_state_value\":");
	json_write_raw(&buffer, feature_value(result->feature, result->variant));
	json_write_raw(&buffer, attributes->owner);
	append_id(&buffer, ",\"feature_segment\"", attributes->feature_segment, hide_ids);
	appendStringInfo(&buffer, ",\"enabled\":%s",
	                 result->feature->enabled ? "true" : "false");
	*variant_at = buffer.len;
	appendStringInfoString(&buffer, ",\"variant\":");
	json_write_raw(&buffer, shown_variant(result, attributes));
	appendStringInfoChar(&buffer, '}');
	return str_make(buffer.data, buffer.len);
}

/* A text of JSON text: the string's characters; (Datum) 0 if it is null. */
static Datum
text_of_json(Str json)
{
	JsonValue value;
	EngineError error;

	if (str_equal(json, STR("null")))
		return (Datum) 0;
	if (!json_parse(json, &value, &error))
		report_engine_error(&error, "stored variant");
	return argument_make_text(value.type == JSON_STRING ? value.string : value.raw);
}

static Answer
make_answer(const FlagResult *result, const Attributes *attributes, bool hide_ids,
            MemoryContext target)
{
	const FeatureContext *feature = result->feature;
	uint32 variant_at;
	Str document = write_document(result, attributes, hide_ids, &variant_at);
	Datum value = argument_make_jsonb(feature_value(feature, result->variant));
	Datum variant = text_of_json(feature_variant_key(feature, result->variant));
	StringInfoData reason;
	MemoryContext old;
	Answer answer;

	initStringInfo(&reason);
	evaluation_append_reason(&reason, result);

	old = MemoryContextSwitchTo(target);
	answer.document = str_copy(document);
	answer.variant_at = variant_at;
	answer.value = datumCopy(value, false, -1);
	answer.variant = variant == (Datum) 0 ? variant : datumCopy(variant, false, -1);
	answer.reason = argument_make_text(str_make(reason.data, reason.len));
	MemoryContextSwitchTo(old);
	return answer;
}

Answers *
answers_make(const FlagResult *base, const Attributes *attributes, bool hide_ids,
             MemoryContext target)
{
	const FeatureContext *feature = base->feature;
	int noutcomes = feature->nvariants == 0 ? 1 : (int) feature->nvariants + 2;
	Answers *answers = MemoryContextAlloc(target, sizeof(Answers));
	FlagResult result = *base;
	MemoryContext old;

	answers->attributes = *attributes;
	old = MemoryContextSwitchTo(target);
	answers->feature = argument_make_text(feature->name);
	answers->outcomes = palloc(sizeof(Answer) * noutcomes);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < noutcomes; i++)
	{
		result.variant = noutcomes == 1 ? VARIANT_NONE : i + VARIANT_CONTROL;
		result.reason = result.variant >= 0 ? REASON_SPLIT : base->reason;
		answers->outcomes[i] =
			make_answer(&result, &answers->attributes, hide_ids, target);
	}
	/* not kept */
	answers->attributes.feature_type = STR("");
	answers->attributes.feature_details = STR("");
	answers->attributes.owner = STR("");
	return answers;
}
