/*
 * A table of texts on PostgreSQL's own hash table template.
 */
#include "strtable.h"

#include "common/hashfn.h"
#ifdef FRONTEND
#include "common/logging.h" /* for the hash table's pg_fatal() */
#endif

typedef struct Entry
{
	Str text;
	uint32 hash;
	uint32 number;
	char status;
} Entry;

#define SH_PREFIX entries
#define SH_ELEMENT_TYPE Entry
#define SH_KEY_TYPE Str
#define SH_KEY text
#define SH_HASH_KEY(table, key)                                                          \
	hash_bytes((const unsigned char *) (key).data, (int) (key).len)
#define SH_EQUAL(table, a, b) str_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_RAW_ALLOCATOR palloc0
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct StrTable
{
	entries_hash *entries;
};

StrTable *
strtable_create(uint32 expected)
{
	StrTable *table = palloc(sizeof(StrTable));

	table->entries = entries_create(Max(expected, 1), NULL);
	return table;
}

uint32
strtable_add(StrTable *table, Str text)
{
	bool found;
	Entry *entry = entries_insert(table->entries, text, &found);

	if (!found)
		entry->number = table->entries->members - 1;
	return entry->number;
}

uint32
strtable_add_copy(StrTable *table, Str text)
{
	int64 number = strtable_find(table, text);

	return number >= 0 ? (uint32) number : strtable_add(table, str_copy(text));
}

int64
strtable_find(const StrTable *table, Str text)
{
	const Entry *entry = entries_lookup(table->entries, text);

	return entry == NULL ? -1 : (int64) entry->number;
}

uint32
strtable_count(const StrTable *table)
{
	return table->entries->members;
}

Str *
strtable_texts(const StrTable *table)
{
	Str *texts = palloc(sizeof(Str) * Max(table->entries->members, 1));
	entries_iterator iterator;
	const Entry *entry;

	entries_start_iterate(table->entries, &iterator);
	while ((entry = entries_iterate(table->entries, &iterator)) != NULL)
		texts[entry->number] = entry->text;
	return texts;
}
