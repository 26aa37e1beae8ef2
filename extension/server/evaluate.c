/*
 * SQL functions of the engine itself: they read no table.
 */
#include "postgres.h"
#include "compat.h"

#include "fmgr.h"
#include "utils/memutils.h"

#include "engine/context.h"
#include "engine/document.h"
#include "engine/segment.h"

#include "arguments.h"
#include "owned_environment.h"
#include "report.h"

SQL_FUNCTION(flagsmith_evaluate);
SQL_FUNCTION(flagsmith_check_rules);
SQL_FUNCTION(flagsmith_check_shares);
SQL_FUNCTION(flagsmith_check_environment_document);

/* Evaluates a context, all in the current memory context. */
static void
evaluate(Str text, StringInfo result_text)
{
	Environment *environment = owned_environment_create();
	EvaluationResult result;
	Identity identity;
	JsonValue context;
	EngineError error;
	bool has_identity;

	if (!json_parse(text, &context, &error) ||
	    !environment_compile(environment, &context, &error) ||
	    !context_identity(&context, environment, &identity, &has_identity, &error))
		report_engine_error(&error, "evaluation context");
	evaluation_run(environment, has_identity ? &identity : NULL, &result);
	context_write_result(result_text, &result);
}

/* evaluate(context json) RETURNS json */
Datum
flagsmith_evaluate(PG_FUNCTION_ARGS)
{
	Str text = argument_text(PG_GETARG_DATUM(0));
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "flagsmith evaluation", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	StringInfoData result;

	argument_begin_text(&result, 0);
	old = MemoryContextSwitchTo(context);
	evaluate(text, &result);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_DATUM(argument_end_text(&result));
}

/* check_rules(rules jsonb) RETURNS boolean */
Datum
flagsmith_check_rules(PG_FUNCTION_ARGS)
{
	JsonValue rules = argument_jsonb(PG_GETARG_DATUM(0), "segment rules");
	Path root = PATH_ROOT;
	EngineError error;

	if (!segment_check_rules(&rules, &root, &error))
		report_engine_error(&error, "segment rules");
	PG_RETURN_BOOL(true);
}

/* check_shares(shares jsonb) RETURNS boolean */
Datum
flagsmith_check_shares(PG_FUNCTION_ARGS)
{
	JsonValue shares = argument_jsonb(PG_GETARG_DATUM(0), "shares of variants");
	EngineError error;

	if (!document_check_shares(&shares, &error))
		report_engine_error(&error, "shares of variants");
	PG_RETURN_BOOL(true);
}

/* check_environment_document(document jsonb) RETURNS void */
Datum
flagsmith_check_environment_document(PG_FUNCTION_ARGS)
{
	JsonValue document;
	EngineError error;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
		                errmsg("the environment document must not be null")));
	document = argument_jsonb(PG_GETARG_DATUM(0), "environment document");
	if (!document_check(&document, &error))
		report_engine_error(&error, "environment document");
	PG_RETURN_VOID();
}
