/*
 * The evaluation context of an attached environment.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "arguments.h"
#include "attached.h"

/* Tables of live states. */
#define STATE_TABLES                                                                     \
	" FROM live s JOIN @.features_feature f ON f.id = s.feature_id"                      \
	" LEFT JOIN @.features_featurestatevalue v ON v.feature_state_id = s.id"             \
	" LEFT JOIN @.features_featuresegment g ON g.id = s.feature_segment_id"

/* clang-format off */

/*
 * Parameters: the environment, whether its features have versions, whether to hide
 * sensitive data, whether ties are broken as Flagsmith's API breaks them.
 *
 * There, of overrides with equal priority, that of the latest state counts: so priorities
 * are numbered anew, all different.  The engine takes the first segment's.
 */
static KeptQuery read_states = {
	.text = "WITH live AS (" ATTACHED_LIVE_STATES("") ") " ATTACHED_STATE_COLUMNS(
		"coalesce(g.segment_id, 0)::bigint",
		"CASE WHEN g.id IS NULL THEN NULL WHEN $4 THEN row_number() OVER"
		" (PARTITION BY s.feature_id, g.id IS NULL ORDER BY g.priority, s.id DESC)"
		" ELSE g.priority END",
		"coalesce(g.id, 0)::bigint", "$3", "'null'") STATE_TABLES
	" WHERE s.feature_segment_id IS NULL OR g.id IS NOT NULL"
	" ORDER BY 2, 1",
	.read_only = true,
	.nparameters = 4,
	.parameter_types = {INT8OID, BOOLOID, BOOLOID, BOOLOID},
};

/*
 * What Flagsmith lists where disabled flags are hidden: it leaves these out before it
 * chooses the latest of what has no versions, and shows features of server-side keys to
 * all.
 */
static KeptQuery read_listed = {
	.text = "WITH live AS (" ATTACHED_LIVE_STATES(
		" AND enabled AND feature_segment_id IS NULL") ") " ATTACHED_STATE_COLUMNS("0::bigint",
                                                                                   "NULL",
                                                                                   "0::bigint",
                                                                                   "$3",
                                                                                   "'null'")
		STATE_TABLES " ORDER BY 1",
	.read_only = true,
	.nparameters = 3,
	.parameter_types = {INT8OID, BOOLOID, BOOLOID},
};

/* clang-format on */

static KeptQuery read_shares = {
	.text =
		"SELECT m.feature_state_id::bigint, o.key, " ATTACHED_VALUE("o") ", " ATTACHED_PERCENTAGE(
			"m.percentage_allocation") " FROM @.multivariate_multivariatefeaturestatevalue m"
									   " JOIN @.multivariate_multivariatefeatureoption o"
									   " ON o.id = m.multivariate_feature_option_id"
									   " JOIN @.features_feature f ON f.id = o.feature_id"
									   " WHERE m.feature_state_id = ANY ($1) AND f.type = 'MULTIVARIATE'"
									   " ORDER BY m.feature_state_id, m.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8ARRAYOID},
};

/* Those of one feature only count where it is overridden. */
static KeptQuery read_segments = {
	.text =
		"SELECT g.id::bigint, g.id::bigint, g.name, g.rules_data"
		" FROM @.segments_segment g"
		" JOIN @.environments_environment e ON e.project_id = g.project_id"
		" WHERE e.id = $1 AND g.deleted_at IS NULL AND g.version_of_id = g.id"
		" AND (g.feature_id IS NULL OR EXISTS (SELECT FROM @.features_featuresegment f"
		" WHERE f.segment_id = g.id AND f.environment_id = e.id))"
		" ORDER BY g.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

Datum
attached_ids(const QueryRows *rows, int column)
{
	Datum *ids = palloc(sizeof(Datum) * (rows->count + 1));

	for (uint64 i = 0; i < rows->count; i++)
		ids[i] = Int64GetDatum(rows_int(rows, i, column));
	return argument_make_array(ids, NULL, (int) rows->count, INT8OID);
}

QueryRows
attached_read_shares(const QueryRows *states)
{
	Datum parameters[] = {attached_ids(states, STATE_ID)};

	attachment_query(&read_shares, parameters, NULL);
	return query_rows();
}

QueryRows
attached_read_segments(int64 environment_id)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};

	attachment_query(&read_segments, parameters, NULL);
	return query_rows();
}

static void
write_context(const ContextRows *rows, SourceEnvironment *environment,
              MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	StringInfoData buffer;

	initStringInfo(&buffer);
	environment->attributes =
		context_rows_write(&buffer, rows, environment->api_key, environment->name);
	environment->context = str_make(buffer.data, buffer.len);
	MemoryContextSwitchTo(old);
}

static void
write_listed(const ContextRows *rows, SourceEnvironment *environment,
             MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	StringInfoData buffer;

	initStringInfo(&buffer);
	environment->listed_attributes = context_rows_write_states(&buffer, rows);
	environment->listed = str_make(buffer.data, buffer.len);
	MemoryContextSwitchTo(old);
}

void
attached_read_context(int64 environment_id, bool has_versions,
                      SourceEnvironment *environment, MemoryContext context)
{
	Datum parameters[] = {Int64GetDatum(environment_id), BoolGetDatum(has_versions),
	                      BoolGetDatum(environment->hide_sensitive_data),
	                      BoolGetDatum(attachment_follows_core())};
	ContextRows rows;

	attachment_query(&read_states, parameters, NULL);
	rows.states = query_rows();
	rows.shares = attached_read_shares(&rows.states);
	rows.segments = attached_read_segments(environment_id);
	rows.rules = attached_read_rules(&rows.segments, false);
	write_context(&rows, environment, context);
	if (!environment->hide_disabled_flags)
		return;
	attachment_query(&read_listed, parameters, NULL);
	rows.states = query_rows();
	rows.shares.count = 0; /* nobody to be bucketed */
	write_listed(&rows, environment, context);
}
