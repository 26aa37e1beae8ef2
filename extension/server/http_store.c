/*
 * Storing traits for a request.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"

#include "engine/json_write.h"

#include "arguments.h"
#include "http_message.h"
#include "http_store.h"
#include "stored_identity.h"

/* Whether a stored value is the very same: 7 and 7.0 are not. */
static bool
is_same(const JsonValue *a, const JsonValue *b)
{
	if (a->type != b->type)
		return false;
	return a->type == JSON_STRING ? str_equal(a->string, b->string)
	                              : str_equal(a->raw, b->raw);
}

/* Whether storing the traits would change anything. */
static bool
is_change(const SourceIdentity *stored, const JsonValue *traits)
{
	if (!stored->exists)
		return true;
	for (uint32 i = 0; i < traits->count; i++)
	{
		const JsonMember *member = &traits->members[i];
		const JsonValue *old = json_get(&stored->traits, member->name);

		if (old == NULL ? member->value.type != JSON_NULL : !is_same(old, &member->value))
			return true;
	}
	return false;
}

Datum
http_traits_jsonb(const JsonValue *traits)
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
http_store_traits(HttpRequest *request, HttpResponse *response, Str identifier,
                  const JsonValue *traits, SourceIdentity *stored)
{
	const StoredEnvironment *environment = request->open.stored;

	stored_identity_read(environment, identifier, stored);
	if (!is_change(stored, traits))
		return true;
	if (RecoveryInProgress() || XactReadOnly)
	{
		http_error(response, 503, "This server is read-only: send POST to the primary.");
		return false;
	}
	if (identifier.len > IDENTIFIER_MAX_BYTES)
	{
		http_error(response, 400, "The identifier is too long to be stored.");
		return false;
	}
	environment->source->write_traits(environment->id, identifier,
	                                  http_traits_jsonb(traits));
	http_see_writes();
	stored_identity_read(environment, identifier, stored);
	return true;
}
