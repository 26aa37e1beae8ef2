/*
 * Reading rows of a table by an index, without SQL: where a query's executor would take
 * most of the time of a call.
 *
 * Nothing checks privileges here; who calls has to be entitled.  What is more than a plain
 * table (partitioned, foreign, distributed by Citus, with row security for its owner) is
 * left to SQL.
 */
#ifndef FLAGSMITH_INDEX_LOOKUP_H
#define FLAGSMITH_INDEX_LOOKUP_H

#include "engine/str.h"

#define INDEX_LOOKUP_MAX_KEYS 2
#define INDEX_LOOKUP_MAX_COLUMNS 8

/* Which rows of which table; static, zero but for the first members. */
typedef struct IndexLookup
{
	const char *table;
	const char *keys[INDEX_LOOKUP_MAX_KEYS]; /* columns, the index's first in any order */
	const char *columns[INDEX_LOOKUP_MAX_COLUMNS]; /* those to be read */
	/* what has been found in the catalog, and when */
	Oid schema;
	uint64 changes;
	bool is_plain;
	Oid relation, index;
	AttrNumber key_numbers[INDEX_LOOKUP_MAX_KEYS];
	Oid key_types[INDEX_LOOKUP_MAX_KEYS];
	Oid key_collations[INDEX_LOOKUP_MAX_KEYS];
	int ncolumns;
	AttrNumber numbers[INDEX_LOOKUP_MAX_COLUMNS];
	AttrNumber last_number;                   /* the highest of these */
	bool are_short[INDEX_LOOKUP_MAX_COLUMNS]; /* integers of four bytes */
} IndexLookup;

/* A value to look for: a text if it has data, else an integer. */
typedef struct IndexKey
{
	int64 integer;
	Str text;
} IndexKey;

/* A row: the values of `columns`, in that order; an integer of any size is an int64. */
typedef struct IndexRow
{
	Datum values[INDEX_LOOKUP_MAX_COLUMNS];
	bool nulls[INDEX_LOOKUP_MAX_COLUMNS];
} IndexRow;

/* What is done with each row; returns whether to go on. */
typedef bool (*IndexVisit)(const IndexRow *row, void *argument);

/*
 * Calls `each` for each row that has these keys and that the active snapshot sees, in no
 * order; the row is gone afterwards.  Returns false if only SQL can read the table, or it
 * has no such index.  Raises an error if the schema has no such table or columns.
 */
extern bool index_lookup_run(IndexLookup *lookup, Oid schema, const IndexKey *keys,
                             IndexVisit each, void *argument);

/* An IndexVisit that takes notice that there is a row: sets a bool. */
extern bool index_lookup_notice(const IndexRow *row, void *argument);

#endif
