/*
 * Reading rows of a table by an index, without SQL: where a query's executor would take
 * most of the time of a call.
 *
 * Nothing checks privileges or row security here; who calls has to be entitled.
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
 * order; the row is gone afterwards.  Raises an error if the schema has no such table,
 * columns or index.
 */
extern void index_lookup_run(IndexLookup *lookup, Oid schema, const IndexKey *keys,
                             IndexRow each, void *argument);

/* The column of that place in `columns`; false if it is NULL. */
extern bool index_lookup_value(const IndexLookup *lookup, HeapTuple row,
                               TupleDesc description, int column, Datum *value);

/* An integer column of any size; 0 if it is NULL. */
extern int64 index_lookup_int(const IndexLookup *lookup, HeapTuple row,
                              TupleDesc description, int column);

#endif
