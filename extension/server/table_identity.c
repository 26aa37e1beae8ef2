/*
 * Identities in the extension's own tables.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

#include "arguments.h"
#include "index_lookup.h"
#include "query.h"
#include "table_identity.h"
#include "traits.h"

static IndexLookup find_identity = {
	.table = "identity",
	.keys = {"environment_id", "identifier"},
	.columns = {"traits"},
};

static IndexLookup find_override = {
	.table = "identity_override",
	.keys = {"environment_id", "identifier"},
};

/* The same where only SQL can read the table. */
static KeptQuery read_traits = {
	.text = "SELECT traits FROM flagsmith.identity"
			" WHERE environment_id = $1 AND identifier = $2",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

/* And where some identity of the environment has overrides. */
static KeptQuery read_both = {
	.text = "SELECT (SELECT i.traits FROM flagsmith.identity i"
			" WHERE i.environment_id = $1 AND i.identifier = $2),"
			" EXISTS (SELECT FROM flagsmith.identity_override o"
			" WHERE o.environment_id = $1 AND o.identifier = $2)",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

static KeptQuery read_overrides = {
	.text = "SELECT flagsmith.identity_override_contexts($1, $2)",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

/* What the traits will be, and whether that changes them: 7 and 7.0 are not the same. */
static KeptQuery lock_traits = {
	.text = "SELECT m.traits, m.traits::text IS DISTINCT FROM i.traits::text FROM"
			" (SELECT traits FROM flagsmith.identity"
			" WHERE environment_id = $1 AND identifier = $2 FOR UPDATE) i,"
			" LATERAL (SELECT coalesce(jsonb_object_agg(key, value), '{}') AS traits"
			" FROM jsonb_each(i.traits || $3) WHERE value <> 'null') m",
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

/* The jsonb in the first column of the first row, copied out of SPI's memory. */
static Datum
copy_jsonb(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum copy = PointerGetDatum(DatumGetJsonbPCopy(query_value(1)));

	MemoryContextSwitchTo(old);
	return copy;
}

/* IndexVisit: copies the traits, a jsonb. */
static bool
take_traits(const IndexRow *row, void *argument)
{
	if (!row->nulls[0])
		*(Jsonb **) argument = DatumGetJsonbPCopy(row->values[0]);
	return false;
}

/* Reads the traits of an identity, and whether it has overrides if asked to, without SQL;
 * false if that cannot be. */
static bool
look_up_identity(int64 environment_id, Str identifier, bool with_overrides,
                 Jsonb **traits, bool *has_overrides)
{
	Oid schema = get_namespace_oid("flagsmith", false);
	IndexKey keys[] = {{.integer = environment_id}, {.text = identifier}};

	*traits = NULL;
	*has_overrides = false;
	return index_lookup_run(&find_identity, schema, keys, take_traits, traits) &&
	       (!with_overrides || index_lookup_run(&find_override, schema, keys,
	                                            index_lookup_notice, has_overrides));
}

/* The same by SQL. */
static void
query_identity(Datum *parameters, bool with_overrides, Jsonb **traits,
               bool *has_overrides, MemoryContext context)
{
	query_run(with_overrides ? &read_both : &read_traits, parameters, NULL);
	if (SPI_processed == 1 && !query_is_null(1))
		*traits = DatumGetJsonbP(copy_jsonb(context));
	*has_overrides = with_overrides && DatumGetBool(query_value(2));
}

void
table_read_identity(int64 environment_id, Str identifier, bool with_overrides,
                    SourceIdentity *identity)
{
	Datum parameters[] = {Int64GetDatum(environment_id), argument_make_text(identifier)};
	MemoryContext context = CurrentMemoryContext;
	bool is_plain, has_overrides;
	Jsonb *traits;

	*identity = SOURCE_IDENTITY_NONE;
	is_plain = look_up_identity(environment_id, identifier, with_overrides, &traits,
	                            &has_overrides);
	if (!is_plain || has_overrides)
	{
		SPI_connect();
		if (!is_plain)
			query_identity(parameters, with_overrides, &traits, &has_overrides, context);
		if (has_overrides)
		{
			query_run(&read_overrides, parameters, NULL);
			identity->overrides = query_text(1, context);
		}
		SPI_finish();
	}
	identity->exists = traits != NULL;
	identity->traits = traits_read(traits);
}

Datum
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

/* Whatever is JSON can be stored. */
const char *
table_trait_fault(Str name, const JsonValue *value)
{
	return NULL;
}
