/*
 * Writing traits of attached identities.
 *
 * Flagsmith writes the same rows, several in a statement and in an order of its own, and
 * takes no lock before.  So we never wait long while we hold a lock: whoever does not get
 * one soon lets go of all and tries again, long before anybody would be taken to be in a
 * deadlock.
 */
#include "postgres.h"
#include "compat.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "engine/json_write.h"
#include "engine/pystr.h"
#include "engine/value.h"

#include "arguments.h"
#include "attached.h"
#include "traits.h"

/* How long to wait for a lock, in milliseconds, and how often. */
#define LOCK_WAIT "100"
#define MAX_TRIES 40

#define TRAIT_KEY_MAX_LENGTH 200
#define TRAIT_VALUE_MAX_LENGTH 2000

/* Compatible with foreign keys to the row, which Flagsmith's inserts check. */
static KeptQuery lock_identity = {
	.text = "SELECT id::bigint FROM @.environments_identity"
			" WHERE environment_id = $1 AND identifier = $2 FOR NO KEY UPDATE",
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

static KeptQuery insert_identity = {
	.text = "INSERT INTO @.environments_identity"
			" (environment_id, identifier, created_date, system_traits)"
			" VALUES ($1, $2, clock_timestamp(), '{}')"
			" ON CONFLICT (environment_id, identifier) DO NOTHING",
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

static KeptQuery delete_traits = {
	.text =
		"DELETE FROM @.environments_trait WHERE identity_id = $1 AND trait_key = ANY ($2)",
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTARRAYOID},
};

/* As in Flagsmith, columns of other types keep what they had. */
static KeptQuery upsert_traits = {
	.text =
		"INSERT INTO @.environments_trait AS t (identity_id, trait_key, value_type,"
		" boolean_value, integer_value, float_value, string_value, created_date)"
		" SELECT $1, g.*, clock_timestamp()"
		" FROM unnest($2, $3, $4, $5, $6, $7) g (key, type, b, i, f, s) ORDER BY g.key"
		" ON CONFLICT (trait_key, identity_id) DO UPDATE SET"
		" value_type = excluded.value_type,"
		" boolean_value = coalesce(excluded.boolean_value, t.boolean_value),"
		" integer_value = coalesce(excluded.integer_value, t.integer_value),"
		" float_value = coalesce(excluded.float_value, t.float_value),"
		" string_value = coalesce(excluded.string_value, t.string_value)",
	.nparameters = 7,
	.parameter_types = {INT8OID, TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID, INT8ARRAYOID,
                        FLOAT8ARRAYOID, TEXTARRAYOID},
};

/* The columns of upsert_traits, from key on, as arrays in the making. */
enum
{
	COLUMN_KEY,
	COLUMN_TYPE,
	COLUMN_BOOLEAN,
	COLUMN_INTEGER,
	COLUMN_FLOAT,
	COLUMN_STRING,
	NCOLUMNS
};

static const Oid column_types[NCOLUMNS] = {TEXTOID, TEXTOID,   BOOLOID,
                                           INT8OID, FLOAT8OID, TEXTOID};

typedef struct TraitRows
{
	int count;
	Datum *values[NCOLUMNS];
	bool *nulls[NCOLUMNS];
} TraitRows;

static TraitRows
make_rows(uint32 size)
{
	TraitRows rows = {0};

	for (int i = 0; i < NCOLUMNS; i++)
	{
		rows.values[i] = palloc0(sizeof(Datum) * Max(size, 1));
		rows.nulls[i] = palloc(sizeof(bool) * Max(size, 1));
		memset(rows.nulls[i], true, size);
	}
	return rows;
}

static void
set_column(TraitRows *rows, int column, Datum value)
{
	rows->values[column][rows->count] = value;
	rows->nulls[column][rows->count] = false;
}

/* Adds a trait, in the column of its type. */
static void
add_row(TraitRows *rows, Str key, const JsonValue *json)
{
	ContextValue value = value_from_json(json);
	const char *type = "unicode";

	if (value.type == VALUE_BOOL)
	{
		type = "bool";
		set_column(rows, COLUMN_BOOLEAN, BoolGetDatum(value.boolean));
	}
	else if (value.type == VALUE_INT)
	{
		type = "int";
		set_column(rows, COLUMN_INTEGER, Int64GetDatum(value.integer));
	}
	else if (value.type == VALUE_FLOAT)
	{
		type = "float";
		set_column(rows, COLUMN_FLOAT, Float8GetDatum(value.number));
	}
	else
		set_column(rows, COLUMN_STRING, argument_make_text(value.string));
	set_column(rows, COLUMN_KEY, argument_make_text(key));
	set_column(rows, COLUMN_TYPE, CStringGetTextDatum(type));
	rows->count++;
}

static Datum
make_array(TraitRows *rows, int column)
{
	return argument_make_array(rows->values[column], rows->nulls[column], rows->count,
	                           column_types[column]);
}

/* The identity's id, its row locked; a new one if there was none. */
static int64
lock_or_insert(Datum *parameters)
{
	attachment_query(&lock_identity, parameters, NULL);
	/* another session may delete the identity between any two statements */
	while (SPI_processed == 0)
	{
		CHECK_FOR_INTERRUPTS();
		attachment_query(&insert_identity, parameters, NULL);
		attachment_query(&lock_identity, parameters, NULL);
	}
	return DatumGetInt64(query_value(1));
}

/* Stores what differs of the given traits from the stored ones. */
static void
store_changes(int64 identity, const JsonValue *stored, const JsonValue *given)
{
	TraitRows deleted = make_rows(given->count), changed = make_rows(given->count);
	Datum parameters[NCOLUMNS + 1] = {Int64GetDatum(identity)};

	for (uint32 i = 0; i < given->count; i++)
	{
		const JsonMember *member = &given->members[i];
		const JsonValue *old = json_get(stored, member->name);

		if (member->value.type == JSON_NULL && old != NULL)
			add_row(&deleted, member->name, &(JsonValue){.type = JSON_STRING});
		else if (member->value.type != JSON_NULL &&
		         (old == NULL || !traits_equal(old, &member->value)))
			add_row(&changed, member->name, &member->value);
	}
	if (deleted.count > 0)
	{
		parameters[1] = make_array(&deleted, COLUMN_KEY);
		attachment_query(&delete_traits, parameters, NULL);
	}
	if (changed.count == 0)
		return;
	for (int i = 0; i < NCOLUMNS; i++)
		parameters[i + 1] = make_array(&changed, i);
	attachment_query(&upsert_traits, parameters, NULL);
}

/* Writes the traits, and makes all that are stored then in the given context. */
static JsonValue
write_once(int64 environment_id, Str identifier, const JsonValue *given,
           MemoryContext context)
{
	Datum parameters[] = {Int64GetDatum(environment_id), argument_make_text(identifier)};
	SourceIdentity stored;
	MemoryContext old;
	int64 id;

	SPI_connect();
	id = lock_or_insert(parameters);
	/* what was committed while the lock was waited for counts */
	PushActiveSnapshot(GetTransactionSnapshot());
	old = MemoryContextSwitchTo(context);
	attached_read_stored(environment_id, identifier, &stored);
	MemoryContextSwitchTo(old);
	PopActiveSnapshot();
	store_changes(id, &stored.traits, given);
	SPI_finish();
	return stored.traits;
}

static void
limit_lock_waits(void)
{
	if (LockTimeout == 0 || LockTimeout > 100)
		set_config_option("lock_timeout", LOCK_WAIT, PGC_USERSET, PGC_S_SESSION,
		                  GUC_ACTION_SAVE, true, 0, false);
}

/* Ends the failed try; raises the error again unless another try may help. */
static void
end_failed_try(int tries, MemoryContext context, ResourceOwner owner)
{
	ErrorData *error;
	bool lock_was_held;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	lock_was_held = error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
	                error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
	if (!lock_was_held || tries >= MAX_TRIES)
		ReThrowError(error);
	FreeErrorData(error);
	CHECK_FOR_INTERRUPTS();
	/* two that wait for each other do not try again at the same moment */
	pg_usleep(1000L + (long) pg_prng_uint64_range(&pg_global_prng_state, 0, 10000));
}

/* Whether the traits were written; if not, they may be tried again. */
static bool
try_write(int64 environment_id, Str identifier, const JsonValue *given, int tries,
          JsonValue *stored)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		int nest_level = NewGUCNestLevel();

		limit_lock_waits();
		*stored = write_once(environment_id, identifier, given, context);
		AtEOXact_GUC(false, nest_level);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		done = true;
	}
	PG_CATCH();
	{
		end_failed_try(tries, context, owner);
	}
	PG_END_TRY();
	return done;
}

/* Arrays and objects are stored as the text that conditions see. */
static void
make_scalars(JsonValue *traits)
{
	for (uint32 i = 0; i < traits->count; i++)
	{
		JsonMember *member = &traits->members[i];
		const char *fault;

		if (member->value.type == JSON_ARRAY || member->value.type == JSON_OBJECT)
			member->value = json_make_string(py_str_text(&member->value));
		fault = attached_trait_fault(member->name, &member->value);
		if (fault != NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			                errmsg("a trait cannot be stored"),
			                errdetail("At $.%.*s: %s", (int) member->name.len,
			                          member->name.data, fault)));
	}
}

Datum
attached_write_traits(int64 environment_id, Str identifier, Datum traits)
{
	JsonValue given = traits_read(DatumGetJsonbP(traits)), stored;
	int tries = 1;

	make_scalars(&given);
	while (!try_write(environment_id, identifier, &given, tries, &stored))
		tries++;
	stored = traits_merge(&stored, &given);
	return traits_make_jsonb(&stored);
}

const char *
attached_trait_fault(Str name, const JsonValue *value)
{
	ContextValue scalar = value_from_json(value);

	if (pg_mbstrlen_with_len(name.data, (int) name.len) > TRAIT_KEY_MAX_LENGTH)
		return "Ensure this field has no more than 200 characters.";
	if (scalar.type == VALUE_STRING &&
	    pg_mbstrlen_with_len(scalar.string.data, (int) scalar.string.len) >
	        TRAIT_VALUE_MAX_LENGTH)
		return "Value string is too long. Must be less than 2000 character";
	if (scalar.type == VALUE_INT &&
	    (scalar.digits.data != NULL || scalar.integer < PG_INT32_MIN ||
	     scalar.integer > PG_INT32_MAX))
		return "An integer must be between -2147483648 and 2147483647.";
	if (scalar.type == VALUE_FLOAT && (isinf(scalar.number) || isnan(scalar.number)))
		return "A valid number is required.";
	return NULL;
}
