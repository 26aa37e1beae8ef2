/*
 * Storing traits for a request.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"

#include "http_message.h"
#include "http_store.h"
#include "stored_identity.h"
#include "traits.h"

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

		if (old == NULL ? member->value.type != JSON_NULL
		                : !traits_equal(old, &member->value))
			return true;
	}
	return false;
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
	                                  traits_make_jsonb(traits));
	http_see_writes();
	stored_identity_read(environment, identifier, stored);
	return true;
}
