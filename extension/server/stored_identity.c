/*
 * Stored identities.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/context.h"
#include "engine/json_write.h"

#include "report.h"
#include "stored_identity.h"
#include "traits.h"

/* What an identity's Identity.argument points to. */
typedef struct StoredIdentity
{
	Identity identity; /* first, so that the one is found from the other */
	Str identifier;
	JsonValue traits;      /* as they are shown */
	JsonValue seen_traits; /* with those that only conditions see */
	Jsonb *unread;         /* all traits, before any is read; else NULL */
	JsonValue json;
} StoredIdentity;

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
	if (stored->unread != NULL)
		stored->seen_traits = traits_read(stored->unread);
	json->members[json->count++] = (JsonMember){STR("traits"), stored->seen_traits};
	return json;
}

/* Identity.read_trait: out of the jsonb. */
static Trait
read_trait(void *argument, Str name)
{
	const StoredIdentity *stored = argument;

	return traits_find(stored->unread, name);
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
	attributes.kept.id = value_integer_member(&json, STR("id"));
	attributes.kept.feature_id = value_integer_member(&json, STR("feature_id"));
	attributes.feature_segment = value_integer_member(&json, STR("feature_segment"));
	type = json_get(&json, STR("feature_type"));
	if (type != NULL)
		attributes.feature_type = type->raw;
	attributes.is_multivariate = type != NULL && type->type == JSON_STRING &&
	                             str_equal(type->string, STR("MULTIVARIATE"));
	server_only = json_get(&json, STR("is_server_key_only"));
	attributes.kept.is_server_key_only =
		server_only != NULL && server_only->type == JSON_BOOL && server_only->boolean;
	return attributes;
}

static Attributes
attributes_of(const SourceIdentity *source, const FeatureContext *feature)
{
	if (source->attributes == NULL)
		return read_attributes(feature);
	/* what the source wrote: digits */
	return source->attributes[strtol(feature->attributes.data, NULL, 10)];
}

static IdentityOverride
make_override(const StoredEnvironment *stored, const SourceIdentity *source,
              const JsonValue *json, const Path *path)
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
		SharedTexts shared = {answers_of(flag->feature)->feature, answers_reason(&base)};
		Attributes attributes = attributes_of(source, feature);

		feature->answers =
			answers_make(&base, shared, &attributes, stored->hide_sensitive_data,
		                 CurrentMemoryContext);
	}
	return (IdentityOverride){flag, feature};
}

/* Compiles the identity's overrides of flags that the environment has. */
static void
set_overrides(Identity *identity, const StoredEnvironment *stored,
              const SourceIdentity *source)
{
	JsonValue list;
	EngineError error;
	IdentityOverride *overrides;
	Path root = PATH_ROOT;

	if (!json_parse(source->overrides, &list, &error))
		report_engine_error(&error, "stored identity overrides");
	overrides = palloc(sizeof(IdentityOverride) * Max(list.count, 1));
	for (uint32 i = 0; i < list.count; i++)
	{
		Path path = path_element(&root, i);
		IdentityOverride override =
			make_override(stored, source, &list.elements[i], &path);

		if (override.flag != NULL)
			overrides[identity->noverrides++] = override;
	}
	identity->overrides = overrides;
}

/* What percentages are hashed with: mostly the composite key. */
static Str
make_hash_key(const StoredEnvironment *stored, Str identifier, int64 id)
{
	Str prefix = stored->api_key;
	char *key;

	if (stored->hashes_identity_ids && id == 0)
		return STR("None");
	if (stored->hashes_identity_ids)
	{
		key = psprintf(INT64_FORMAT, id);
		return str_make(key, strlen(key));
	}
	key = palloc((Size) prefix.len + 1 + identifier.len);
	memcpy(key, prefix.data, prefix.len);
	key[prefix.len] = '_';
	memcpy(key + prefix.len + 1, identifier.data, identifier.len);
	return str_make(key, (Size) prefix.len + 1 + identifier.len);
}

/* Begins an identity without traits.  identifier.data may be NULL. */
static StoredIdentity *
begin(const StoredEnvironment *stored, Str identifier, int64 id)
{
	StoredIdentity *result = palloc(sizeof(StoredIdentity));
	Identity *identity = &result->identity;

	*result = (StoredIdentity){.identity.json = identity_json,
	                           .identity.argument = result,
	                           .identifier = identifier};
	if (identifier.data == NULL)
		return result;
	identity->hash_key = make_hash_key(stored, identifier, id);
	identity->key = (ContextValue){.type = VALUE_STRING, .string = identity->hash_key};
	identity->identifier = (ContextValue){.type = VALUE_STRING, .string = identifier};
	return result;
}

static void
set_traits(const Environment *environment, Identity *identity, const JsonValue *traits)
{
	for (uint32 i = 0; i < traits->count; i++)
		context_set_trait(environment, identity, traits->members[i].name,
		                  &traits->members[i].value);
}

void
stored_identity_read(const StoredEnvironment *stored, Str identifier,
                     SourceIdentity *source)
{
	stored->source->read_identity(stored->id, identifier, stored->has_identity_overrides,
	                              source);
}

Identity *
stored_identity_make(const StoredEnvironment *stored, Str identifier,
                     const SourceIdentity *source, const JsonValue *given)
{
	const Environment *environment = stored->environment;
	StoredIdentity *result = begin(stored, identifier, source->id);
	Identity *identity = &result->identity;

	result->traits =
		given == NULL ? source->traits : traits_merge(&source->traits, given);
	result->seen_traits = result->traits;
	if (source->system_traits.count > 0)
		result->seen_traits = traits_merge(&result->traits, &source->system_traits);
	identity->traits = palloc0(sizeof(Trait) * Max(environment_ntraits(environment), 1));
	set_traits(environment, identity, &result->seen_traits);
	if (source->overrides.data != NULL)
		set_overrides(identity, stored, source);
	return identity;
}

Identity *
stored_identity_given(const StoredEnvironment *stored, Str identifier, Jsonb *traits)
{
	StoredIdentity *result = begin(stored, identifier, 0);

	result->unread = traits;
	result->identity.read_trait = read_trait;
	return &result->identity;
}

Identity *
stored_identity(const StoredEnvironment *stored, Str identifier, Jsonb *traits)
{
	SourceIdentity source;
	JsonValue given = traits_read(traits);

	stored_identity_read(stored, identifier, &source);
	return stored_identity_make(stored, identifier, &source,
	                            traits == NULL ? NULL : &given);
}

const JsonValue *
stored_identity_traits(const Identity *identity)
{
	return &((const StoredIdentity *) identity)->traits;
}
