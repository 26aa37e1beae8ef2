/*
 * Stored environments and identities.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/memutils.h"

#include "engine/context.h"
#include "engine/json_write.h"

#include "report.h"
#include "stored.h"

/* What an identity's Identity.argument points to. */
typedef struct StoredIdentity
{
	Identity identity; /* first, so that the one is found from the other */
	Str identifier;
	JsonValue traits;
	JsonValue json;
} StoredIdentity;

static void
release_environment(void *argument)
{
	environment_release(argument);
}

/* Compiles the context in the current memory context. */
static Environment *
compile(Str context)
{
	Environment *environment = environment_create();
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	JsonValue json;
	EngineError error;

	callback->func = release_environment;
	callback->arg = environment;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	if (!json_parse(context, &json, &error) ||
	    !environment_compile(environment, &json, &error))
		report_engine_error(&error, "stored environment");
	return environment;
}

static StoredEnvironment *
build(const Source *source, int64 environment_id)
{
	StoredEnvironment *stored = palloc0(sizeof(StoredEnvironment));
	SourceEnvironment loaded;

	if (!source->load_environment(environment_id, &loaded))
		report_unknown_key();
	stored->source = source;
	stored->id = environment_id;
	stored->api_key = loaded.api_key;
	stored->hide_disabled_flags = loaded.hide_disabled_flags;
	stored->hide_sensitive_data = loaded.hide_sensitive_data;
	stored->environment = compile(loaded.context);
	return stored;
}

static SourceKey
find_key(Str environment_key)
{
	SourceKey key;

	if (environment_key.data == NULL || !table_source.find_key(environment_key, &key))
		report_unknown_key();
	return key;
}

OpenEnvironment
stored_open(Str environment_key)
{
	SourceKey key = find_key(environment_key);

	return (OpenEnvironment){build(&table_source, key.environment_id),
	                         key.is_server_side};
}

int64
stored_environment_id(Str environment_key)
{
	return find_key(environment_key).environment_id;
}

/* Lays the given traits over the stored ones; null takes a stored one away. */
static JsonValue
merge_traits(const JsonValue *stored, const JsonValue *given)
{
	JsonValue merged = {.type = JSON_OBJECT, .raw = STR("{}")};
	uint32 count =
		(stored == NULL ? 0 : stored->count) + (given == NULL ? 0 : given->count);

	merged.members = palloc(sizeof(JsonMember) * Max(count, 1));
	for (uint32 i = 0; stored != NULL && i < stored->count; i++)
		if (given == NULL || json_get(given, stored->members[i].name) == NULL)
			merged.members[merged.count++] = stored->members[i];
	for (uint32 i = 0; given != NULL && i < given->count; i++)
		if (given->members[i].value.type != JSON_NULL)
			merged.members[merged.count++] = given->members[i];
	return merged;
}

static JsonValue
make_string(Str text)
{
	StringInfoData raw;

	initStringInfo(&raw);
	json_write_string(&raw, text);
	return (JsonValue){
		.type = JSON_STRING, .raw = str_make(raw.data, raw.len), .string = text};
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
	json->count = 3;
	json->members = palloc(sizeof(JsonMember) * json->count);
	json->members[0] = (JsonMember){STR("identifier"), make_string(stored->identifier)};
	json->members[1] = (JsonMember){STR("key"), make_string(stored->identity.hash_key)};
	json->members[2] = (JsonMember){STR("traits"), stored->traits};
	return json;
}

static void
set_identifier(Identity *identity, const StoredEnvironment *stored, Str identifier)
{
	StringInfoData key;

	initStringInfo(&key);
	appendBinaryStringInfo(&key, stored->api_key.data, stored->api_key.len);
	appendStringInfoChar(&key, '_');
	appendBinaryStringInfo(&key, identifier.data, identifier.len);
	identity->hash_key = str_make(key.data, key.len);
	identity->key =
		value_coerce((ContextValue){.type = VALUE_STRING, .string = identity->hash_key});
	identity->identifier =
		value_coerce((ContextValue){.type = VALUE_STRING, .string = identifier});
}

/* Compiles the identity's overrides of flags that the environment has. */
static void
set_overrides(Identity *identity, const Environment *environment, Str json)
{
	JsonValue list;
	EngineError error;
	IdentityOverride *overrides;
	Path root = {NULL, {NULL, 0}, 0};

	if (!json_parse(json, &list, &error))
		report_engine_error(&error, "stored identity overrides");
	overrides = palloc(sizeof(IdentityOverride) * Max(list.count, 1));
	for (uint32 i = 0; i < list.count; i++)
	{
		FeatureContext *feature = palloc(sizeof(FeatureContext));
		Path path = path_element(&root, i);
		const Flag *flag;

		if (!feature_compile(&list.elements[i], &path, feature, &error))
			report_engine_error(&error, "stored identity overrides");
		flag = environment_flag(environment, feature->name);
		if (flag != NULL)
			overrides[identity->noverrides++] = (IdentityOverride){flag, feature};
	}
	identity->overrides = overrides;
}

Identity *
stored_identity(const StoredEnvironment *stored, Str identifier, bool is_stored,
                const JsonValue *traits)
{
	const Environment *environment = stored->environment;
	StoredIdentity *result = palloc0(sizeof(StoredIdentity));
	Identity *identity = &result->identity;
	SourceIdentity source = {{NULL, 0}, {NULL, 0}};
	JsonValue stored_object;
	EngineError error;

	if (is_stored)
		stored->source->read_identity(stored->id, identifier, &source);
	if (source.traits.data != NULL && !json_parse(source.traits, &stored_object, &error))
		report_engine_error(&error, "stored traits");
	result->identifier = identifier;
	result->traits =
		merge_traits(source.traits.data == NULL ? NULL : &stored_object, traits);

	identity->json = identity_json;
	identity->argument = result;
	if (identifier.data != NULL)
		set_identifier(identity, stored, identifier);
	identity->traits = palloc0(sizeof(Trait) * Max(environment_ntraits(environment), 1));
	for (uint32 i = 0; i < result->traits.count; i++)
		context_set_trait(environment, identity, result->traits.members[i].name,
		                  &result->traits.members[i].value);
	if (source.overrides.data != NULL)
		set_overrides(identity, environment, source.overrides);
	return identity;
}

const JsonValue *
stored_traits(const Identity *identity)
{
	return &((const StoredIdentity *) identity)->traits;
}

static int64
integer_member(const JsonValue *object, Str name)
{
	const JsonValue *member = json_get(object, name);

	return member == NULL || member->type != JSON_NUMBER
	           ? 0
	           : value_from_json(member).integer;
}

Attributes
stored_attributes(const FeatureContext *feature)
{
	Attributes attributes = {.feature_type = STR("null")};
	JsonValue json;
	EngineError error;
	const JsonValue *type, *server_only;

	if (feature->attributes.len == 0 || !json_parse(feature->attributes, &json, &error))
		return attributes;
	attributes.id = integer_member(&json, STR("id"));
	attributes.feature_id = integer_member(&json, STR("feature_id"));
	attributes.feature_segment = integer_member(&json, STR("feature_segment"));
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

bool
stored_is_visible(const OpenEnvironment *open, const Flag *flag)
{
	return open->is_server_side || !stored_attributes(flag->feature).is_server_key_only;
}

bool
stored_is_hidden(const OpenEnvironment *open, const FlagResult *result)
{
	return open->stored->hide_disabled_flags && !result->feature->enabled;
}
