/*
 * Identities of an attached environment.
 */
#include "postgres.h"
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "engine/pynumber.h"

#include "arguments.h"
#include "attached.h"
#include "index_lookup.h"
#include "traits.h"

static IndexLookup find_identity = {
	.table = "environments_identity",
	.keys = {"environment_id", "identifier"},
	.columns = {"id", "system_traits"},
};

enum
{
	IDENTITY_ID,
	IDENTITY_SYSTEM_TRAITS
};

static IndexLookup find_traits = {
	.table = "environments_trait",
	.keys = {"identity_id"},
	.columns = {"id", "trait_key", "value_type", "boolean_value", "integer_value",
                "float_value", "string_value"},
};

enum
{
	TRAIT_ID,
	TRAIT_KEY,
	TRAIT_TYPE,
	TRAIT_BOOLEAN,
	TRAIT_INTEGER,
	TRAIT_FLOAT,
	TRAIT_STRING
};

/* Whether an identity has states at all, dead or alive: nearly none has. */
static IndexLookup find_states = {
	.table = "features_featurestate",
	.keys = {"identity_id"},
};

/* clang-format off */

/* Overrides have no versions but of the old kind; of several, the latest counts. */
static KeptQuery read_overrides = {
	.text =
		"SELECT * FROM (SELECT DISTINCT ON (n.shown_feature) * FROM ("
		ATTACHED_STATE_COLUMNS("0::bigint", "NULL", "0::bigint", "e.hide_sensitive_data",
		                       "s.identity_id")
		", s.feature_id, s.live_from, s.version, e.use_v2_feature_versioning"
		" FROM @.features_featurestate s"
		" JOIN @.environments_environment e ON e.id = s.environment_id"
		" JOIN @.features_feature f ON f.id = s.feature_id"
		" LEFT JOIN @.features_featurestatevalue v ON v.feature_state_id = s.id"
		" WHERE s.identity_id = $1 AND s.environment_id = $2 AND s.deleted_at IS NULL"
		" AND (e.use_v2_feature_versioning"
		" OR (s.live_from <= now() AND s.version IS NOT NULL))"
		") n (state, segment, position, name, key, enabled, value, priority, shown_feature,"
		" shown_id, shown_segment, type, server_only, details, owner, feature,"
		" live_from, version, has_versions)"
		" ORDER BY n.shown_feature, CASE WHEN has_versions THEN NULL ELSE live_from END"
		" DESC NULLS LAST, CASE WHEN has_versions THEN NULL ELSE version END DESC"
		" NULLS LAST, state DESC) o ORDER BY state",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, INT8OID},
};

/* clang-format on */

static JsonValue
number_value(const char *text)
{
	return (JsonValue){.type = JSON_NUMBER,
	                   .raw = str_copy(str_make(text, strlen(text)))};
}

/* A float as Python writes it; what JSON has no word for, as near as it gets. */
static JsonValue
float_value(double number)
{
	char text[32];

	if (isnan(number))
		return (JsonValue){.type = JSON_NULL, .raw = STR("null")};
	if (isinf(number))
		return number_value(number > 0 ? "1e400" : "-1e400");
	/* there is no negative zero */
	text[py_float_repr(number == 0 ? 0.0 : number, text)] = '\0';
	return number_value(text);
}

/* A text column, in the row or beside it; data == NULL if it is NULL. */
static Str
get_text(const IndexRow *row, int column)
{
	return row->nulls[column] ? (Str){NULL, 0} : argument_text(row->values[column]);
}

static JsonValue
integer_value(int64 number)
{
	char text[32];

	pg_lltoa(number, text);
	return number_value(text);
}

/* The value of a trait, in the column that its type names; the others are stale. */
static JsonValue
trait_value(const IndexRow *trait)
{
	Str type = get_text(trait, TRAIT_TYPE);

	if (str_equal(type, STR("unicode")) && !trait->nulls[TRAIT_STRING])
		return (JsonValue){.type = JSON_STRING,
		                   .raw = STR(""),
		                   .string = str_copy(get_text(trait, TRAIT_STRING))};
	if (str_equal(type, STR("int")) && !trait->nulls[TRAIT_INTEGER])
		return integer_value(DatumGetInt64(trait->values[TRAIT_INTEGER]));
	if (str_equal(type, STR("float")) && !trait->nulls[TRAIT_FLOAT])
		return float_value(DatumGetFloat8(trait->values[TRAIT_FLOAT]));
	if (str_equal(type, STR("bool")) && !trait->nulls[TRAIT_BOOLEAN])
	{
		bool boolean = DatumGetBool(trait->values[TRAIT_BOOLEAN]);

		return (JsonValue){.type = JSON_BOOL,
		                   .raw = boolean ? STR("true") : STR("false"),
		                   .boolean = boolean};
	}
	return (JsonValue){.type = JSON_NULL, .raw = STR("null")};
}

/* A trait that has been read. */
typedef struct StoredTrait
{
	int64 id;
	JsonMember member;
} StoredTrait;

typedef struct StoredTraits
{
	StoredTrait *traits;
	uint32 count, size;
} StoredTraits;

/* IndexVisit: adds a trait to a StoredTraits. */
static bool
add_trait(const IndexRow *row, void *argument)
{
	StoredTraits *all = argument;

	if (all->count == all->size)
	{
		all->size *= 2;
		all->traits = repalloc(all->traits, sizeof(StoredTrait) * all->size);
	}
	all->traits[all->count++] =
		(StoredTrait){DatumGetInt64(row->values[TRAIT_ID]),
	                  {str_copy(get_text(row, TRAIT_KEY)), trait_value(row)}};
	return true;
}

static int
compare_traits(const void *a, const void *b)
{
	int64 left = ((const StoredTrait *) a)->id, right = ((const StoredTrait *) b)->id;

	return left < right ? -1 : left > right;
}

/* Looks rows up, in a table that attach() has found to be fit. */
static void
look_up(IndexLookup *lookup, const IndexKey *keys, IndexVisit each, void *argument)
{
	if (!index_lookup_run(lookup, attachment_namespace(), keys, each, argument))
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		     errmsg("the attached table %s cannot be read by an index",
		            quote_qualified_identifier(attachment_schema(), lookup->table)),
		     errhint("SELECT * FROM flagsmith.attach_status() tells what is missing.")));
}

/* Reads the traits of the identity, in the order of their ids. */
static void
read_traits(SourceIdentity *identity)
{
	IndexKey key = {.integer = identity->id};
	StoredTraits all = {palloc(sizeof(StoredTrait) * 16), 0, 16};
	int64 *ids;

	look_up(&find_traits, &key, add_trait, &all);
	qsort(all.traits, all.count, sizeof(StoredTrait), compare_traits);
	ids = palloc(sizeof(int64) * Max(all.count, 1));
	identity->traits.members = palloc(sizeof(JsonMember) * Max(all.count, 1));
	identity->traits.count = all.count;
	for (uint32 i = 0; i < all.count; i++)
	{
		ids[i] = all.traits[i].id;
		identity->traits.members[i] = all.traits[i].member;
	}
	identity->trait_ids = ids;
}

/* IndexVisit: takes the identity, a SourceIdentity, from its row. */
static bool
take_identity(const IndexRow *row, void *argument)
{
	SourceIdentity *identity = argument;

	identity->exists = true;
	identity->id = DatumGetInt64(row->values[IDENTITY_ID]);
	if (!row->nulls[IDENTITY_SYSTEM_TRAITS])
		identity->system_traits =
			traits_read(DatumGetJsonbPCopy(row->values[IDENTITY_SYSTEM_TRAITS]));
	return false;
}

static bool
has_own_states(const SourceIdentity *identity)
{
	IndexKey key = {.integer = identity->id};
	bool found = false;

	look_up(&find_states, &key, index_lookup_notice, &found);
	return found;
}

/* Reads the overrides of the identity, new in that memory context. */
static void
read_own_states(int64 environment_id, SourceIdentity *identity, MemoryContext context)
{
	Datum parameters[] = {Int64GetDatum(identity->id), Int64GetDatum(environment_id)};
	ContextRows rows = {0};
	StringInfoData buffer;
	MemoryContext old;

	attachment_query(&read_overrides, parameters, NULL);
	rows.states = query_rows();
	if (rows.states.count == 0)
		return;
	rows.shares = attached_read_shares(&rows.states);
	old = MemoryContextSwitchTo(context);
	initStringInfo(&buffer);
	identity->attributes = context_rows_write_states(&buffer, &rows);
	identity->overrides = str_make(buffer.data, buffer.len);
	MemoryContextSwitchTo(old);
}

void
attached_read_stored(int64 environment_id, Str identifier, SourceIdentity *identity)
{
	IndexKey keys[] = {{.integer = environment_id}, {.text = identifier}};

	*identity = SOURCE_IDENTITY_NONE;
	look_up(&find_identity, keys, take_identity, identity);
	if (identity->exists)
		read_traits(identity);
}

void
attached_read_identity(int64 environment_id, Str identifier, bool with_overrides,
                       SourceIdentity *identity)
{
	MemoryContext context = CurrentMemoryContext;

	attached_read_stored(environment_id, identifier, identity);
	if (!identity->exists || !with_overrides || !has_own_states(identity))
		return;
	SPI_connect();
	read_own_states(environment_id, identity, context);
	SPI_finish();
}
