/*
 * The extension's own tables as a source.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "engine/key.h"

#include "arguments.h"
#include "context_rows.h"
#include "query.h"
#include "source.h"
#include "table_identity.h"
#include "usage_arrays.h"

static KeptQuery find_client_key = {
	.text =
		"SELECT id, 'infinity'::timestamptz FROM flagsmith.environment WHERE api_key = $1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTOID},
};

static KeptQuery find_server_key = {
	.text = "SELECT environment_id, coalesce(expires_at, 'infinity')"
			" FROM flagsmith.environment_key"
			" WHERE key = $1 AND active AND (expires_at IS NULL OR expires_at > now())",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTOID},
};

static KeptQuery load = {
	.text =
		"SELECT e.name, e.api_key,"
		" coalesce(e.hide_disabled_flags, p.hide_disabled_flags, false),"
		" coalesce(e.hide_sensitive_data, false),"
		" coalesce((SELECT min(s.live_from) FROM flagsmith.feature_state s"
		" WHERE s.environment_id = e.id AND s.published AND s.live_from > now()), 'infinity'),"
		" EXISTS (SELECT FROM flagsmith.identity_override o WHERE o.environment_id = e.id),"
		" coalesce(e.allow_client_traits, true),"
		" p.organisation -> 'persist_trait_data' IS DISTINCT FROM 'false',"
		" p.organisation -> 'stop_serving_flags' IS NOT DISTINCT FROM 'true'"
		" FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id"
		" WHERE e.id = $1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

static KeptQuery read_states = {
	.text = "SELECT s.id, coalesce(s.segment_id, 0), s.position, f.name,"
			" coalesce(s.document_id::text, s.uuid, s.id::text), s.enabled, s.value,"
			" s.priority, coalesce(f.document_id, f.id), coalesce(s.document_id, s.id),"
			" coalesce(g.document_id, g.id), f.type, f.is_server_key_only, '', ''"
			" FROM flagsmith.live_feature_state s"
			" JOIN flagsmith.feature f ON f.id = s.feature_id"
			" LEFT JOIN flagsmith.segment g ON g.id = s.segment_id"
			" WHERE s.environment_id = $1"
			" ORDER BY 2, 3, 1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

/* By id; where documents give only uuids, by these. */
static KeptQuery read_shares = {
	.text =
		"SELECT v.feature_state_id, o.key, o.value, v.percentage_allocation"
		" FROM flagsmith.feature_state s"
		" JOIN flagsmith.multivariate_feature_state_value v ON v.feature_state_id = s.id"
		" JOIN flagsmith.multivariate_option o ON o.id = v.option_id"
		" WHERE s.environment_id = $1"
		" ORDER BY v.feature_state_id, v.document_id, lower(v.uuid) COLLATE \"C\", v.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

static KeptQuery read_segments = {
	.text = "SELECT g.id, coalesce(g.document_id, g.id), g.name, g.rules"
			" FROM flagsmith.environment_segment eg"
			" JOIN flagsmith.segment g ON g.id = eg.segment_id"
			" WHERE eg.environment_id = $1"
			" ORDER BY eg.position, g.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

static KeptQuery read_version = {
	.text = "SELECT flagsmith.environment_stamp($1), v.updated_at,"
			" coalesce(v.shares_second, false)"
			" FROM flagsmith.environment_version($1) v WHERE v.updated_at IS NOT NULL",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

static KeptQuery read_document = {
	.text = "SELECT flagsmith.stored_document($1)",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

/* Rows in one order, though no other session has them: prepared transactions may. */
static KeptQuery add_evaluations = {
	.text = "INSERT INTO flagsmith.feature_evaluation AS c"
			" (environment_id, feature_id, hour, labels, writer, count)"
			" SELECT e.id, f.id, date_trunc('hour', now(), 'UTC'), $4, $5, sum(g.count)"
			" FROM flagsmith.environment e"
			" JOIN flagsmith.feature f ON f.project_id = e.project_id"
			" JOIN unnest($2, $3) g (feature, count) ON g.feature = f.name"
			" WHERE e.id = $1 GROUP BY e.id, f.id ORDER BY f.id"
			" ON CONFLICT (environment_id, feature_id, hour, labels, writer)"
			" DO UPDATE SET count = c.count + excluded.count",
	.nparameters = 5,
	.parameter_types = {INT8OID, TEXTARRAYOID, INT8ARRAYOID, JSONBOID, INT4OID},
};

static KeptQuery add_usage = {
	.text = "INSERT INTO flagsmith.api_usage AS c"
			" (environment_id, resource, hour, labels, writer, count)"
			" SELECT g.environment_id, g.resource, date_trunc('hour', now(), 'UTC'),"
			" g.labels, $5, sum(g.count)"
			" FROM unnest($1, $2, $3, $4) g (environment_id, resource, labels, count)"
			" GROUP BY g.environment_id, g.resource, g.labels"
			" ON CONFLICT (environment_id, resource, hour, labels, writer)"
			" DO UPDATE SET count = c.count + excluded.count",
	.nparameters = 5,
	.parameter_types = {INT8ARRAYOID, TEXTARRAYOID, JSONBARRAYOID, INT8ARRAYOID, INT4OID},
};

static int
table_relations(Oid *relations, int size)
{
	static const char *const names[] = {
		"project",
		"environment",
		"environment_key",
		"feature",
		"multivariate_option",
		"segment",
		"environment_segment",
		"feature_state",
		"multivariate_feature_state_value",
		"identity_override",
	};
	Oid schema = get_namespace_oid("flagsmith", true);
	int count = 0;

	for (size_t i = 0; i < lengthof(names) && count < size && OidIsValid(schema); i++)
		relations[count++] = get_relname_relid(names[i], schema);
	return count;
}

static bool
table_find_key(Str key, SourceKey *found)
{
	Datum parameters[] = {argument_make_text(key)};
	bool exists;

	found->is_server_side = key_is_server_side(key);
	SPI_connect();
	query_run(found->is_server_side ? &find_server_key : &find_client_key, parameters,
	          NULL);
	exists = SPI_processed == 1;
	if (exists)
	{
		found->environment_id = DatumGetInt64(query_value(1));
		found->expires_at = DatumGetTimestampTz(query_value(2));
	}
	SPI_finish();
	return exists;
}

static QueryRows
read_rows(KeptQuery *query, int64 environment_id)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};

	query_run(query, parameters, NULL);
	return query_rows();
}

/* Writes the evaluation context, in the given memory context. */
static void
write_context(int64 environment_id, SourceEnvironment *environment, MemoryContext context)
{
	ContextRows rows = {.states = read_rows(&read_states, environment_id),
	                    .shares = read_rows(&read_shares, environment_id),
	                    .segments = read_rows(&read_segments, environment_id)};
	MemoryContext old = MemoryContextSwitchTo(context);
	StringInfoData buffer;

	initStringInfo(&buffer);
	environment->attributes =
		context_rows_write(&buffer, &rows, environment->api_key, environment->name);
	environment->context = str_make(buffer.data, buffer.len);
	MemoryContextSwitchTo(old);
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
		*environment = (SourceEnvironment){0};
		environment->name = query_text(1, context);
		environment->api_key = query_text(2, context);
		environment->hide_disabled_flags = DatumGetBool(query_value(3));
		environment->hide_sensitive_data = DatumGetBool(query_value(4));
		environment->next_change = DatumGetTimestampTz(query_value(5));
		environment->has_identity_overrides = DatumGetBool(query_value(6));
		environment->allow_client_traits = DatumGetBool(query_value(7));
		environment->persist_trait_data = DatumGetBool(query_value(8));
		environment->stop_serving_flags = DatumGetBool(query_value(9));
		write_context(environment_id, environment, context);
	}
	SPI_finish();
	return exists;
}

static bool
table_version(int64 environment_id, SourceVersion *version)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	bool exists;

	SPI_connect();
	query_run(&read_version, parameters, NULL);
	exists = SPI_processed == 1;
	if (exists)
	{
		version->stamp = DatumGetInt64(query_value(1));
		version->updated_at = version->changed_at = DatumGetTimestampTz(query_value(2));
		version->shares_second = DatumGetBool(query_value(3));
	}
	SPI_finish();
	return exists;
}

static Datum
table_document(int64 environment_id)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	MemoryContext context = CurrentMemoryContext;
	Str document;

	SPI_connect();
	query_run(&read_document, parameters, NULL);
	document = query_text(1, context);
	SPI_finish();
	return document.data == NULL ? (Datum) 0 : argument_make_text(document);
}

static void
table_record_evaluations(int64 environment_id, const SourceEvaluation *evaluations,
                         int count, Str labels)
{
	Datum *features = palloc(sizeof(Datum) * count);
	Datum *counts = palloc(sizeof(Datum) * count);
	Datum parameters[5];

	for (int i = 0; i < count; i++)
	{
		features[i] = argument_make_text(evaluations[i].feature);
		counts[i] = Int64GetDatum(evaluations[i].count);
	}
	parameters[0] = Int64GetDatum(environment_id);
	parameters[1] = argument_make_array(features, NULL, count, TEXTOID);
	parameters[2] = argument_make_array(counts, NULL, count, INT8OID);
	parameters[3] = argument_make_jsonb(labels);
	parameters[4] = Int32GetDatum(compat_backend_slot());
	SPI_connect();
	query_run(&add_evaluations, parameters, NULL);
	SPI_finish();
}

static void
table_record_usage(const SourceUsage *usage, int count)
{
	UsageArrays arrays = usage_make_arrays(usage, count);
	Datum parameters[] = {arrays.environment_ids, arrays.resources, arrays.labels,
	                      arrays.counts, Int32GetDatum(compat_backend_slot())};

	SPI_connect();
	query_run(&add_usage, parameters, NULL);
	SPI_finish();
}

const Source table_source = {
	.relations = table_relations,
	.find_key = table_find_key,
	.load_environment = table_load_environment,
	.version = table_version,
	.read_identity = table_read_identity,
	.write_traits = table_write_traits,
	.trait_fault = table_trait_fault,
	.document = table_document,
	.record_evaluations = table_record_evaluations,
	.record_usage = table_record_usage,
};
