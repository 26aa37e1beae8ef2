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
#include "utils/builtins.h"
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
	char digits[MAXINT8LEN + 1];

	appendStringInfoString(buffer, member);
	if (id == 0 || hidden)
		appendStringInfoString(buffer, ":null");
	else
	{
		appendStringInfoChar(buffer, ':');
		appendBinaryStringInfo(buffer, digits, pg_lltoa(id, digits));
	}
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
	append_id(&buffer, "{\"id\"", attributes->kept.id, hide_ids);
	append_id(&buffer, ",\"feature\":{\"id\"", attributes->kept.feature_id, false);
	appendStringInfoString(&buffer, ",\"name\":");
	json_write_raw(&buffer, result->feature->name_json);
	appendStringInfoString(&buffer, ",\"type\":");
	json_write_raw(&buffer, attributes->feature_type);
	json_write_raw(&buffer, attributes->feature_details);
	appendStringInfoString(&buffer, "},\"feature_state_value\":");
	json_write_raw(&buffer, feature_value(result->feature, result->variant));
	json_write_raw(&buffer, attributes->owner);
	append_id(&buffer, ",\"feature_segment\"", attributes->feature_segment, hide_ids);
	appendStringInfoString(&buffer, result->feature->enabled ? ",\"enabled\":true"
	                                                         : ",\"enabled\":false");
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

Datum
answers_reason(const FlagResult *result)
{
	StringInfoData reason;

	initStringInfo(&reason);
	evaluation_append_reason(&reason, result);
	return argument_make_text(str_make(reason.data, reason.len));
}

static Answer
make_answer(const FlagResult *result, Datum shared_reason, const Attributes *attributes,
            bool hide_ids)
{
	const FeatureContext *feature = result->feature;
	Answer answer;

	answer.document = write_document(result, attributes, hide_ids, &answer.variant_at);
	answer.value = argument_make_jsonb(feature_value(feature, result->variant));
	answer.variant = text_of_json(feature_variant_key(feature, result->variant));
	answer.reason = result->variant >= 0 ? answers_reason(result) : shared_reason;
	return answer;
}

/* What a value that is not toasted takes; nothing if it is null. */
static Size
size_of(Datum value)
{
	return value == (Datum) 0 ? 0 : INTALIGN(VARSIZE(DatumGetPointer(value)));
}

/* Moves a value to *end, and *end behind it. */
static void
move_value(Datum *value, char **end)
{
	Size size = size_of(*value);

	if (size == 0)
		return;
	memcpy(*end, DatumGetPointer(*value), VARSIZE(DatumGetPointer(*value)));
	*value = PointerGetDatum(*end);
	*end += size;
}

/* What all that outcomes point to takes, but for a reason that is shared. */
static Size
size_of_all(const Answers *answers, int noutcomes, Datum shared_reason)
{
	Size size = 0;

	for (int i = 0; i < noutcomes; i++)
	{
		const Answer *answer = &answers->outcomes[i];

		size += size_of(answer->value) + size_of(answer->variant) + answer->document.len;
		if (answer->reason != shared_reason)
			size += size_of(answer->reason);
	}
	return size;
}

/* Moves it to end: the documents behind all that has to be aligned. */
static void
move_all(Answers *answers, int noutcomes, Datum shared_reason, char *end)
{
	for (int i = 0; i < noutcomes; i++)
	{
		Answer *answer = &answers->outcomes[i];

		move_value(&answer->value, &end);
		move_value(&answer->variant, &end);
		if (answer->reason != shared_reason)
			move_value(&answer->reason, &end);
	}
	for (int i = 0; i < noutcomes; i++)
	{
		Str *document = &answers->outcomes[i].document;

		memcpy(end, document->data, document->len);
		document->data = end;
		end += document->len;
	}
}

Answers *
answers_make(const FlagResult *base, SharedTexts shared, const Attributes *attributes,
             bool hide_ids, MemoryContext target)
{
	const FeatureContext *feature = base->feature;
	int noutcomes = feature->nvariants == 0 ? 1 : (int) feature->nvariants + 2;
	Size head = offsetof(Answers, outcomes) + sizeof(Answer) * noutcomes;
	Answers *loose = palloc(head);
	Answers *answers;
	FlagResult result = *base;

	loose->attributes = attributes->kept;
	loose->feature = shared.feature;
	for (int i = 0; i < noutcomes; i++)
	{
		result.variant = noutcomes == 1 ? VARIANT_NONE : i + VARIANT_CONTROL;
		result.reason = result.variant >= 0 ? REASON_SPLIT : base->reason;
		loose->outcomes[i] = make_answer(&result, shared.reason, attributes, hide_ids);
	}
	answers = MemoryContextAllocHuge(target,
	                                 head + size_of_all(loose, noutcomes, shared.reason));
	memcpy(answers, loose, head);
	move_all(answers, noutcomes, shared.reason, (char *) answers + head);
	return answers;
}
