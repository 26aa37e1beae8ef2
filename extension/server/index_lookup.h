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

#include "access/htup.h"
#include "utils/relcache.h"

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
	AttrNumber numbers[INDEX_LOOKUP_MAX_COLUMNS];
} IndexLookup;

/* A value to look for: a text if it has data, else an integer. */
typedef struct IndexKey
{
	int64 integer;
	Str text;
} IndexKey;

/* What is done with each row; returns whether to go on. */
typedef bool (*IndexRow)(IndexLookup *lookup, HeapTuple row, TupleDesc description,
                         void *argument);

/*
 * Calls `each` for each row that has these keys and that the active snapshot sees, in no
 * order; the row is gone afterwards.  Returns false if only SQL can read the table, or it
 * has no such index.  Raises an error if the schema has no such table or columns.
 */
extern bool index_lookup_run(IndexLookup *lookup, Oid schema, const IndexKey *keys,
                             IndexRow each, void *argument);

/* An IndexRow that takes notice that there is one: sets a bool. */
extern bool index_lookup_notice(IndexLookup *lookup, HeapTuple row, TupleDesc description,
                                void *argument);

/* The column of that place in `columns`; false if it is NULL. */
extern bool index_lookup_value(const IndexLookup *lookup, HeapTuple row,
                               TupleDesc description, int column, Datum *value);

/* An integer column of any size; 0 if it is NULL. */
extern int64 index_lookup_int(const IndexLookup *lookup, HeapTuple row,
                              TupleDesc description, int column);

#endif
