/*
 * Finding and scanning indexes.
 */
#include "postgres.h"
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "freshness.h"
#include "index_lookup.h"

static int
count_keys(const IndexLookup *lookup)
{
	return lookup->keys[1] == NULL ? 1 : 2;
}

static AttrNumber
find_column(const IndexLookup *lookup, const char *name)
{
	AttrNumber number = get_attnum(lookup->relation, name);

	if (number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
		                errmsg("column \"%s\" of table \"%s\" does not exist", name,
		                       lookup->table)));
	return number;
}

/* Whether the index begins with the lookup's keys, in any order, and has all rows. */
static bool
fits(const IndexLookup *lookup, const FormData_pg_index *index)
{
	int nkeys = count_keys(lookup);

	if (!index->indisvalid || !index->indisready || index->indnkeyatts < nkeys)
		return false;
	for (int i = 0; i < nkeys; i++)
	{
		bool found = false;

		for (int j = 0; j < nkeys; j++)
			found |= index->indkey.values[i] == lookup->key_numbers[j];
		if (!found)
			return false;
	}
	return true;
}

/* Whether the index may be used: a plain btree without a predicate. */
static bool
is_usable(const IndexLookup *lookup, Oid oid)
{
	Relation index = index_open(oid, AccessShareLock);
	bool usable = index->rd_rel->relam == BTREE_AM_OID && fits(lookup, index->rd_index) &&
	              heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
	              heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL);

	index_close(index, NoLock);
	return usable;
}

static void
find_index(IndexLookup *lookup, Relation relation)
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *cell;

	lookup->index = InvalidOid;
	foreach (cell, indexes)
		if (!OidIsValid(lookup->index) && is_usable(lookup, lfirst_oid(cell)))
			lookup->index = lfirst_oid(cell);
	list_free(indexes);
}

/* Whether the table's rows are all here, for its owner to see. */
static bool
is_plain(Relation relation)
{
	Form_pg_class class = relation->rd_rel;

	return class->relkind == RELKIND_RELATION && !class->relhassubclass &&
	       !class->relforcerowsecurity && !OidIsValid(get_extension_oid("citus", true));
}

static void
find_keys(IndexLookup *lookup)
{
	for (int i = 0; i < count_keys(lookup); i++)
	{
		int32 modifier;

		lookup->key_numbers[i] = find_column(lookup, lookup->keys[i]);
		get_atttypetypmodcoll(lookup->relation, lookup->key_numbers[i],
		                      &lookup->key_types[i], &modifier,
		                      &lookup->key_collations[i]);
	}
}

static void
find_columns(IndexLookup *lookup)
{
	int i;

	lookup->last_number = 0;
	for (i = 0; i < INDEX_LOOKUP_MAX_COLUMNS && lookup->columns[i] != NULL; i++)
	{
		AttrNumber number = find_column(lookup, lookup->columns[i]);

		lookup->numbers[i] = number;
		lookup->last_number = Max(lookup->last_number, number);
		lookup->are_short[i] = get_atttype(lookup->relation, number) == INT4OID;
	}
	lookup->ncolumns = i;
}

/* Finds what the lookup needs in the catalog, and opens the table. */
static Relation
find(IndexLookup *lookup, Oid schema)
{
	Relation relation;

	lookup->relation = get_relname_relid(lookup->table, schema);
	if (!OidIsValid(lookup->relation))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
		                errmsg("table \"%s\" does not exist", lookup->table)));
	relation = table_open(lookup->relation, AccessShareLock);
	/* the lock is held: nothing changes from here on */
	lookup->schema = schema;
	lookup->changes = freshness_changes();
	find_keys(lookup);
	find_columns(lookup);
	lookup->is_plain = is_plain(relation);
	find_index(lookup, relation);
	return relation;
}

/* Opens the table, by what is known of it if that still holds. */
static Relation
open_table(IndexLookup *lookup, Oid schema)
{
	Relation relation;

	if (lookup->schema != schema || lookup->changes != freshness_changes())
		return find(lookup, schema);
	relation = table_open(lookup->relation, AccessShareLock);
	if (lookup->changes == freshness_changes())
		return relation;
	table_close(relation, NoLock);
	return find(lookup, schema);
}

/* Makes a key of the scan of the index; false if the column cannot have such a value. */
static bool
make_key(const IndexLookup *lookup, int number, const IndexKey *key, ScanKey result)
{
	RegProcedure equal = F_TEXTEQ;
	Datum value;

	switch (lookup->key_types[number])
	{
		case INT4OID:
			if (key->integer < PG_INT32_MIN || key->integer > PG_INT32_MAX)
				return false;
			equal = F_INT4EQ;
			value = Int32GetDatum((int32) key->integer);
			break;
		case INT8OID:
			equal = F_INT8EQ;
			value = Int64GetDatum(key->integer);
			break;
		default:
			value = argument_make_text(key->text);
	}
	ScanKeyEntryInitialize(result, 0, lookup->key_numbers[number], BTEqualStrategyNumber,
	                       InvalidOid, lookup->key_collations[number], equal, value);
	return true;
}

/* Makes the keys of the scan of the index; false if no row can have them. */
static bool
make_keys(const IndexLookup *lookup, const IndexKey *keys, ScanKey result)
{
	for (int i = 0; i < count_keys(lookup); i++)
		if (!make_key(lookup, i, &keys[i], &result[i]))
			return false;
	return true;
}

/* Takes the columns out of a row, all in one pass over it. */
static void
take_columns(const IndexLookup *lookup, TupleTableSlot *slot, IndexRow *row)
{
	slot_getsomeattrs(slot, lookup->last_number);
	for (int i = 0; i < lookup->ncolumns; i++)
	{
		int column = lookup->numbers[i] - 1;

		row->nulls[i] = slot->tts_isnull[column];
		row->values[i] = slot->tts_values[column];
		if (lookup->are_short[i] && !row->nulls[i])
			row->values[i] = Int64GetDatum(DatumGetInt32(row->values[i]));
	}
}

bool
index_lookup_run(IndexLookup *lookup, Oid schema, const IndexKey *keys, IndexVisit each,
                 void *argument)
{
	Relation relation = open_table(lookup, schema);
	bool usable = lookup->is_plain && OidIsValid(lookup->index);
	ScanKeyData scan_keys[INDEX_LOOKUP_MAX_KEYS];
	SysScanDesc scan;
	IndexRow row;

	if (usable && make_keys(lookup, keys, scan_keys))
	{
		scan = systable_beginscan(relation, lookup->index, true, GetActiveSnapshot(),
		                          count_keys(lookup), scan_keys);
		while (HeapTupleIsValid(systable_getnext(scan)))
		{
			take_columns(lookup, scan->slot, &row);
			if (!each(&row, argument))
				break;
		}
		systable_endscan(scan);
	}
	/* the lock stays until the end of the transaction, as a query's would */
	table_close(relation, NoLock);
	return usable;
}

bool
index_lookup_notice(const IndexRow *row, void *argument)
{
	*(bool *) argument = true;
	return false;
}
