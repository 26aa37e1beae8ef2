/*
 * SQL from C: one statement, its plan kept for the backend's life.
 */
#ifndef FLAGSMITH_QUERY_H
#define FLAGSMITH_QUERY_H

#include "executor/spi.h"

#include "engine/str.h"

#define QUERY_MAX_PARAMETERS 8

/* A statement and what is known of it; static, zero but for the first members. */
typedef struct KeptQuery
{
	const char
		*text; /* where tables are in a schema to be named later, "@." stands for it */
	bool read_only;
	int nparameters;
	Oid parameter_types[QUERY_MAX_PARAMETERS];
	SPIPlanPtr plan;
	NameData schema; /* which the plan was made for */
} KeptQuery;

/*
 * Runs the query between SPI_connect() and SPI_finish(); the rows are in SPI_tuptable.
 * nulls may be NULL.
 */
extern void query_run(KeptQuery *query, Datum *parameters, const char *nulls);

/* The same, with the tables in that schema. */
extern void query_run_in(KeptQuery *query, const char *schema, Datum *parameters,
                         const char *nulls);

/* A column of the first row, as text in the given context; data == NULL if it is NULL. */
extern Str query_text(int column, MemoryContext context);

/* Whether a column of the first row is NULL. */
extern bool query_is_null(int column);

/* A bigint or boolean column of the first row, which is not NULL. */
extern Datum query_value(int column);

/* The rows of a query, until SPI_finish(). */
typedef struct QueryRows
{
	SPITupleTable *table;
	uint64 count;
} QueryRows;

/* The rows of the query that ran last. */
extern QueryRows query_rows(void);

/* A bigint or boolean of a row; 0 or false if it is NULL. */
extern int64 rows_int(const QueryRows *rows, uint64 row, int column);
extern bool rows_bool(const QueryRows *rows, uint64 row, int column);

/* A value of a row; false if it is NULL. */
extern bool rows_value(const QueryRows *rows, uint64 row, int column, Datum *value);

/* A value of a row as text, new in the current memory context; data == NULL if NULL. */
extern Str rows_text(const QueryRows *rows, uint64 row, int column);

/* The first row whose bigint in that column, in which they are ordered, is not less. */
extern uint64 rows_find(const QueryRows *rows, int column, int64 value);

#endif
