/*
 * Reading traits off jsonb directly: no text is written and parsed again.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "engine/context.h"
#include "engine/json_write.h"

#include "arguments.h"
#include "report.h"
#include "traits.h"

/* An array or object inside of traits, by way of its text. */
static JsonValue
nested_value(const JsonbValue *jsonb)
{
	char *text = JsonbToCString(NULL, jsonb->val.binary.data, jsonb->val.binary.len);
	JsonValue value;
	EngineError error;

	if (!json_parse(str_make(text, strlen(text)), &value, &error))
		report_engine_error(&error, "traits");
	return value;
}

static JsonValue
trait_value(const JsonbValue *jsonb)
{
	char *text;

	switch (jsonb->type)
	{
		case jbvNull:
			return (JsonValue){.type = JSON_NULL, .raw = STR("null")};
		case jbvBool:
			return (JsonValue){.type = JSON_BOOL,
			                   .raw = jsonb->val.boolean ? STR("true") : STR("false"),
			                   .boolean = jsonb->val.boolean};
		case jbvString:
			return (JsonValue){
				.type = JSON_STRING,
				.raw = STR(""),
				.string = str_make(jsonb->val.string.val, jsonb->val.string.len)};
		case jbvNumeric:
			text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(jsonb->val.numeric)));
			return (JsonValue){.type = JSON_NUMBER, .raw = str_make(text, strlen(text))};
		default:
			return nested_value(jsonb);
	}
}

/* Adds the members of a jsonb object; none if it is no object. */
static void
add_traits(JsonValue *traits, Jsonb *jsonb)
{
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		JsonMember *member;

		if (token != WJB_KEY)
			continue;
		member = &traits->members[traits->count++];
		member->name = str_make(value.val.string.val, value.val.string.len);
		JsonbIteratorNext(&iterator, &value, true);
		member->value = trait_value(&value);
	}
}

JsonValue
traits_merge(const JsonValue *stored, const JsonValue *given)
{
	JsonValue merged = {.type = JSON_OBJECT, .raw = STR("{}")};

	merged.members = palloc(sizeof(JsonMember) * (stored->count + given->count + 1));
	for (uint32 i = 0; i < stored->count; i++)
		if (json_get(given, stored->members[i].name) == NULL)
			merged.members[merged.count++] = stored->members[i];
	for (uint32 i = 0; i < given->count; i++)
		if (given->members[i].value.type != JSON_NULL)
			merged.members[merged.count++] = given->members[i];
	return merged;
}

JsonValue
traits_read(Jsonb *jsonb)
{
	JsonValue traits = {.type = JSON_OBJECT, .raw = STR("{}")};

	if (jsonb == NULL)
		return traits;
	traits.members = palloc(sizeof(JsonMember) * (JB_ROOT_COUNT(jsonb) + 1));
	add_traits(&traits, jsonb);
	return traits;
}

static ContextValue
text_value(const JsonbValue *jsonb)
{
	return (ContextValue){.type = VALUE_STRING,
	                      .string =
	                          str_make(jsonb->val.string.val, jsonb->val.string.len)};
}

Trait
traits_find(Jsonb *jsonb, Str name)
{
	JsonbValue found;
	JsonValue value;

	if (jsonb == NULL || getKeyJsonValueFromContainer(&jsonb->root, name.data,
	                                                  (int) name.len, &found) == NULL)
		return (Trait){NULL_VALUE, false};
	/* nearly all are texts: nothing in between */
	if (found.type == jbvString)
		return (Trait){value_coerce(text_value(&found)), false};
	value = trait_value(&found);
	return context_trait(&value);
}

Datum
traits_make_jsonb(const JsonValue *traits)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint32 i = 0; i < traits->count; i++)
	{
		const JsonMember *member = &traits->members[i];

		appendStringInfoChar(&text, i == 0 ? '{' : ',');
		json_write_string(&text, member->name);
		appendStringInfoChar(&text, ':');
		if (member->value.type == JSON_STRING)
			json_write_string(&text, member->value.string);
		else
			json_write_raw(&text, member->value.raw);
	}
	appendStringInfoString(&text, traits->count == 0 ? "{}" : "}");
	return argument_make_jsonb(str_make(text.data, text.len));
}

bool
traits_equal(const JsonValue *a, const JsonValue *b)
{
	ContextValue number_a, number_b;

	if (a->type != b->type)
		return false;
	if (a->type == JSON_STRING)
		return str_equal(a->string, b->string);
	if (a->type != JSON_NUMBER || str_equal(a->raw, b->raw))
		return str_equal(a->raw, b->raw);
	number_a = value_from_json(a);
	number_b = value_from_json(b);
	return number_a.type == VALUE_FLOAT && number_b.type == VALUE_FLOAT &&
	       number_a.number == number_b.number;
}
