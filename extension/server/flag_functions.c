/*
 * SQL functions that answer flags and segments.
 */
#include "postgres.h"
#include "compat.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/datum.h"

#include "arguments.h"
#include "cache.h"
#include "report.h"
#include "stored_identity.h"

SQL_FUNCTION(flagsmith_environment_id);
SQL_FUNCTION(flagsmith_environment_context);
SQL_FUNCTION(flagsmith_environment_document);
SQL_FUNCTION(flagsmith_get_environment_flags);
SQL_FUNCTION(flagsmith_get_identity_flags);
SQL_FUNCTION(flagsmith_is_feature_enabled);
SQL_FUNCTION(flagsmith_get_feature_value);
SQL_FUNCTION(flagsmith_get_identity_segments);
SQL_FUNCTION(flagsmith_is_in_segment);

/* Columns of the type flag. */
enum
{
	FLAG_COLUMN_FEATURE,
	FLAG_COLUMN_ENABLED,
	FLAG_COLUMN_VALUE,
	FLAG_COLUMN_VARIANT,
	FLAG_COLUMN_REASON,
	FLAG_COLUMN_FEATURE_ID,
	FLAG_COLUMNS
};

/* Columns of get_identity_segments(). */
enum
{
	SEGMENT_COLUMN_ID,
	SEGMENT_COLUMN_NAME,
	SEGMENT_COLUMNS
};

static OpenEnvironment
environment_argument(FunctionCallInfo fcinfo)
{
	return cache_open(argument_optional_text(fcinfo, 0));
}

/* environment_id(environment_key text) RETURNS bigint: the id in the extension's tables. */
Datum
flagsmith_environment_id(PG_FUNCTION_ARGS)
{
	EnvironmentId id = cache_environment_id(argument_optional_text(fcinfo, 0));

	if (id.source != &table_source)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		                errmsg("the environment belongs to the attached Flagsmith"),
		                errhint("Use Flagsmith's dashboard, or its tables, for this.")));
	PG_RETURN_INT64(id.id);
}

/* environment_document(environment_key text) RETURNS json */
Datum
flagsmith_environment_document(PG_FUNCTION_ARGS)
{
	EnvironmentId id = cache_environment_id(argument_optional_text(fcinfo, 0));
	Datum document = id.source->document(id.id);

	if (document == (Datum) 0)
		report_unknown_key();
	PG_RETURN_DATUM(document);
}

/* environment_context(environment_key text) RETURNS json */
Datum
flagsmith_environment_context(PG_FUNCTION_ARGS)
{
	EnvironmentId id = cache_environment_id(argument_optional_text(fcinfo, 0));
	SourceEnvironment environment;

	if (!id.source->load_environment(id.id, &environment))
		report_unknown_key();
	PG_RETURN_DATUM(argument_make_text(environment.context));
}

/* Adds the flag to the result, unless this key cannot see it. */
static void
put_flag(ReturnSetInfo *rsinfo, const OpenEnvironment *open, const FlagResult *result)
{
	const Answers *answers = answers_of(result->feature);
	const Answer *answer = answer_of(result);
	Datum values[FLAG_COLUMNS];
	bool nulls[FLAG_COLUMNS] = {false};

	if (!open_shows_flag(open, result->flag) || open_hides_result(open, result))
		return;
	values[FLAG_COLUMN_FEATURE] = answers->feature;
	values[FLAG_COLUMN_ENABLED] = BoolGetDatum(result->feature->enabled);
	values[FLAG_COLUMN_VALUE] = answer->value;
	values[FLAG_COLUMN_VARIANT] = answer->variant;
	nulls[FLAG_COLUMN_VARIANT] = answer->variant == (Datum) 0;
	values[FLAG_COLUMN_REASON] = answer->reason;
	values[FLAG_COLUMN_FEATURE_ID] = Int64GetDatum(answers->attributes.feature_id);
	if (result->reason == REASON_CIRCULAR_DEPENDENCY)
		values[FLAG_COLUMN_REASON] = answers_reason(result);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* get_environment_flags(environment_key text) RETURNS SETOF flag */
Datum
flagsmith_get_environment_flags(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = environment_argument(fcinfo);
	const Environment *environment = open.stored->environment;

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		FlagResult result =
			evaluation_default(&environment->flags[environment->outputs[i].flag]);

		put_flag((ReturnSetInfo *) fcinfo->resultinfo, &open, &result);
	}
	cache_close(&open);
	PG_RETURN_NULL();
}

/* get_identity_flags(environment_key text, identifier text, traits jsonb) RETURNS SETOF flag */
Datum
flagsmith_get_identity_flags(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = environment_argument(fcinfo);
	Identity *identity = stored_identity(open.stored, argument_identifier(fcinfo, 1),
	                                     argument_traits(fcinfo, 2));
	EvaluationResult result;

	evaluation_run(open.stored->environment, identity, &result);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < result.nflags; i++)
		put_flag((ReturnSetInfo *) fcinfo->resultinfo, &open, &result.flags[i]);
	cache_close(&open);
	PG_RETURN_NULL();
}

/* Evaluates the flag of arguments (environment_key, feature, identifier, traits). */
static FlagResult
evaluate_argument(FunctionCallInfo fcinfo, const OpenEnvironment *open)
{
	Str name = PG_ARGISNULL(1) ? STR("") : argument_optional_text(fcinfo, 1);
	const Flag *flag = environment_flag(open->stored->environment, name);
	Identity *identity;

	if (flag == NULL || !open_shows_flag(open, flag))
		report_unknown_feature(name);
	if (PG_ARGISNULL(2) && PG_ARGISNULL(3))
		return evaluation_default(flag);
	identity = stored_identity(open->stored, argument_identifier(fcinfo, 2),
	                           argument_traits(fcinfo, 3));
	return evaluation_flag(open->stored->environment, identity, flag);
}

/* is_feature_enabled(environment_key, feature, identifier text, traits jsonb) RETURNS boolean */
Datum
flagsmith_is_feature_enabled(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = environment_argument(fcinfo);
	bool enabled = evaluate_argument(fcinfo, &open).feature->enabled;

	cache_close(&open);
	PG_RETURN_BOOL(enabled);
}

/* get_feature_value(environment_key, feature, identifier text, traits jsonb) RETURNS jsonb */
Datum
flagsmith_get_feature_value(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = environment_argument(fcinfo);
	FlagResult result = evaluate_argument(fcinfo, &open);
	bool hidden = open_hides_result(&open, &result);
	Datum value = (Datum) 0;

	if (!hidden)
		value = datumCopy(answer_of(&result)->value, false, -1);
	cache_close(&open);
	if (hidden)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* The id that a segment's metadata tell. */
static int64
segment_id(const Segment *segment)
{
	JsonValue metadata;
	EngineError error;

	if (segment->metadata.len == 0 || !json_parse(segment->metadata, &metadata, &error))
		return 0;
	return value_integer_member(&metadata, STR("id"));
}

/* get_identity_segments(environment_key, identifier text, traits jsonb) RETURNS SETOF record */
Datum
flagsmith_get_identity_segments(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OpenEnvironment open = environment_argument(fcinfo);
	Identity *identity = stored_identity(open.stored, argument_identifier(fcinfo, 1),
	                                     argument_traits(fcinfo, 2));
	EvaluationResult result;

	evaluation_run(open.stored->environment, identity, &result);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < result.nsegments; i++)
	{
		Datum values[SEGMENT_COLUMNS];
		bool nulls[SEGMENT_COLUMNS] = {false};

		values[SEGMENT_COLUMN_ID] = Int64GetDatum(segment_id(result.segments[i]));
		values[SEGMENT_COLUMN_NAME] = argument_make_text(result.segments[i]->name);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	cache_close(&open);
	PG_RETURN_NULL();
}

/* is_in_segment(environment_key, segment, identifier text, traits jsonb) RETURNS boolean */
Datum
flagsmith_is_in_segment(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = environment_argument(fcinfo);
	Str name = PG_ARGISNULL(1) ? STR("") : argument_optional_text(fcinfo, 1);
	const Segment *segment = environment_segment(open.stored->environment, name);
	Identity *identity;
	bool matches;

	if (segment == NULL)
		report_unknown_segment(name);
	identity = stored_identity_given(open.stored, argument_optional_text(fcinfo, 2),
	                                 argument_traits(fcinfo, 3));
	matches = evaluation_segment(open.stored->environment, identity, segment);
	cache_close(&open);
	PG_RETURN_BOOL(matches);
}
