/*
 * The environment document of an attached environment.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "engine/json_write.h"

#include "arguments.h"
#include "attached.h"

#define DOCUMENT_TIME(column)                                                            \
	"concat(to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS'),"        \
	" CASE WHEN extract(microseconds FROM " column ")::bigint % 1000000 = 0 THEN ''"     \
	" ELSE to_char(" column " AT TIME ZONE 'UTC', '.US') END, '+00:00')"

/* A state s with its value v and its feature f.  Shares are as they lie, as Flagsmith gives
 * them: SDKs order them by id. */
#define STATE_OBJECT(priority)                                                                                   \
	"json_build_object('feature', json_build_object('id', f.id, 'name', f.name,"                                 \
	" 'type', f.type), 'enabled', s.enabled,"                                                                    \
	" 'django_id', coalesce(s.mv_hashing_salt, s.id), 'feature_segment', " priority ","                          \
	" 'featurestate_uuid', s.uuid, 'feature_state_value', " ATTACHED_VALUE(                                      \
		"v") ","                                                                                                 \
			 " 'multivariate_feature_state_values', coalesce((SELECT json_agg(json_build_object("                \
			 "'multivariate_feature_option', json_build_object('value', " ATTACHED_VALUE(                        \
				 "o") ","                                                                                        \
					  " 'id', o.id, 'key', o.key),"                                                              \
					  " 'percentage_allocation', " ATTACHED_PERCENTAGE(                                          \
						  "m.percentage_allocation") "::json,"                                                   \
													 " 'id', m.id, 'mv_fs_value_uuid', m.uuid) ORDER BY m.ctid)" \
													 " FROM @.multivariate_multivariatefeaturestatevalue m"      \
													 " JOIN @.multivariate_multivariatefeatureoption o"          \
													 " ON o.id = m.multivariate_feature_option_id"               \
													 " WHERE m.feature_state_id = s.id), '[]'))"

/* clang-format off */

/* The document up to its segments, and what is needed for the rest. */
static KeptQuery read_frame = {
	.text =
		"SELECT concat('{\"id\":', e.id, ',\"api_key\":', to_json(e.api_key),"
		" ',\"name\":', to_json(e.name),"
		" ',\"updated_at\":\"', " DOCUMENT_TIME(
			"e.updated_at") ","
							" '\",\"allow_client_traits\":', to_json(e.allow_client_traits),"
							" ',\"hide_sensitive_data\":', to_json(e.hide_sensitive_data),"
							" ',\"hide_disabled_flags\":',"
							" coalesce(to_json(e.hide_disabled_flags)::text, 'null'),"
							" ',\"use_identity_composite_key_for_hashing\":',"
							" to_json(e.use_mv_v2_evaluation),"
							" ',\"use_identity_overrides_in_local_eval\":',"
							" to_json(e.use_identity_overrides_in_local_eval),"
							" ',\"project\":{\"id\":', p.id, ',\"name\":', to_json(p.name),"
							" ',\"organisation\":', json_build_object('id', o.id, 'name', o.name,"
							" 'feature_analytics', o.feature_analytics,"
							" 'stop_serving_flags', o.stop_serving_flags,"
							" 'persist_trait_data', o.persist_trait_data),"
							" ',\"hide_disabled_flags\":', to_json(p.hide_disabled_flags),"
							" ',\"enable_realtime_updates\":', to_json(p.enable_realtime_updates),"
							" ',\"server_key_only_feature_ids\":', coalesce((SELECT json_agg(o.id ORDER BY o.state)"
							" FROM (SELECT f.id, min(s.id) AS state FROM @.features_featurestate s"
							" JOIN @.features_feature f ON f.id = s.feature_id AND f.is_server_key_only"
							" WHERE s.environment_id = e.id AND s.identity_id IS NULL"
							" AND s.feature_segment_id IS NULL AND s.deleted_at IS NULL"
							" GROUP BY f.id) o), '[]'), ',\"segments\":['),"
							" e.use_v2_feature_versioning, e.use_identity_overrides_in_local_eval"
							" FROM @.environments_environment e"
							" JOIN @.projects_project p ON p.id = e.project_id"
							" JOIN @.organisations_organisation o ON o.id = p.organisation_id"
							" WHERE e.id = $1 AND e.deleted_at IS NULL",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

/*
 * The live states: the segment (0: none), and the state as JSON.  A default is at the
 * place of the oldest that the feature has had; within a priority there is no order in
 * Flagsmith.
 */
static KeptQuery read_states = {
	.text = "SELECT coalesce(g.segment_id, 0)::bigint, " STATE_OBJECT(
		"CASE WHEN g.id IS NULL THEN NULL"
		" ELSE json_build_object('priority', g.priority) END") " FROM (" ATTACHED_LIVE_STATES("") ") s"
																								  " JOIN @.features_feature f ON f.id = s.feature_id"
																								  " LEFT JOIN @.features_featurestatevalue v ON v.feature_state_id = s.id"
																								  " LEFT JOIN @.features_featuresegment g ON g.id = s.feature_segment_id"
																								  " LEFT JOIN (SELECT o.feature_id, min(o.id) AS id FROM @.features_featurestate o"
																								  " LEFT JOIN @.feature_versioning_environmentfeatureversion n"
																								  " ON n.uuid = o.environment_feature_version_id"
																								  " WHERE o.environment_id = $1 AND o.feature_segment_id IS NULL"
																								  " AND o.identity_id IS NULL AND o.deleted_at IS NULL"
																								  " AND CASE WHEN $2 THEN n.published_at IS NOT NULL AND n.live_from <= now()"
																								  " ELSE o.version IS NOT NULL AND o.live_from <= now() END"
																								  " GROUP BY o.feature_id) oldest"
																								  " ON oldest.feature_id = s.feature_id AND g.id IS NULL"
																								  " WHERE s.feature_segment_id IS NULL OR g.id IS NOT NULL"
																								  " ORDER BY 1, g.priority, oldest.id, s.id",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, BOOLOID},
};

enum
{
	STATE_OF_SEGMENT = 1,
	STATE_JSON
};

static KeptQuery read_identity_overrides = {
	.text =
		"SELECT coalesce(json_agg(json_build_object('identifier', i.identifier,"
		" 'environment_api_key', e.api_key,"
		" 'created_date', " DOCUMENT_TIME(
			"i.created_date") ","
							  " 'identity_features', o.states, 'identity_traits', '[]'::json,"
							  " 'identity_uuid', gen_random_uuid(), 'django_id', i.id, 'dashboard_alias', NULL,"
							  " 'composite_key', concat(e.api_key, '_', i.identifier)) ORDER BY i.id), '[]')"
							  " FROM (SELECT s.identity_id, json_agg(" STATE_OBJECT(
								  "NULL") " ORDER BY s.id)"
										  " AS states FROM @.features_featurestate s"
										  " JOIN @.features_feature f ON f.id = s.feature_id"
										  " LEFT JOIN @.features_featurestatevalue v ON v.feature_state_id = s.id"
										  " WHERE s.environment_id = $1 AND s.identity_id IS NOT NULL"
										  " AND s.deleted_at IS NULL"
										  " AND ($2 OR (s.live_from <= now() AND s.version IS NOT NULL))"
										  " GROUP BY s.identity_id) o"
										  " JOIN @.environments_identity i ON i.id = o.identity_id"
										  " JOIN @.environments_environment e ON e.id = i.environment_id",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, BOOLOID},
};

/* clang-format on */

/* Appends the states of a segment, or the defaults (0). */
static void
append_states(StringInfo buffer, const QueryRows *states, int64 segment)
{
	uint64 first = rows_find(states, STATE_OF_SEGMENT, segment);

	for (uint64 i = first;
	     i < states->count && rows_int(states, i, STATE_OF_SEGMENT) == segment; i++)
	{
		appendStringInfoString(buffer, i > first ? "," : "");
		json_write_raw(buffer, rows_text(states, i, STATE_JSON));
	}
}

static void
append_segments(StringInfo buffer, int64 environment_id, const QueryRows *states)
{
	QueryRows segments = attached_read_segments(environment_id);
	Str *rules = attached_read_rules(&segments, true);

	for (uint64 i = 0; i < segments.count; i++)
	{
		int64 id = rows_int(&segments, i, SEGMENT_ID);

		appendStringInfo(buffer, "%s{\"id\":" INT64_FORMAT ",\"name\":", i > 0 ? "," : "",
		                 id);
		json_write_string(buffer, rows_text(&segments, i, SEGMENT_NAME));
		appendStringInfoString(buffer, ",\"rules\":");
		json_write_raw(buffer, rules[i]);
		appendStringInfoString(buffer, ",\"feature_states\":[");
		append_states(buffer, states, id);
		appendStringInfoString(buffer, "]}");
	}
}

/* Appends the rest of a document whose frame has been read. */
static void
append_document(StringInfo buffer, int64 environment_id)
{
	bool with_identities = DatumGetBool(query_value(3));
	Datum parameters[] = {Int64GetDatum(environment_id), query_value(2)};
	QueryRows states;

	json_write_raw(buffer, query_text(1, CurrentMemoryContext));
	attachment_query(&read_states, parameters, NULL);
	states = query_rows();
	append_segments(buffer, environment_id, &states);
	appendStringInfoString(buffer, "]},\"feature_states\":[");
	append_states(buffer, &states, 0);
	appendStringInfoString(buffer, "],\"identity_overrides\":");
	if (with_identities)
		attachment_query(&read_identity_overrides, parameters, NULL);
	json_write_raw(buffer,
	               with_identities ? query_text(1, CurrentMemoryContext) : STR("[]"));
	appendStringInfoChar(buffer, '}');
}

Datum
attached_document(int64 environment_id)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	StringInfoData buffer;
	bool exists;

	initStringInfo(&buffer);
	SPI_connect();
	attachment_query(&read_frame, parameters, NULL);
	exists = SPI_processed == 1;
	if (exists)
		append_document(&buffer, environment_id);
	SPI_finish();
	return exists ? argument_make_text(str_make(buffer.data, buffer.len)) : (Datum) 0;
}
