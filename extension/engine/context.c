/*
 * Evaluation contexts and evaluation results as JSON.
 */
#include "context.h"

#include "json_write.h"
#include "pystr.h"
#include "shape.h"

/* Makes the key that splits are hashed with: the environment's and the identifier. */
static bool
derive_key(const JsonValue *context, const JsonValue *json, Str *key, EngineError *error)
{
	Path root = PATH_ROOT;
	Path environment_path = path_member(&root, STR("environment"));
	Path identity_path = path_member(&root, STR("identity"));
	const JsonValue *environment, *environment_key, *identifier;
	StringInfoData text;

	if (!shape_required(context, STR("environment"), SHAPE(JSON_OBJECT), &root,
	                    &environment, error) ||
	    !shape_required(environment, STR("key"), SHAPE_ANY, &environment_path,
	                    &environment_key, error) ||
	    !shape_required(json, STR("identifier"), SHAPE_ANY, &identity_path, &identifier,
	                    error))
		return false;
	initStringInfo(&text);
	py_str(&text, environment_key);
	appendStringInfoChar(&text, '_');
	py_str(&text, identifier);
	*key = str_make(text.data, text.len);
	return true;
}

/* The identity object with its key filled in: at its place, or else at the end. */
static JsonValue *
with_key(const JsonValue *json, Str key)
{
	JsonValue *copy = palloc(sizeof(JsonValue));

	*copy = *json;
	copy->members = palloc(sizeof(JsonMember) * (json->count + 1));
	memcpy(copy->members, json->members, sizeof(JsonMember) * json->count);
	json_set(copy, STR("key"), json_make_string(key));
	return copy;
}

/* Identity.json for an identity whose JSON is at hand. */
static const JsonValue *
json_at_hand(void *argument)
{
	return argument;
}

Trait
context_trait(const JsonValue *value)
{
	return (Trait){value_coerce(value_from_json(value)),
	               value->type == JSON_ARRAY || value->type == JSON_OBJECT};
}

void
context_set_trait(const Environment *environment, Identity *identity, Str name,
                  const JsonValue *value)
{
	int64 number = environment_trait(environment, name);

	if (number < 0)
		return;
	identity->traits[number] = context_trait(value);
}

static bool
read_key(const JsonValue *context, const JsonValue *json, Identity *identity,
         EngineError *error)
{
	Path root = PATH_ROOT;
	Path path = path_member(&root, STR("identity"));
	const JsonValue *key;

	if (!shape_optional(json, STR("key"),
	                    SHAPE_OR_NULL(JSON_STRING) | SHAPE(JSON_NUMBER) |
	                        SHAPE(JSON_BOOL),
	                    &path, &key, error))
		return false;
	/* an empty key counts as none */
	if (key == NULL || !py_is_true(key))
	{
		if (!derive_key(context, json, &identity->hash_key, error))
			return false;
		identity->key =
			(ContextValue){.type = VALUE_STRING, .string = identity->hash_key};
		identity->argument = with_key(json, identity->hash_key);
		return true;
	}
	identity->key = value_from_json(key);
	identity->hash_key = py_str_text(key);
	identity->argument = unconstify(JsonValue *, json);
	return true;
}

bool
context_identity(const JsonValue *context, const Environment *environment,
                 Identity *identity, bool *present, EngineError *error)
{
	Path root = PATH_ROOT;
	Path path = path_member(&root, STR("identity"));
	const JsonValue *json, *traits, *identifier;

	*present = false;
	memset(identity, 0, sizeof(*identity));
	if (!shape_optional(context, STR("identity"), SHAPE_OR_NULL(JSON_OBJECT), &root,
	                    &json, error))
		return false;
	if (json == NULL || json->count == 0)
		return true;
	if (!read_key(context, json, identity, error) ||
	    !shape_optional(json, STR("traits"), SHAPE_OR_NULL(JSON_OBJECT), &path, &traits,
	                    error))
		return false;

	identifier = json_get(json, STR("identifier"));
	if (identifier != NULL && identifier->type != JSON_ARRAY &&
	    identifier->type != JSON_OBJECT)
		identity->identifier = value_from_json(identifier);
	identity->json = json_at_hand;
	identity->traits = palloc0(sizeof(Trait) * Max(environment_ntraits(environment), 1));
	for (uint32 i = 0; traits != NULL && i < traits->count; i++)
		context_set_trait(environment, identity, traits->members[i].name,
		                  &traits->members[i].value);
	*present = true;
	return true;
}

static void
write_flag(StringInfo buffer, const FlagResult *result)
{
	const FeatureContext *feature = result->feature;
	StringInfoData reason;

	initStringInfo(&reason);
	evaluation_append_reason(&reason, result);
	json_write_string(buffer, result->flag->name);
	appendStringInfoString(buffer, feature->enabled
	                                   ? ": {\"enabled\": true, \"name\": "
	                                   : ": {\"enabled\": false, \"name\": ");
	json_write_raw(buffer, feature->name_json);
	appendStringInfoString(buffer, ", \"reason\": ");
	json_write_string(buffer, str_make(reason.data, reason.len));
	appendStringInfoString(buffer, ", \"value\": ");
	json_write_raw(buffer, feature_value(feature, result->variant));
	appendStringInfoString(buffer, ", \"variant\": ");
	json_write_raw(buffer, feature_variant_key(feature, result->variant));
	if (feature->metadata.len > 0)
	{
		appendStringInfoString(buffer, ", \"metadata\": ");
		json_write_raw(buffer, feature->metadata);
	}
	appendStringInfoChar(buffer, '}');
	pfree(reason.data);
}

static void
write_segment(StringInfo buffer, const Segment *segment)
{
	appendStringInfoString(buffer, "{\"name\": ");
	json_write_raw(buffer, segment->name_json);
	if (segment->metadata.len > 0)
	{
		appendStringInfoString(buffer, ", \"metadata\": ");
		json_write_raw(buffer, segment->metadata);
	}
	appendStringInfoChar(buffer, '}');
}

void
context_write_result(StringInfo buffer, const EvaluationResult *result)
{
	appendStringInfoString(buffer, "{\"flags\": {");
	for (uint32 i = 0; i < result->nflags; i++)
	{
		if (i > 0)
			appendStringInfoString(buffer, ", ");
		write_flag(buffer, &result->flags[i]);
	}
	appendStringInfoString(buffer, "}, \"segments\": [");
	for (uint32 i = 0; i < result->nsegments; i++)
	{
		if (i > 0)
			appendStringInfoString(buffer, ", ");
		write_segment(buffer, result->segments[i]);
	}
	appendStringInfoString(buffer, "]}");
}
