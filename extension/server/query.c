/*
 * SQL from C.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"

#include "query.h"

/* The query's text with the schema, as an identifier, for each '@'. */
static char *
name_schema(const char *text, const char *schema)
{
	const char *identifier = quote_identifier(schema);
	StringInfoData result;

	initStringInfo(&result);
	for (; *text != '\0'; text++)
		if (*text == '@')
			appendStringInfoString(&result, identifier);
		else
			appendStringInfoChar(&result, *text);
	return result.data;
}

static void
prepare(KeptQuery *query, const char *text)
{
	SPIPlanPtr plan = SPI_prepare(text, query->nparameters, query->parameter_types);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", text,
		     SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	query->plan = plan;
}

static void
execute(const KeptQuery *query, Datum *parameters, const char *nulls)
{
	int result = SPI_execute_plan(query->plan, parameters, nulls, query->read_only, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", query->text,
		     SPI_result_code_string(result));
}

void
query_run(KeptQuery *query, Datum *parameters, const char *nulls)
{
	if (query->plan == NULL)
		prepare(query, query->text);
	execute(query, parameters, nulls);
}

void
query_run_in(KeptQuery *query, const char *schema, Datum *parameters, const char *nulls)
{
	if (query->plan != NULL && strcmp(NameStr(query->schema), schema) != 0)
	{
		SPI_freeplan(query->plan);
		query->plan = NULL;
	}
	if (query->plan == NULL)
	{
		namestrcpy(&query->schema, schema);
		prepare(query, name_schema(query->text, schema));
	}
	execute(query, parameters, nulls);
}

Str
query_text(int column, MemoryContext context)
{
	QueryRows rows = query_rows();
	MemoryContext old = MemoryContextSwitchTo(context);
	Str text = rows_text(&rows, 0, column);

	MemoryContextSwitchTo(old);
	return text;
}

Datum
query_value(int column)
{
	QueryRows rows = query_rows();
	Datum value;

	if (!rows_value(&rows, 0, column, &value))
		elog(ERROR, "unexpected null in column %d", column);
	return value;
}

bool
query_is_null(int column)
{
	QueryRows rows = query_rows();
	Datum value;

	return !rows_value(&rows, 0, column, &value);
}

QueryRows
query_rows(void)
{
	return (QueryRows){SPI_tuptable, SPI_processed};
}

bool
rows_value(const QueryRows *rows, uint64 row, int column, Datum *value)
{
	bool isnull;

	*value = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);
	return !isnull;
}

int64
rows_int(const QueryRows *rows, uint64 row, int column)
{
	Datum value;

	return rows_value(rows, row, column, &value) ? DatumGetInt64(value) : 0;
}

bool
rows_bool(const QueryRows *rows, uint64 row, int column)
{
	Datum value;

	return rows_value(rows, row, column, &value) && DatumGetBool(value);
}

Str
rows_text(const QueryRows *rows, uint64 row, int column)
{
	char *text = SPI_getvalue(rows->table->vals[row], rows->table->tupdesc, column);

	return text == NULL ? (Str){NULL, 0} : str_make(text, strlen(text));
}

uint64
rows_find(const QueryRows *rows, int column, int64 value)
{
	uint64 low = 0, high = rows->count;

	while (low < high)
	{
		uint64 middle = low + (high - low) / 2;

		if (rows_int(rows, middle, column) < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
