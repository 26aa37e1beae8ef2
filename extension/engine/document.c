/*
 * Checking environment documents.
 *
 * The shape is a table: for each kind of object its members, their types, and what checks
 * what is inside of them.
 */
#include "document.h"

#include "key.h"
#include "segment.h"
#include "shape.h"
#include "strtable.h"

/* Ids are bigint in tables and 32 bits wide in Flagsmith: this many digits always fit. */
#define ID_MAX_DIGITS 18

/* Shares of variants add up to at most this. */
#define PERCENTAGE_MAX 100.0

/* How far a sum of floats may be off. */
#define PERCENTAGE_SLACK 1e-6

typedef bool (*Check)(const JsonValue *value, const Path *path, EngineError *error);

/* A member of an object. */
typedef struct Member
{
	Str name;
	bool required;
	int types;
	Check check; /* of a value that is not null; may be NULL */
} Member;

#define STRING_OR_NULL SHAPE_OR_NULL(JSON_STRING)
#define NUMBER_OR_NULL SHAPE_OR_NULL(JSON_NUMBER)
#define BOOL_OR_NULL SHAPE_OR_NULL(JSON_BOOL)
#define OBJECT_OR_NULL SHAPE_OR_NULL(JSON_OBJECT)
#define ARRAY_OR_NULL SHAPE_OR_NULL(JSON_ARRAY)

static bool
check_members(const JsonValue *object, const Member *members, size_t count,
              const Path *path, EngineError *error)
{
	if (!shape_check(object, SHAPE(JSON_OBJECT), path, error))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		const Member *member = &members[i];
		Path step = path_member(path, member->name);
		const JsonValue *value;

		if (member->required ? !shape_required(object, member->name, member->types, path,
		                                       &value, error)
		                     : !shape_optional(object, member->name, member->types, path,
		                                       &value, error))
			return false;
		if (value != NULL && value->type != JSON_NULL && member->check != NULL &&
		    !member->check(value, &step, error))
			return false;
	}
	return true;
}

static bool
check_elements(const JsonValue *array, Check check, const Path *path, EngineError *error)
{
	for (uint32 i = 0; i < array->count; i++)
	{
		Path step = path_element(path, i);

		engine_check_interrupts();
		if (!check(&array->elements[i], &step, error))
			return false;
	}
	return true;
}

static bool
check_id(const JsonValue *value, const Path *path, EngineError *error)
{
	ContextValue number =
		value->type == JSON_NUMBER ? value_from_json(value) : NULL_VALUE;

	if (number.type != VALUE_INT || value->raw.len > ID_MAX_DIGITS)
		return engine_error(error, ENGINE_MALFORMED, path, "expected an integer id");
	return true;
}

static bool
check_ids(const JsonValue *value, const Path *path, EngineError *error)
{
	return check_elements(value, check_id, path, error);
}

/* Priorities are integer in tables. */
static bool
check_priority(const JsonValue *value, const Path *path, EngineError *error)
{
	ContextValue number = value_from_json(value);

	if (number.type != VALUE_INT || number.digits.data != NULL ||
	    number.integer < PG_INT32_MIN || number.integer > PG_INT32_MAX)
		return engine_error(error, ENGINE_MALFORMED, path,
		                    "expected an integer of 32 bits");
	return true;
}

static bool
check_not_empty(const JsonValue *value, const Path *path, EngineError *error)
{
	if (value->string.len == 0)
		return engine_error(error, ENGINE_MALFORMED, path,
		                    "expected a string that is not empty");
	return true;
}

/* A list in which no two elements have the same value at the end of a member or two. */
static bool
check_unique(const JsonValue *array, Str member, Str submember, const Path *path,
             EngineError *error)
{
	StrTable *seen = strtable_create(array->count);

	for (uint32 i = 0; i < array->count; i++)
	{
		const JsonValue *value = json_get(&array->elements[i], member);
		Path step = path_element(path, i);
		uint32 known;

		if (value != NULL && submember.len > 0)
			value = json_get(value, submember);
		if (value == NULL)
			continue;
		known = strtable_count(seen);
		if (strtable_add(seen, value->type == JSON_STRING ? value->string : value->raw) <
		    known)
			return engine_error(error, ENGINE_MALFORMED, &step,
			                    "the same %.*s%s%.*s again", (int) member.len,
			                    member.data, submember.len > 0 ? " " : "",
			                    (int) submember.len, submember.data);
	}
	return true;
}

/* A key that looks like a server-side one would never be looked for among these. */
static bool
check_api_key(const JsonValue *value, const Path *path, EngineError *error)
{
	if (key_is_server_side(value->string))
		return engine_error(error, ENGINE_MALFORMED, path,
		                    "a client-side key does not begin with \"" SERVER_KEY_PREFIX
		                    "\"");
	return check_not_empty(value, path, error);
}

static bool
check_feature(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("name"), true, SHAPE(JSON_STRING), check_not_empty},
		{STR_INIT("id"), false, NUMBER_OR_NULL, check_id},
		{STR_INIT("type"), false, STRING_OR_NULL, NULL},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_feature_segment(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("priority"), false, NUMBER_OR_NULL, check_priority},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_option(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("value"), true, SHAPE_ANY, NULL},
		{STR_INIT("id"), false, NUMBER_OR_NULL, check_id},
		{STR_INIT("key"), false, STRING_OR_NULL, NULL},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static double
number_of(const JsonValue *value)
{
	ContextValue number = value_from_json(value);

	return number.type == VALUE_FLOAT ? number.number : (double) number.integer;
}

static bool
check_percentage(const JsonValue *value, const Path *path, EngineError *error)
{
	ContextValue number = value_from_json(value);

	if (number.digits.data != NULL ||
	    !(number_of(value) >= 0 && number_of(value) <= PERCENTAGE_MAX))
		return engine_error(error, ENGINE_MALFORMED, path,
		                    "expected a percentage from 0 to 100");
	return true;
}

static bool
check_share(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("multivariate_feature_option"), true, SHAPE(JSON_OBJECT), check_option},
		{STR_INIT("percentage_allocation"), true, SHAPE(JSON_NUMBER), check_percentage},
		{STR_INIT("id"), false, NUMBER_OR_NULL, check_id},
		{STR_INIT("mv_fs_value_uuid"), false, STRING_OR_NULL, NULL},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_shares(const JsonValue *value, const Path *path, EngineError *error)
{
	double sum = 0;

	if (!check_elements(value, check_share, path, error))
		return false;
	for (uint32 i = 0; i < value->count; i++)
		sum += number_of(json_get(&value->elements[i], STR("percentage_allocation")));
	if (sum > PERCENTAGE_MAX + PERCENTAGE_SLACK)
		return engine_error(error, ENGINE_MALFORMED, path,
		                    "the percentages add up to more than 100");
	return true;
}

static bool
check_feature_state(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("feature"), true, SHAPE(JSON_OBJECT), check_feature},
		{STR_INIT("enabled"), true, SHAPE(JSON_BOOL), NULL},
		{STR_INIT("feature_state_value"), false, SHAPE_ANY, NULL},
		{STR_INIT("django_id"), false, NUMBER_OR_NULL, check_id},
		{STR_INIT("featurestate_uuid"), false, STRING_OR_NULL, NULL},
		{STR_INIT("feature_segment"), false, OBJECT_OR_NULL, check_feature_segment},
		{STR_INIT("multivariate_feature_state_values"), false, ARRAY_OR_NULL,
	     check_shares},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_feature_states(const JsonValue *value, const Path *path, EngineError *error)
{
	return check_elements(value, check_feature_state, path, error) &&
	       check_unique(value, STR("feature"), STR("name"), path, error);
}

static bool
check_segment(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("id"), true, SHAPE(JSON_NUMBER), check_id},
		{STR_INIT("name"), true, SHAPE(JSON_STRING), NULL},
		{STR_INIT("rules"), true, SHAPE(JSON_ARRAY), segment_check_rules},
		{STR_INIT("feature_states"), false, ARRAY_OR_NULL, check_feature_states},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_segments(const JsonValue *value, const Path *path, EngineError *error)
{
	return check_elements(value, check_segment, path, error) &&
	       check_unique(value, STR("id"), STR(""), path, error);
}

static bool
check_project(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("id"), true, SHAPE(JSON_NUMBER), check_id},
		{STR_INIT("name"), true, SHAPE(JSON_STRING), NULL},
		{STR_INIT("organisation"), false, OBJECT_OR_NULL, NULL},
		{STR_INIT("hide_disabled_flags"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("segments"), true, SHAPE(JSON_ARRAY), check_segments},
		{STR_INIT("server_key_only_feature_ids"), false, ARRAY_OR_NULL, check_ids},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_identity(const JsonValue *value, const Path *path, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("identifier"), true, SHAPE(JSON_STRING), check_not_empty},
		{STR_INIT("identity_features"), false, ARRAY_OR_NULL, check_feature_states},
	};

	return check_members(value, members, lengthof(members), path, error);
}

static bool
check_identities(const JsonValue *value, const Path *path, EngineError *error)
{
	return check_elements(value, check_identity, path, error) &&
	       check_unique(value, STR("identifier"), STR(""), path, error);
}

/* An ISO 8601 date and time in digits; whether the day exists is the database's to say. */
static bool
check_time(const JsonValue *value, const Path *path, EngineError *error)
{
	static const char pattern[] = "dddd-dd-dd";
	Str text = value->string;

	for (uint32 i = 0; i < sizeof(pattern) - 1; i++)
		if (i >= text.len ||
		    (pattern[i] == 'd' ? !(text.data[i] >= '0' && text.data[i] <= '9')
		                       : text.data[i] != pattern[i]))
			return engine_error(error, ENGINE_MALFORMED, path,
			                    "expected a date and time as ISO 8601 has it");
	return true;
}

bool
document_check(const JsonValue *document, EngineError *error)
{
	static const Member members[] = {
		{STR_INIT("api_key"), true, SHAPE(JSON_STRING), check_api_key},
		{STR_INIT("name"), true, SHAPE(JSON_STRING), NULL},
		{STR_INIT("id"), false, NUMBER_OR_NULL, check_id},
		{STR_INIT("updated_at"), false, STRING_OR_NULL, check_time},
		{STR_INIT("hide_disabled_flags"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("hide_sensitive_data"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("allow_client_traits"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("use_identity_composite_key_for_hashing"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("use_identity_overrides_in_local_eval"), false, BOOL_OR_NULL, NULL},
		{STR_INIT("project"), true, SHAPE(JSON_OBJECT), check_project},
		{STR_INIT("feature_states"), true, SHAPE(JSON_ARRAY), check_feature_states},
		{STR_INIT("identity_overrides"), false, ARRAY_OR_NULL, check_identities},
	};
	Path root = PATH_ROOT;

	return check_members(document, members, lengthof(members), &root, error);
}

bool
document_check_shares(const JsonValue *shares, EngineError *error)
{
	Path root = PATH_ROOT;

	return shape_check(shares, SHAPE(JSON_ARRAY), &root, error) &&
	       check_shares(shares, &root, error);
}
