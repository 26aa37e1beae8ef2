/*
 * SQL functions on identities: the document that Flagsmith's API answers, and traits.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "engine/json_write.h"

#include "arguments.h"
#include "cache.h"
#include "identity_json.h"
#include "report.h"
#include "stored_identity.h"

SQL_FUNCTION(flagsmith_identity_document);
SQL_FUNCTION(flagsmith_set_traits);

/* identity_document(environment_key text, identifier text, traits jsonb) RETURNS json */
Datum
flagsmith_identity_document(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = cache_open(argument_optional_text(fcinfo, 0));
	Str identifier = argument_identifier(fcinfo, 1);
	Identity *identity =
		stored_identity(open.stored, identifier, argument_traits(fcinfo, 2));
	const JsonValue *traits = stored_identity_traits(identity);
	EvaluationResult result;
	StringInfoData buffer;

	evaluation_run(open.stored->environment, identity, &result);
	identity_order_flags(open.stored, identity, &result);
	argument_begin_text(&buffer, open.stored->document_size);
	appendStringInfoString(&buffer, "{\"identifier\":");
	json_write_string(&buffer, identifier);
	appendStringInfoString(&buffer, ",\"traits\":[");
	for (uint32 i = 0; i < traits->count && !open.stored->hide_sensitive_data; i++)
	{
		appendStringInfoString(&buffer, i > 0 ? "," : "");
		identity_append_trait(&buffer, 0, traits->members[i].name,
		                      &traits->members[i].value, false);
	}
	appendStringInfoString(&buffer, "],\"flags\":[");
	identity_append_flags(&buffer, &open, &result);
	appendStringInfoString(&buffer, "]}");
	cache_close(&open);
	PG_RETURN_DATUM(argument_end_text(&buffer));
}

static void
check_can_write(void)
{
	if (RecoveryInProgress())
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
		                errmsg("cannot set traits on a standby"),
		                errhint("Send writes to the primary; flags can be read here.")));
	if (XactReadOnly)
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
		                errmsg("cannot set traits in a read-only transaction")));
}

/* set_traits(environment_key text, identifier text, traits jsonb) RETURNS jsonb */
Datum
flagsmith_set_traits(PG_FUNCTION_ARGS)
{
	EnvironmentId environment = cache_environment_id(argument_optional_text(fcinfo, 0));
	Str identifier = argument_identifier(fcinfo, 1);

	if (argument_traits(fcinfo, 2) == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
		                errmsg("the traits must not be null"),
		                errhint("An empty object changes nothing: '{}'.")));
	/* what is nested too deep to be evaluated is refused before it is stored */
	argument_jsonb(PG_GETARG_DATUM(2), "traits");
	check_can_write();
	PG_RETURN_DATUM(
		environment.source->write_traits(environment.id, identifier, PG_GETARG_DATUM(2)));
}
