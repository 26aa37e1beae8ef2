/*
 * SQL from C: one statement, its plan kept for the backend's life.
 */
#ifndef FLAGSMITH_QUERY_H
#define FLAGSMITH_QUERY_H

#include "executor/spi.h"

#include "engine/str.h"

/* A statement and what is known of it; static, zero but for the first members. */
typedef struct KeptQuery
{
	const char *text;
	bool read_only;
	int nparameters;
	Oid parameter_types[5];
	SPIPlanPtr plan;
} KeptQuery;

/*
 * Runs the query between SPI_connect() and SPI_finish(); the rows are in SPI_tuptable.
 * nulls may be NULL.
 */
extern void query_run(KeptQuery *query, Datum *parameters, const char *nulls);

/* A column of the first row, as text in the given context; data == NULL if it is NULL. */
extern Str query_text(int column, MemoryContext context);

/* Whether a column of the first row is NULL. */
extern bool query_is_null(int column);

/* A bigint or boolean column of the first row, which is not NULL. */
extern Datum query_value(int column);

#endif
