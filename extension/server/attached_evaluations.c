/*
 * Evaluations of an attached environment's features, as its SDKs have counted them.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "arguments.h"
#include "attached.h"

/* Flagsmith makes its charts of this table. */
static KeptQuery add_evaluations = {
	.text =
		"INSERT INTO @.app_analytics_featureevaluationraw (feature_name, environment_id,"
		" evaluation_count, created_at, labels, identity_identifier,"
		" enabled_when_evaluated)"
		" SELECT g.feature, e.id, g.count, now(), $6,"
		" g.identifier, g.enabled"
		" FROM @.environments_environment e,"
		" unnest($2, $3, $4, $5) g (feature, count, identifier, enabled)"
		" WHERE e.id = $1 AND EXISTS (SELECT FROM @.features_feature f"
		" WHERE f.project_id = e.project_id AND f.name = g.feature"
		" AND f.deleted_at IS NULL)",
	.nparameters = 6,
	.parameter_types = {INT8OID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID, BOOLARRAYOID,
                        JSONBOID},
};

void
attached_record_evaluations(int64 environment_id, const SourceEvaluation *evaluations,
                            int count, Str labels)
{
	Datum *features = palloc(sizeof(Datum) * count);
	Datum *counts = palloc(sizeof(Datum) * count);
	Datum *identifiers = palloc0(sizeof(Datum) * count);
	Datum *enabled = palloc(sizeof(Datum) * count);
	bool *are_anonymous = palloc(sizeof(bool) * count);
	bool *are_unknown = palloc(sizeof(bool) * count);
	Datum parameters[6];

	for (int i = 0; i < count; i++)
	{
		const SourceEvaluation *evaluation = &evaluations[i];

		features[i] = argument_make_text(evaluation->feature);
		counts[i] = Int64GetDatum(evaluation->count);
		are_anonymous[i] = evaluation->identifier.data == NULL;
		if (!are_anonymous[i])
			identifiers[i] = argument_make_text(evaluation->identifier);
		are_unknown[i] = evaluation->enabled < 0;
		enabled[i] = BoolGetDatum(evaluation->enabled > 0);
	}
	parameters[0] = Int64GetDatum(environment_id);
	parameters[1] = argument_make_array(features, NULL, count, TEXTOID);
	parameters[2] = argument_make_array(counts, NULL, count, INT8OID);
	parameters[3] = argument_make_array(identifiers, are_anonymous, count, TEXTOID);
	parameters[4] = argument_make_array(enabled, are_unknown, count, BOOLOID);
	parameters[5] = argument_make_jsonb(labels);
	SPI_connect();
	attachment_query(&add_evaluations, parameters, NULL);
	SPI_finish();
}
