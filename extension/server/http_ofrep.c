/*
 * OFREP 0.3.0: OpenFeature's remote evaluation protocol.
 *
 * The targeting key is the identifier, and the context's other attributes are traits,
 * which count for the one evaluation and are not stored.
 */
#include "postgres.h"
#include "compat.h"

#include "common/hashfn.h"

#include "engine/json_write.h"

#include "http_fields.h"
#include "http_message.h"
#include "stored_identity.h"

/* Appends {"key": ..., "errorCode": ..., "errorDetails": ...}, the key if there is one. */
static void
append_failure(StringInfo buffer, const Str *key, const char *code, const char *details)
{
	appendStringInfoChar(buffer, '{');
	if (key != NULL)
	{
		appendStringInfoString(buffer, "\"key\":");
		json_write_string(buffer, *key);
		appendStringInfoChar(buffer, ',');
	}
	appendStringInfo(buffer,
	                 "\"errorCode\":\"%s\",\"errorDetails\":\"%s\",\"metadata\":{}}",
	                 code, details);
}

static void
fail(HttpResponse *response, int status, const Str *key, const char *code,
     const char *details)
{
	http_answer(response, status, "");
	append_failure(&response->body, key, code, details);
}

/* Adds what is a trait among the members of the context, or of the "traits" in it. */
static void
add_traits(JsonValue *traits, const JsonValue *object)
{
	for (uint32 i = 0; i < object->count; i++)
	{
		const JsonMember *member = &object->members[i];

		if (!str_equal(member->name, STR("targetingKey")) &&
		    !(str_equal(member->name, STR("traits")) &&
		      member->value.type == JSON_OBJECT) &&
		    member->value.type != JSON_NULL)
			json_set(traits, member->name, member->value);
	}
}

/* The traits of the context: its own members, then those of its "traits". */
static JsonValue
read_traits(const HttpRequest *request, const JsonValue *context)
{
	const JsonValue *nested = json_get(context, STR("traits"));
	JsonValue traits = {.type = JSON_OBJECT, .raw = STR_INIT("{}")};
	uint32 room = context->count;

	if (!request->open.is_server_side && !request->open.stored->allow_client_traits)
		return traits;
	if (nested != NULL && nested->type == JSON_OBJECT)
		room += nested->count;
	traits.members = palloc(sizeof(JsonMember) * (room + 1));
	add_traits(&traits, context);
	if (nested != NULL && nested->type == JSON_OBJECT)
		add_traits(&traits, nested);
	return traits;
}

/* Reads the targeting key; false if it is none.  Without one, identifier has no data. */
static bool
read_targeting_key(const JsonValue *context, Str *identifier)
{
	const JsonValue *key = json_get(context, STR("targetingKey"));

	*identifier = (Str){NULL, 0};
	if (key == NULL || key->type == JSON_NULL)
		return true;
	if (key->type == JSON_NUMBER)
		*identifier = key->raw;
	else if (key->type == JSON_STRING)
		*identifier = key->string;
	else
		return false;
	if (identifier->len == 0)
		identifier->data = NULL;
	return fields_length(*identifier) <= IDENTIFIER_MAX_LENGTH;
}

/* The identity of the body's context; NULL if that is refused. */
static Identity *
read_identity(HttpRequest *request, HttpResponse *response, const Str *key)
{
	const JsonValue empty = {.type = JSON_OBJECT, .raw = STR_INIT("{}")};
	const JsonValue *context = json_get(&request->body, STR("context"));
	SourceIdentity *stored = palloc(sizeof(SourceIdentity));
	JsonValue *traits = palloc(sizeof(JsonValue));
	Str identifier;

	if (context == NULL || context->type == JSON_NULL)
		context = &empty;
	if (request->body.type != JSON_OBJECT || context->type != JSON_OBJECT)
	{
		fail(response, 400, key, "INVALID_CONTEXT", "the context is no object");
		return NULL;
	}
	if (!read_targeting_key(context, &identifier))
	{
		fail(response, 400, key, "INVALID_CONTEXT",
		     "the targetingKey is no string of at most 2000 characters");
		return NULL;
	}
	*stored = SOURCE_IDENTITY_NONE;
	*traits = read_traits(request, context);
	if (identifier.data != NULL)
		stored_identity_read(request->open.stored, identifier, stored);
	return stored_identity_make(request->open.stored, identifier, stored, traits);
}

/* The reason in OpenFeature's words. */
static const char *
reason_of(const FlagResult *result)
{
	if (!result->feature->enabled)
		return "DISABLED";
	switch (result->reason)
	{
		case REASON_STATIC:
			return "STATIC";
		case REASON_TARGETING_MATCH:
			return "TARGETING_MATCH";
		case REASON_SPLIT:
			return "SPLIT";
		default:
			return "DEFAULT";
	}
}

/* Appends the flag's value: never null, for a flag without one is a switch. */
static void
append_value(StringInfo buffer, const FlagResult *result)
{
	Str value = feature_value(result->feature, result->variant);

	if (!str_equal(value, STR("null")))
		json_write_raw(buffer, value);
	else
		appendStringInfoString(buffer, result->feature->enabled ? "true" : "false");
}

static void
append_variant(StringInfo buffer, const FlagResult *result)
{
	Str variant = feature_variant_key(result->feature, result->variant);

	json_write_raw(buffer, str_equal(variant, STR("null")) ? STR("\"\"") : variant);
}

static void
append_flag(StringInfo buffer, const FlagResult *result)
{
	const KeptAttributes *attributes = &answers_of(result->feature)->attributes;

	if (result->reason == REASON_CIRCULAR_DEPENDENCY)
	{
		append_failure(buffer, &result->feature->name, "GENERAL",
		               "the flag depends on itself");
		return;
	}
	appendStringInfoString(buffer, "{\"key\":");
	json_write_raw(buffer, result->feature->name_json);
	appendStringInfoString(buffer, ",\"value\":");
	append_value(buffer, result);
	appendStringInfo(buffer, ",\"reason\":\"%s\",\"variant\":", reason_of(result));
	append_variant(buffer, result);
	appendStringInfo(buffer,
	                 ",\"metadata\":{\"featureId\":" INT64_FORMAT ",\"enabled\":%s",
	                 attributes->feature_id, result->feature->enabled ? "true" : "false");
	if (result->segment != NULL)
	{
		appendStringInfoString(buffer, ",\"segment\":");
		json_write_string(buffer, result->segment->name);
	}
	appendStringInfoString(buffer, "}}");
}

/* The tag is of the answer itself: a client keeps it when its context changes. */
void
http_ofrep_flags(HttpRequest *request, HttpResponse *response)
{
	const StoredEnvironment *stored = request->open.stored;
	Identity *identity = read_identity(request, response, NULL);
	StringInfo body = &response->body;
	const char *separator = "";
	EvaluationResult result;

	if (identity == NULL)
		return;
	evaluation_run(stored->environment, identity, &result);
	appendStringInfoString(body, "{\"flags\":[");
	for (uint32 i = 0; i < result.nflags; i++)
	{
		if (!open_shows_flag(&request->open, result.flags[i].flag) ||
		    open_hides_result(&request->open, &result.flags[i]))
			continue;
		appendStringInfoString(body, separator);
		append_flag(body, &result.flags[i]);
		separator = ",";
	}
	appendStringInfo(body, "],\"metadata\":{\"version\":\"" INT64_FORMAT "\"}}",
	                 stored->version.changed_at);
	http_add_etag(request, response,
	              hash_bytes_extended((unsigned char *) body->data + VARHDRSZ,
	                                  body->len - VARHDRSZ, 0));
}

void
http_ofrep_flag(HttpRequest *request, HttpResponse *response)
{
	const StoredEnvironment *stored = request->open.stored;
	const Flag *flag = environment_flag(stored->environment, request->rest);
	Identity *identity = read_identity(request, response, &request->rest);
	FlagResult result;

	if (identity == NULL)
		return;
	if (flag != NULL && open_shows_flag(&request->open, flag))
	{
		result = evaluation_flag(stored->environment, identity, flag);
		if (!open_hides_result(&request->open, &result))
		{
			append_flag(&response->body, &result);
			if (result.reason == REASON_CIRCULAR_DEPENDENCY)
				response->status = 400;
			return;
		}
	}
	fail(response, 404, &request->rest, "FLAG_NOT_FOUND", "there is no such flag");
}
