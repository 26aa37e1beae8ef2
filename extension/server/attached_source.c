/*
 * The tables of an attached Flagsmith as a source: its keys and environments.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "engine/key.h"

#include "arguments.h"
#include "attached.h"
#include "source.h"

/* Flagsmith looks for either kind of key in both places. */
static KeptQuery find_key = {
	.text =
		"SELECT e.id::bigint, 'infinity'::timestamptz FROM @.environments_environment e"
		" WHERE e.api_key = $1 AND e.deleted_at IS NULL"
		" UNION ALL"
		" SELECT e.id::bigint, coalesce(k.expires_at, 'infinity')"
		" FROM @.environments_environmentapikey k"
		" JOIN @.environments_environment e ON e.id = k.environment_id"
		" WHERE k.key = $1 AND k.active AND (k.expires_at IS NULL OR k.expires_at > now())"
		" AND e.deleted_at IS NULL"
		" LIMIT 1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTOID},
};

static KeptQuery load = {
	.text =
		"SELECT e.name, e.api_key, coalesce(e.hide_disabled_flags, p.hide_disabled_flags),"
		" e.hide_sensitive_data, e.allow_client_traits, o.persist_trait_data,"
		" o.stop_serving_flags, NOT e.use_mv_v2_evaluation, e.use_v2_feature_versioning,"
		" EXISTS (SELECT FROM @.features_featurestate s WHERE s.environment_id = e.id"
		" AND s.identity_id IS NOT NULL AND s.deleted_at IS NULL),"
		" least("
		"(SELECT coalesce(min(s.live_from), 'infinity') FROM @.features_featurestate s"
		" WHERE s.environment_id = e.id AND s.deleted_at IS NULL"
		" AND s.version IS NOT NULL AND s.live_from > now()),"
		"(SELECT coalesce(min(v.live_from), 'infinity')"
		" FROM @.feature_versioning_environmentfeatureversion v"
		" WHERE v.environment_id = e.id AND v.deleted_at IS NULL"
		" AND v.published_at IS NOT NULL AND v.live_from > now()))"
		" FROM @.environments_environment e"
		" JOIN @.projects_project p ON p.id = e.project_id"
		" JOIN @.organisations_organisation o ON o.id = p.organisation_id"
		" WHERE e.id = $1 AND e.deleted_at IS NULL",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

/* Whether there was an attachment when relations were last asked for. */
static bool is_attached = false;

static int
attached_relations(Oid *relations, int size)
{
	static const char *const names[] = {
		"organisations_organisation",
		"projects_project",
		"environments_environment",
		"environments_environmentapikey",
		"features_feature",
		"multivariate_multivariatefeatureoption",
		"multivariate_multivariatefeaturestatevalue",
		"features_featurestate",
		"features_featurestatevalue",
		"features_featuresegment",
		"feature_versioning_environmentfeatureversion",
		"segments_segment",
		"segments_segmentrule",
		"segments_condition",
		"environments_identity",
		"environments_trait",
	};
	Oid schema = attachment_find();
	int count = 0;

	for (size_t i = 0; i < lengthof(names) && count < size && OidIsValid(schema); i++)
		relations[count++] = get_relname_relid(names[i], schema);
	is_attached = OidIsValid(schema);
	return count;
}

static bool
attached_find_key(Str key, SourceKey *found)
{
	Datum parameters[] = {argument_make_text(key)};
	bool exists;

	if (!is_attached)
		return false;
	SPI_connect();
	attachment_query(&find_key, parameters, NULL);
	exists = SPI_processed == 1;
	if (exists)
	{
		found->is_server_side = key_is_server_side(key);
		found->environment_id = DatumGetInt64(query_value(1));
		found->expires_at = DatumGetTimestampTz(query_value(2));
	}
	SPI_finish();
	return exists;
}

/* Reads the row that the query has found. */
static void
read_environment(int64 environment_id, SourceEnvironment *environment,
                 MemoryContext context)
{
	*environment = (SourceEnvironment){
		.name = query_text(1, context),
		.api_key = query_text(2, context),
		.hide_disabled_flags = DatumGetBool(query_value(3)),
		.hide_sensitive_data = DatumGetBool(query_value(4)),
		.allow_client_traits = DatumGetBool(query_value(5)),
		.persist_trait_data = DatumGetBool(query_value(6)),
		.stop_serving_flags = DatumGetBool(query_value(7)),
		.hashes_identity_ids = DatumGetBool(query_value(8)),
		.orders_by_state = true,
		.has_identity_overrides = DatumGetBool(query_value(10)),
		.next_change = DatumGetTimestampTz(query_value(11)),
	};
	attached_read_context(environment_id, DatumGetBool(query_value(9)), environment,
	                      context);
}

static bool
attached_load_environment(int64 environment_id, SourceEnvironment *environment)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	MemoryContext context = CurrentMemoryContext;
	bool exists;

	SPI_connect();
	attachment_query(&load, parameters, NULL);
	exists = SPI_processed == 1;
	if (exists)
		read_environment(environment_id, environment, context);
	SPI_finish();
	return exists;
}

const Source attached_source = {
	.relations = attached_relations,
	.find_key = attached_find_key,
	.load_environment = attached_load_environment,
	.version = attached_version,
	.read_identity = attached_read_identity,
	.write_traits = attached_write_traits,
	.trait_fault = attached_trait_fault,
	.document = attached_document,
	.record_evaluations = attached_record_evaluations,
	.record_usage = attached_record_usage,
};
