/*
 * The extension's own tables as a source.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "arguments.h"
#include "query.h"
#include "source.h"

#define SERVER_KEY_PREFIX "ser."

static KeptQuery find_client_key = {
	.text = "SELECT id FROM flagsmith.environment WHERE api_key = $1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTOID},
};

static KeptQuery find_server_key = {
	.text = "SELECT environment_id FROM flagsmith.environment_key"
			" WHERE key = $1 AND active AND (expires_at IS NULL OR expires_at > now())",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTOID},
};

static KeptQuery load = {
	.text =
		"SELECT e.api_key,"
		" coalesce(e.hide_disabled_flags, p.hide_disabled_flags, false),"
		" coalesce(e.hide_sensitive_data, false),"
		" flagsmith.environment_context(e.id)"
		" FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id"
		" WHERE e.id = $1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

static KeptQuery read_stored = {
	.text = "SELECT (SELECT i.traits FROM flagsmith.identity i"
			" WHERE i.environment_id = $1 AND i.identifier = $2),"
			" flagsmith.identity_override_contexts($1, $2)",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

/* What the traits will be, and whether that changes them: 7 and 7.0 are not the same. */
#define MERGED                                                                           \
	"(SELECT coalesce(jsonb_object_agg(key, value), '{}')"                               \
	" FROM jsonb_each(i.traits || $3) WHERE value <> 'null')"

static KeptQuery lock_traits = {
	.text = "SELECT m.traits, m.traits::text IS DISTINCT FROM i.traits::text FROM"
			" (SELECT traits FROM flagsmith.identity"
			" WHERE environment_id = $1 AND identifier = $2 FOR UPDATE) i,"
			" LATERAL (SELECT " MERGED " AS traits) m",
	.nparameters = 3,
	.parameter_types = {INT8OID, TEXTOID, JSONBOID},
};

static KeptQuery update_traits = {
	.text = "UPDATE flagsmith.identity SET traits = $3"
			" WHERE environment_id = $1 AND identifier = $2",
	.nparameters = 3,
	.parameter_types = {INT8OID, TEXTOID, JSONBOID},
};

static KeptQuery insert_identity = {
	.text = "INSERT INTO flagsmith.identity (environment_id, identifier) VALUES ($1, $2)"
			" ON CONFLICT DO NOTHING",
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

static bool
table_find_key(Str key, SourceKey *found)
{
	Datum parameters[] = {argument_make_text(key)};
	uint32 prefix = strlen(SERVER_KEY_PREFIX);

	found->is_server_side =
		key.len >= prefix && memcmp(key.data, SERVER_KEY_PREFIX, prefix) == 0;
	SPI_connect();
	query_run(found->is_server_side ? &find_server_key : &find_client_key, parameters,
	          NULL);
	if (SPI_processed == 1)
		found->environment_id = DatumGetInt64(query_value(1));
	else
		found->environment_id = 0;
	SPI_finish();
	return found->environment_id != 0;
}

static bool
table_load_environment(int64 environment_id, SourceEnvironment *environment)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	MemoryContext context = CurrentMemoryContext;
	bool exists;

	SPI_connect();
	query_run(&load, parameters, NULL);
	exists = SPI_processed == 1;
	if (exists)
	{
		environment->api_key = query_text(1, context);
		environment->hide_disabled_flags = DatumGetBool(query_value(2));
		environment->hide_sensitive_data = DatumGetBool(query_value(3));
		environment->context = query_text(4, context);
	}
	SPI_finish();
	return exists;
}

static void
table_read_identity(int64 environment_id, Str identifier, SourceIdentity *identity)
{
	Datum parameters[] = {Int64GetDatum(environment_id), argument_make_text(identifier)};
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	query_run(&read_stored, parameters, NULL);
	identity->traits = query_text(1, context);
	identity->overrides = query_text(2, context);
	SPI_finish();
}

/* The jsonb in the first column of the first row, copied out of SPI's memory. */
static Datum
copy_jsonb(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum copy = PointerGetDatum(DatumGetJsonbPCopy(query_value(1)));

	MemoryContextSwitchTo(old);
	return copy;
}

static Datum
table_write_traits(int64 environment_id, Str identifier, Datum traits)
{
	Datum parameters[] = {Int64GetDatum(environment_id), argument_make_text(identifier),
	                      traits};
	MemoryContext context = CurrentMemoryContext;
	Datum merged;

	SPI_connect();
	query_run(&lock_traits, parameters, NULL);
	/* another session may delete the identity between any two statements */
	while (SPI_processed == 0)
	{
		CHECK_FOR_INTERRUPTS();
		query_run(&insert_identity, parameters, NULL);
		query_run(&lock_traits, parameters, NULL);
	}
	merged = copy_jsonb(context);
	if (DatumGetBool(query_value(2)))
	{
		parameters[2] = merged;
		query_run(&update_traits, parameters, NULL);
	}
	SPI_finish();
	return merged;
}

const Source table_source = {
	.find_key = table_find_key,
	.load_environment = table_load_environment,
	.read_identity = table_read_identity,
	.write_traits = table_write_traits,
};
