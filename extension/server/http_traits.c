/*
 * /api/v1/traits/: storing traits without asking for flags.
 */
#include "postgres.h"
#include "compat.h"

#include "common/int.h"
#include "utils/jsonb.h"

#include "engine/json_write.h"

#include "http_fields.h"
#include "http_message.h"
#include "http_store.h"
#include "stored_identity.h"
#include "traits.h"

/* A trait of an identity. */
typedef struct OwnedTrait
{
	Str identifier;
	HttpTrait trait;
} OwnedTrait;

/* Whether the key may store traits at all; if not, the response says so. */
static bool
may_store(HttpRequest *request, HttpResponse *response)
{
	if (!request->open.stored->persist_trait_data)
		http_error(response, 403, "Organisation is not authorised to store traits.");
	else if (!request->open.is_server_side && !request->open.stored->allow_client_traits)
		http_answer(response, 400,
		            "{\"non_field_errors\":[\"Setting traits not allowed with client "
		            "key.\"]}");
	else
		return true;
	return false;
}

/* Reads {"identity": {"identifier"}, "trait_key", "trait_value"}. */
static void
read_trait(HttpRequest *request, FieldErrors *errors, const JsonValue *object,
           OwnedTrait *owned)
{
	const JsonValue *identity = json_get(object, STR("identity"));
	const char *fault;

	if (identity == NULL || identity->type != JSON_OBJECT)
		fields_add(errors, "identity",
		           identity == NULL ? "This field is required."
		                            : "Invalid data. Expected a dictionary.");
	else
		fields_text(errors, identity, "identifier", false, IDENTIFIER_MAX_LENGTH,
		            &owned->identifier);
	fields_trait(errors, object, &owned->trait);
	if (errors->any)
		return;
	fault =
		request->open.stored->source->trait_fault(owned->trait.key, &owned->trait.value);
	if (fault != NULL)
		fields_add(errors, "trait_value", fault);
}

static void
append_value(StringInfo buffer, const JsonValue *value)
{
	if (value->type == JSON_STRING)
		json_write_string(buffer, value->string);
	else
		json_write_raw(buffer, value->raw);
}

static void
append_trait(StringInfo buffer, const OwnedTrait *owned)
{
	appendStringInfoString(buffer, "{\"identity\":{\"identifier\":");
	json_write_string(buffer, owned->identifier);
	appendStringInfoString(buffer, "},\"trait_value\":");
	append_value(buffer, &owned->trait.value);
	appendStringInfoString(buffer, ",\"trait_key\":");
	json_write_string(buffer, owned->trait.key);
	appendStringInfoChar(buffer, '}');
}

void
http_post_trait(HttpRequest *request, HttpResponse *response)
{
	JsonMember member;
	JsonValue traits = {.type = JSON_OBJECT, .count = 1, .members = &member};
	SourceIdentity stored;
	FieldErrors errors;
	OwnedTrait owned;

	if (!may_store(request, response))
		return;
	fields_begin(&errors);
	read_trait(request, &errors, &request->body, &owned);
	if (!errors.any && owned.trait.value.type == JSON_NULL)
		fields_add(&errors, "trait_value", "This field may not be null.");
	if (fields_refuse(&errors, response))
		return;
	member = (JsonMember){owned.trait.key, owned.trait.value};
	if (http_store_traits(request, response, owned.identifier, &traits, &stored))
		append_trait(&response->body, &owned);
}

/* Orders by identifier, and keeps the order of what has the same. */
static int
compare_owners(const void *a, const void *b)
{
	const OwnedTrait *first = *(const OwnedTrait *const *) a;
	const OwnedTrait *second = *(const OwnedTrait *const *) b;
	int order = str_compare(first->identifier, second->identifier);

	return order != 0 ? order : (first > second) - (first < second);
}

/* Stores the traits, an identity after the other in an order that all requests share. */
static bool
store_all(HttpRequest *request, HttpResponse *response, OwnedTrait *list, uint32 count)
{
	OwnedTrait **sorted = palloc(sizeof(OwnedTrait *) * (count + 1));
	SourceIdentity stored;
	uint32 next;

	for (uint32 i = 0; i < count; i++)
		sorted[i] = &list[i];
	qsort(sorted, count, sizeof(OwnedTrait *), compare_owners);
	for (uint32 i = 0; i < count; i = next)
	{
		JsonValue traits = {.type = JSON_OBJECT};

		traits.members = palloc(sizeof(JsonMember) * (count - i));
		for (next = i;
		     next < count && str_equal(sorted[next]->identifier, sorted[i]->identifier);
		     next++)
			json_set(&traits, sorted[next]->trait.key, sorted[next]->trait.value);
		if (!http_store_traits(request, response, sorted[i]->identifier, &traits,
		                       &stored))
			return false;
	}
	return true;
}

/* Reads the list of traits; NULL if it is refused. */
static OwnedTrait *
read_list(HttpRequest *request, HttpResponse *response)
{
	const JsonValue *body = &request->body;
	OwnedTrait *list;

	if (body->type != JSON_ARRAY || body->count > REQUEST_MAX_TRAITS)
	{
		http_error(response, 400, "Invalid request data");
		return NULL;
	}
	list = palloc0(sizeof(OwnedTrait) * (body->count + 1));
	for (uint32 i = 0; i < body->count; i++)
	{
		FieldErrors errors;

		if (body->elements[i].type != JSON_OBJECT)
		{
			http_error(response, 400, "Invalid request data");
			return NULL;
		}
		fields_begin(&errors);
		read_trait(request, &errors, &body->elements[i], &list[i]);
		if (fields_refuse(&errors, response))
			return NULL;
	}
	return list;
}

void
http_post_traits(HttpRequest *request, HttpResponse *response)
{
	OwnedTrait *list;
	const char *separator = "";

	if (!may_store(request, response))
		return;
	list = read_list(request, response);
	if (list == NULL || !store_all(request, response, list, request->body.count))
		return;
	appendStringInfoChar(&response->body, '[');
	for (uint32 i = 0; i < request->body.count; i++)
	{
		if (list[i].trait.value.type == JSON_NULL)
			continue;
		appendStringInfoString(&response->body, separator);
		append_trait(&response->body, &list[i]);
		separator = ",";
	}
	appendStringInfoChar(&response->body, ']');
}

/* Adds to the stored integer (0 if there is none); false if that cannot be. */
static bool
add(HttpResponse *response, const JsonValue *stored, int64 increment, int64 *sum)
{
	ContextValue value = {.type = VALUE_INT, .integer = 0};

	if (stored != NULL)
		value = value_from_json(stored);
	if (value.type != VALUE_INT || value.digits.data != NULL)
		http_answer(response, 400, "[\"Trait is not an integer.\"]");
	else if (pg_add_s64_overflow(value.integer, increment, sum))
		http_answer(response, 400, "[\"The sum is too large.\"]");
	else
		return true;
	return false;
}

/* Reads increment_by: an integer, or a text that is one. */
static void
read_increment(FieldErrors *errors, const JsonValue *body, int64 *increment)
{
	const JsonValue *member = json_get(body, STR("increment_by"));
	ContextValue value = NULL_VALUE;

	if (member != NULL && (member->type == JSON_NUMBER || member->type == JSON_STRING))
		value = value_coerce(value_from_json(member));
	*increment = value.integer;
	if (member == NULL)
		fields_add(errors, "increment_by", "This field is required.");
	else if (value.type != VALUE_INT || value.digits.data != NULL)
		fields_add(errors, "increment_by", "A valid integer is required.");
}

/* The sum under the lock of the identity's row: increments add up, however many at once. */
static void
increment(HttpRequest *request, HttpResponse *response, Str identifier, Str key, int64 by)
{
	const StoredEnvironment *environment = request->open.stored;
	JsonMember member;
	JsonValue none = {.type = JSON_OBJECT};
	JsonValue traits = {.type = JSON_OBJECT, .count = 1, .members = &member}, all;
	int64 sum;
	char *text;
	const char *fault;

	all = traits_read(DatumGetJsonbP(environment->source->write_traits(
		environment->id, identifier, traits_make_jsonb(&none))));
	if (!add(response, json_get(&all, key), by, &sum))
		return;
	text = psprintf(INT64_FORMAT, sum);
	member =
		(JsonMember){key, {.type = JSON_NUMBER, .raw = str_make(text, strlen(text))}};
	fault = environment->source->trait_fault(key, &member.value);
	if (fault != NULL)
	{
		http_error(response, 400, fault);
		return;
	}
	environment->source->write_traits(environment->id, identifier,
	                                  traits_make_jsonb(&traits));
	appendStringInfoString(&response->body, "{\"trait_key\":");
	json_write_string(&response->body, key);
	appendStringInfo(&response->body, ",\"trait_value\":%s,\"identifier\":", text);
	json_write_string(&response->body, identifier);
	appendStringInfoChar(&response->body, '}');
}

void
http_increment_trait(HttpRequest *request, HttpResponse *response)
{
	SourceIdentity stored;
	JsonValue none = {.type = JSON_OBJECT};
	FieldErrors errors;
	Str identifier, key;
	int64 by;

	if (!may_store(request, response))
		return;
	fields_begin(&errors);
	fields_text(&errors, &request->body, "identifier", false, IDENTIFIER_MAX_LENGTH,
	            &identifier);
	fields_text(&errors, &request->body, "trait_key", false, TRAIT_KEY_MAX_LENGTH, &key);
	read_increment(&errors, &request->body, &by);
	if (fields_refuse(&errors, response))
		return;
	if (http_store_traits(request, response, identifier, &none, &stored))
		increment(request, response, identifier, key, by);
}
