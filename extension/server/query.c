/*
 * SQL from C.
 */
#include "postgres.h"
#include "compat.h"

#include "query.h"

void
query_run(KeptQuery *query, Datum *parameters, const char *nulls)
{
	int result;

	if (query->plan == NULL)
	{
		SPIPlanPtr plan =
			SPI_prepare(query->text, query->nparameters, query->parameter_types);

		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", query->text,
			     SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		query->plan = plan;
	}
	result = SPI_execute_plan(query->plan, parameters, nulls, query->read_only, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", query->text,
		     SPI_result_code_string(result));
}

Str
query_text(int column, MemoryContext context)
{
	char *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
	MemoryContext old;
	Str result = {NULL, 0};

	if (text == NULL)
		return result;
	old = MemoryContextSwitchTo(context);
	result = str_copy(str_make(text, strlen(text)));
	MemoryContextSwitchTo(old);
	pfree(text);
	return result;
}

Datum
query_value(int column)
{
	bool isnull;
	Datum value =
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		elog(ERROR, "unexpected null in column %d", column);
	return value;
}

bool
query_is_null(int column)
{
	bool isnull;

	SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	return isnull;
}
