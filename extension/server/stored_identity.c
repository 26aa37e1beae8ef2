/*
 * Stored identities.
 *
 * Traits are read off the jsonb directly: no text is written and parsed again.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "engine/context.h"
#include "engine/json_write.h"

#include "report.h"
#include "stored_identity.h"

/* What an identity's Identity.argument points to. */
typedef struct StoredIdentity
{
	Identity identity; /* first, so that the one is found from the other */
	Str identifier;
	JsonValue traits;
	JsonValue json;
} StoredIdentity;

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

/* Lays the given traits over the stored ones; null takes a stored one away. */
static JsonValue
merge_traits(const JsonValue *stored, const JsonValue *given)
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

static JsonValue
read_traits(Jsonb *jsonb)
{
	JsonValue traits = {.type = JSON_OBJECT, .raw = STR("{}")};

	if (jsonb == NULL)
		return traits;
	traits.members = palloc(sizeof(JsonMember) * (JB_ROOT_COUNT(jsonb) + 1));
	add_traits(&traits, jsonb);
	return traits;
}

/* Identity.json: for the few environments whose conditions query the whole context. */
static const JsonValue *
identity_json(void *argument)
{
	StoredIdentity *stored = argument;
	JsonValue *json = &stored->json;

	if (json->type == JSON_OBJECT)
		return json;
	json->type = JSON_OBJECT;
	json->raw = STR("{}");
	json->members = palloc(sizeof(JsonMember) * 3);
	json->count = 0;
	if (stored->identifier.data != NULL)
	{
		json->members[json->count++] =
			(JsonMember){STR("identifier"), json_make_string(stored->identifier)};
		json->members[json->count++] =
			(JsonMember){STR("key"), json_make_string(stored->identity.hash_key)};
	}
	json->members[json->count++] = (JsonMember){STR("traits"), stored->traits};
	return json;
}

static void
set_identifier(Identity *identity, const StoredEnvironment *stored, Str identifier)
{
	uint32 length = stored->api_key.len + 1 + identifier.len;
	char *key = palloc(length);

	memcpy(key, stored->api_key.data, stored->api_key.len);
	key[stored->api_key.len] = '_';
	memcpy(key + stored->api_key.len + 1, identifier.data, identifier.len);
	identity->hash_key = str_make(key, length);
	identity->key =
		value_coerce((ContextValue){.type = VALUE_STRING, .string = identity->hash_key});
	identity->identifier =
		value_coerce((ContextValue){.type = VALUE_STRING, .string = identifier});
}

/* The attributes of an override, which its context carries as JSON. */
static Attributes
read_attributes(const FeatureContext *feature)
{
	Attributes attributes = {.feature_type = STR("null")};
	JsonValue json;
	EngineError error;
	const JsonValue *type, *server_only;

	if (feature->attributes.len == 0 || !json_parse(feature->attributes, &json, &error))
		return attributes;
	attributes.id = value_integer_member(&json, STR("id"));
	attributes.feature_id = value_integer_member(&json, STR("feature_id"));
	attributes.feature_segment = value_integer_member(&json, STR("feature_segment"));
	type = json_get(&json, STR("feature_type"));
	if (type != NULL)
		attributes.feature_type = type->raw;
	attributes.is_multivariate = type != NULL && type->type == JSON_STRING &&
	                             str_equal(type->string, STR("MULTIVARIATE"));
	server_only = json_get(&json, STR("is_server_key_only"));
	attributes.is_server_key_only =
		server_only != NULL && server_only->type == JSON_BOOL && server_only->boolean;
	return attributes;
}

static IdentityOverride
make_override(const StoredEnvironment *stored, const JsonValue *json, const Path *path)
{
	FeatureContext *feature = palloc(sizeof(FeatureContext));
	const Flag *flag;
	EngineError error;

	if (!feature_compile(json, path, feature, &error))
		report_engine_error(&error, "stored identity overrides");
	flag = environment_flag(stored->environment, feature->name);
	if (flag != NULL)
	{
		FlagResult base = {flag, feature, evaluation_identity_segment(), VARIANT_NONE,
		                   REASON_TARGETING_MATCH};
		Attributes attributes = read_attributes(feature);

		feature->answers = answers_make(&base, &attributes, stored->hide_sensitive_data,
		                                CurrentMemoryContext);
	}
	return (IdentityOverride){flag, feature};
}

/* Compiles the identity's overrides of flags that the environment has. */
static void
set_overrides(Identity *identity, const StoredEnvironment *stored, Str json)
{
	JsonValue list;
	EngineError error;
	IdentityOverride *overrides;
	Path root = PATH_ROOT;

	if (!json_parse(json, &list, &error))
		report_engine_error(&error, "stored identity overrides");
	overrides = palloc(sizeof(IdentityOverride) * Max(list.count, 1));
	for (uint32 i = 0; i < list.count; i++)
	{
		Path path = path_element(&root, i);
		IdentityOverride override = make_override(stored, &list.elements[i], &path);

		if (override.flag != NULL)
			overrides[identity->noverrides++] = override;
	}
	identity->overrides = overrides;
}

Identity *
stored_identity(const StoredEnvironment *stored, Str identifier, bool is_stored,
                Jsonb *traits)
{
	const Environment *environment = stored->environment;
	StoredIdentity *result = palloc0(sizeof(StoredIdentity));
	Identity *identity = &result->identity;
	SourceIdentity source = {NULL, {NULL, 0}};
	JsonValue stored_traits;

	if (is_stored)
		stored->source->read_identity(stored->id, identifier,
		                              stored->has_identity_overrides, &source);
	result->identifier = identifier;
	stored_traits = read_traits(source.traits);
	if (traits == NULL)
		result->traits = stored_traits;
	else
	{
		JsonValue given = read_traits(traits);

		result->traits = merge_traits(&stored_traits, &given);
	}

	identity->json = identity_json;
	identity->argument = result;
	if (identifier.data != NULL)
		set_identifier(identity, stored, identifier);
	identity->traits = palloc0(sizeof(Trait) * Max(environment_ntraits(environment), 1));
	for (uint32 i = 0; i < result->traits.count; i++)
		context_set_trait(environment, identity, result->traits.members[i].name,
		                  &result->traits.members[i].value);
	if (source.overrides.data != NULL)
		set_overrides(identity, stored, source.overrides);
	return identity;
}

const JsonValue *
stored_identity_traits(const Identity *identity)
{
	return &((const StoredIdentity *) identity)->traits;
}
