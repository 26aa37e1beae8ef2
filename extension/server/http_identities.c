/*
 * /api/v1/identities/: an identity's flags, after its traits have been stored.
 *
 * A GET writes nothing.  A POST stores what differs from what is stored, so that repeating
 * it changes nothing; what of it is transient counts for this answer alone.
 */
#include "postgres.h"
#include "compat.h"

#include "common/cryptohash.h"
#include "common/sha2.h"

#include "engine/json_write.h"
#include "engine/pystr.h"

#include "http_fields.h"
#include "http_message.h"
#include "http_store.h"
#include "identity_json.h"
#include "stored_identity.h"

/* What is asked, and what is known of the identity. */
typedef struct IdentityCall
{
	Str identifier; /* data == NULL: none was given */
	bool transient;
	uint32 ntraits;
	HttpTrait *traits;
	SourceIdentity stored; /* SOURCE_IDENTITY_NONE if it is not to be read */
	JsonValue overlay;     /* what counts over that, with nulls */
	bool unsaved;          /* nothing of it is stored: all traits are transient */
} IdentityCall;

/* Whether the client calls its trait transient; of a name, the last counts. */
static bool
is_transient(const IdentityCall *call, Str key)
{
	uint32 i = call->ntraits;

	while (i > 0 && !str_equal(call->traits[i - 1].key, key))
		i--;
	return i > 0 && call->traits[i - 1].transient;
}

/* Appends a trait of the overlay, which is not stored. */
static void
append_overlaid(StringInfo buffer, const IdentityCall *call, Str name,
                const JsonValue *value)
{
	if (buffer->data[buffer->len - 1] != '[')
		appendStringInfoChar(buffer, ',');
	identity_append_trait(buffer, 0, name, value, is_transient(call, name));
}

static void
append_stored(StringInfo buffer, const IdentityCall *call, uint32 i)
{
	const JsonMember *member = &call->stored.traits.members[i];

	if (buffer->data[buffer->len - 1] != '[')
		appendStringInfoChar(buffer, ',');
	identity_append_trait(buffer,
	                      call->stored.trait_ids == NULL ? 0 : call->stored.trait_ids[i],
	                      member->name, &member->value, call->unsaved);
}

/*
 * All traits that count: the stored ones, then the others, among them nulls that mask a
 * stored one.  Where the whole call is transient, what masks a trait takes its place.
 */
static void
append_traits(StringInfo buffer, const IdentityCall *call)
{
	const JsonValue *stored = &call->stored.traits, *overlay = &call->overlay;

	for (uint32 i = 0; i < stored->count; i++)
	{
		const JsonMember *member = &stored->members[i];
		const JsonValue *over = json_get(overlay, member->name);

		if (over == NULL)
			append_stored(buffer, call, i);
		else if (call->transient)
			append_overlaid(buffer, call, member->name, over);
	}
	for (uint32 i = 0; i < overlay->count; i++)
	{
		const JsonMember *member = &overlay->members[i];

		bool masks = json_get(stored, member->name) != NULL;

		if (masks ? !call->transient : member->value.type != JSON_NULL)
			append_overlaid(buffer, call, member->name, &member->value);
	}
}

/* Evaluates the identity and writes it with its traits and flags. */
static void
answer_identity(HttpRequest *request, HttpResponse *response, const IdentityCall *call)
{
	const StoredEnvironment *stored = request->open.stored;
	Identity *identity =
		stored_identity_make(stored, call->identifier, &call->stored, &call->overlay);
	EvaluationResult result;
	StringInfo buffer = &response->body;

	evaluation_run(stored->environment, identity, &result);
	identity_order_flags(stored, identity, &result);
	enlargeStringInfo(buffer, stored->document_size);
	appendStringInfoString(buffer, "{\"identifier\":");
	json_write_string(buffer, call->identifier);
	appendStringInfoString(buffer, ",\"traits\":[");
	if (!stored->hide_sensitive_data)
		append_traits(buffer, call);
	appendStringInfoString(buffer, "],\"flags\":[");
	identity_append_flags(buffer, &request->open, &result);
	appendStringInfoString(buffer, "]}");
}

/* Answers one flag of the identity. */
static void
answer_feature(HttpRequest *request, HttpResponse *response, const IdentityCall *call,
               Str feature)
{
	const StoredEnvironment *stored = request->open.stored;
	const Flag *flag = environment_flag(stored->environment, feature);
	FlagResult result;

	if (flag != NULL && open_shows_flag(&request->open, flag))
	{
		result = evaluation_flag(
			stored->environment,
			stored_identity_make(stored, call->identifier, &call->stored, &call->overlay),
			flag);
		if (!open_hides_result(&request->open, &result))
		{
			json_write_raw(&response->body, answer_of(&result)->document);
			return;
		}
	}
	http_error(response, 404, "Given feature not found");
}

static bool
check_identifier(HttpResponse *response, Str identifier)
{
	if (identifier.len == 0)
		http_error(response, 400, "Missing identifier");
	else if (memchr(identifier.data, '\0', identifier.len) != NULL)
		http_error(response, 400, "Null characters are not allowed.");
	else if (fields_length(identifier) > IDENTIFIER_MAX_LENGTH)
		http_error(response, 400, "The identifier has more than 2000 characters.");
	else
		return true;
	return false;
}

void
http_get_identity(HttpRequest *request, HttpResponse *response)
{
	IdentityCall call = {.identifier = STR(""),
	                     .stored = SOURCE_IDENTITY_NONE,
	                     .overlay = {.type = JSON_OBJECT}};
	Str text;

	http_parameter(request, "identifier", &call.identifier);
	if (!check_identifier(response, call.identifier))
		return;
	/* as Flagsmith has it: any text says yes */
	call.unsaved = http_parameter(request, "transient", &text) && text.len > 0;
	if (!call.unsaved)
		stored_identity_read(request->open.stored, call.identifier, &call.stored);
	http_add_updated_at(response, &request->open);
	if (http_parameter(request, "feature", &text) && text.len > 0)
		answer_feature(request, response, &call, text);
	else
		answer_identity(request, response, &call);
}

/* Reads the traits of the body into the call, each with what is wrong with it. */
static void
read_traits(HttpRequest *request, FieldErrors *errors, IdentityCall *call)
{
	const JsonValue *list = json_get(&request->body, STR("traits"));
	StringInfoData items;
	bool any = false;

	if (list == NULL)
		return;
	if (list->type != JSON_ARRAY)
	{
		fields_add(errors, "traits",
		           list->type == JSON_NULL ? "This field may not be null."
		                                   : "Expected a list of items.");
		return;
	}
	if (list->count > REQUEST_MAX_TRAITS)
	{
		fields_add(errors, "traits", "These are too many traits.");
		return;
	}
	call->traits = palloc(sizeof(HttpTrait) * (list->count + 1));
	initStringInfo(&items);
	for (uint32 i = 0; i < list->count; i++)
	{
		FieldErrors item;

		fields_begin(&item);
		if (list->elements[i].type == JSON_OBJECT)
			fields_trait(&item, &list->elements[i], &call->traits[call->ntraits++]);
		else
			fields_add(&item, "non_field_errors", "Invalid data. Expected a dictionary.");
		any |= item.any;
		appendStringInfo(&items, "%s%s}", i > 0 ? "," : "", item.json.data);
	}
	if (any)
	{
		appendStringInfo(&errors->json, "%s\"traits\":[%s]", errors->any ? "," : "",
		                 items.data);
		errors->any = true;
	}
}

/* Which traits of a call. */
typedef enum TraitSelection
{
	TRAITS_KEPT,
	TRAITS_TRANSIENT,
	TRAITS_ALL
} TraitSelection;

/* The selected traits of the call as an object; of a name, the last counts. */
static JsonValue
select_traits(const IdentityCall *call, TraitSelection selection)
{
	JsonValue object = {.type = JSON_OBJECT, .raw = STR_INIT("{}")};

	object.members = palloc(sizeof(JsonMember) * (call->ntraits + 1));
	for (uint32 i = 0; i < call->ntraits; i++)
		if (selection == TRAITS_ALL ||
		    call->traits[i].transient == (selection == TRAITS_TRANSIENT))
			json_set(&object, call->traits[i].key, call->traits[i].value);
	return object;
}

static int
compare_keys(const void *a, const void *b)
{
	return str_compare(((const HttpTrait *) a)->key, ((const HttpTrait *) b)->key);
}

static Str
hex(const uint8 *bytes, int length)
{
	char *text = palloc(2 * length + 1);

	for (int i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return str_make(text, 2 * length);
}

/* The identifier of whoever gives none: of the traits if there are some, else a UUID. */
static Str
make_identifier(const IdentityCall *call)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	HttpTrait *sorted;
	StringInfoData text;
	pg_cryptohash_ctx *context;

	if (call->ntraits == 0)
	{
		if (!pg_strong_random(digest, 16))
			elog(ERROR, "could not generate random values");
		digest[6] = (digest[6] & 0x0f) | 0x40;
		digest[8] = (digest[8] & 0x3f) | 0x80;
		return hex(digest, 16);
	}
	sorted = palloc(sizeof(HttpTrait) * call->ntraits);
	memcpy(sorted, call->traits, sizeof(HttpTrait) * call->ntraits);
	qsort(sorted, call->ntraits, sizeof(HttpTrait), compare_keys);
	initStringInfo(&text);
	for (uint32 i = 0; i < call->ntraits; i++)
		if (sorted[i].value.type != JSON_NULL)
		{
			json_write_raw(&text, sorted[i].key);
			py_str(&text, &sorted[i].value);
		}
	context = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(context) < 0 ||
	    pg_cryptohash_update(context, (uint8 *) text.data, text.len) < 0 ||
	    pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a hash");
	pg_cryptohash_free(context);
	return hex(digest, sizeof(digest));
}

/* All traits of the call over what is stored, for this call alone. */
static void
overlay_all(IdentityCall *call)
{
	for (uint32 i = 0; i < call->ntraits; i++)
		call->traits[i].transient = true;
	call->overlay = select_traits(call, TRAITS_ALL);
}

/* Stores what is to be stored; false if that was refused. */
static bool
store(HttpRequest *request, HttpResponse *response, IdentityCall *call)
{
	bool persist = request->open.stored->persist_trait_data;
	JsonValue kept = {.type = JSON_OBJECT};

	if (persist)
		kept = select_traits(call, TRAITS_KEPT);
	call->overlay = select_traits(call, persist ? TRAITS_TRANSIENT : TRAITS_ALL);
	return http_store_traits(request, response, call->identifier, &kept, &call->stored);
}

/* Finds out what is stored and what counts over it, and stores what is to be stored;
 * false if that was refused. */
static bool
settle(HttpRequest *request, HttpResponse *response, IdentityCall *call)
{
	if (call->identifier.data != NULL && !call->transient)
		return store(request, response, call);
	if (call->identifier.data != NULL)
		stored_identity_read(request->open.stored, call->identifier, &call->stored);
	else
		call->identifier = make_identifier(call);
	call->unsaved = !call->stored.exists;
	overlay_all(call);
	return true;
}

/* What the source cannot store is refused before anything is. */
static void
check_storable(HttpRequest *request, FieldErrors *errors, const IdentityCall *call)
{
	const StoredEnvironment *environment = request->open.stored;

	if (call->transient || call->identifier.data == NULL ||
	    !environment->persist_trait_data)
		return;
	for (uint32 i = 0; i < call->ntraits; i++)
	{
		const HttpTrait *trait = &call->traits[i];
		const char *fault =
			trait->transient
				? NULL
				: environment->source->trait_fault(trait->key, &trait->value);

		if (fault != NULL)
		{
			fields_add(errors, "traits", fault);
			return;
		}
	}
}

void
http_post_identity(HttpRequest *request, HttpResponse *response)
{
	IdentityCall call = {.stored = SOURCE_IDENTITY_NONE,
	                     .overlay = {.type = JSON_OBJECT}};
	FieldErrors errors;

	fields_begin(&errors);
	fields_text(&errors, &request->body, "identifier", true, IDENTIFIER_MAX_LENGTH,
	            &call.identifier);
	fields_boolean(&errors, &request->body, "transient", &call.transient);
	read_traits(request, &errors, &call);
	/* a client may not set traits, but is told nothing of it */
	if (!request->open.is_server_side && !request->open.stored->allow_client_traits)
		call.ntraits = 0;
	if (!errors.any)
		check_storable(request, &errors, &call);
	if (fields_refuse(&errors, response))
		return;
	if (!settle(request, response, &call))
		return;
	http_add_updated_at(response, &request->open);
	answer_identity(request, response, &call);
}
