/*
 * Identities of an attached environment.
 */
#include "postgres.h"
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"

#include "engine/pynumber.h"

#include "arguments.h"
#include "attached.h"
#include "traits.h"

/* A row for each trait, or one if there is none; in the order in which they are shown. */
static KeptQuery read_traits = {
	.text =
		"SELECT i.id::bigint, i.system_traits, t.id::bigint, t.trait_key, t.value_type,"
		" t.boolean_value, t.integer_value::bigint, t.float_value, t.string_value"
		" FROM @.environments_identity i"
		" LEFT JOIN @.environments_trait t ON t.identity_id = i.id"
		" WHERE i.environment_id = $1 AND i.identifier = $2"
		" ORDER BY t.id",
	.read_only = true,
	.nparameters = 2,
	.parameter_types = {INT8OID, TEXTOID},
};

enum
{
	IDENTITY_ID = 1,
	IDENTITY_SYSTEM_TRAITS,
	TRAIT_ID,
	TRAIT_KEY,
	TRAIT_TYPE,
	TRAIT_BOOLEAN,
	TRAIT_INTEGER,
	TRAIT_FLOAT,
	TRAIT_STRING
};

/* clang-format off: SQL is laid out by hand */

/* Overrides have no versions but of the old kind; of several, the latest counts. */
static KeptQuery read_overrides = {
	.text = "SELECT * FROM (SELECT DISTINCT ON (n.shown_feature) * FROM (" ATTACHED_STATE_COLUMNS(
		"0::bigint", "NULL", "0::bigint", "e.hide_sensitive_data",
		"s.identity_id") ", s.feature_id, s.live_from, s.version, e.use_v2_feature_versioning"
						 " FROM @.features_featurestate s"
						 " JOIN @.environments_environment e ON e.id = s.environment_id"
						 " JOIN @.features_feature f ON f.id = s.feature_id"
						 " LEFT JOIN @.features_featurestatevalue v ON v.feature_state_id = s.id"
						 " WHERE s.identity_id = $1 AND s.environment_id = $2 AND s.deleted_at IS NULL"
						 " AND (e.use_v2_feature_versioning"
						 " OR (s.live_from <= now() AND s.version IS NOT NULL))"
						 ") n (state, segment, name, key, enabled, value, priority, shown_feature,"
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

/* The value of a trait, in the column that its type names; the others are stale. */
static JsonValue
trait_value(const QueryRows *rows, uint64 row)
{
	Str type = rows_text(rows, row, TRAIT_TYPE);
	char text[32];
	Datum value;

	if (str_equal(type, STR("unicode")) && rows_value(rows, row, TRAIT_STRING, &value))
		return (JsonValue){.type = JSON_STRING,
		                   .raw = STR(""),
		                   .string = str_copy(argument_text(value))};
	if (str_equal(type, STR("int")) && rows_value(rows, row, TRAIT_INTEGER, &value))
	{
		snprintf(text, sizeof(text), INT64_FORMAT, DatumGetInt64(value));
		return number_value(text);
	}
	if (str_equal(type, STR("float")) && rows_value(rows, row, TRAIT_FLOAT, &value))
		return float_value(DatumGetFloat8(value));
	if (str_equal(type, STR("bool")) && rows_value(rows, row, TRAIT_BOOLEAN, &value))
		return (JsonValue){.type = JSON_BOOL,
		                   .raw = DatumGetBool(value) ? STR("true") : STR("false"),
		                   .boolean = DatumGetBool(value)};
	return (JsonValue){.type = JSON_NULL, .raw = STR("null")};
}

/* Copies the traits of the rows into the current memory context. */
static void
copy_traits(const QueryRows *rows, SourceIdentity *identity)
{
	int64 *ids = palloc(sizeof(int64) * rows->count);
	JsonValue *traits = &identity->traits;
	Datum key;

	traits->members = palloc(sizeof(JsonMember) * rows->count);
	for (uint64 i = 0; i < rows->count; i++)
		if (rows_value(rows, i, TRAIT_KEY, &key))
		{
			ids[traits->count] = rows_int(rows, i, TRAIT_ID);
			traits->members[traits->count++] =
				(JsonMember){str_copy(argument_text(key)), trait_value(rows, i)};
		}
	identity->trait_ids = ids;
}

static void
copy_identity(const QueryRows *rows, SourceIdentity *identity)
{
	Datum system_traits;

	identity->exists = true;
	identity->id = rows_int(rows, 0, IDENTITY_ID);
	copy_traits(rows, identity);
	if (rows_value(rows, 0, IDENTITY_SYSTEM_TRAITS, &system_traits))
		identity->system_traits = traits_read(DatumGetJsonbPCopy(system_traits));
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
attached_read_stored(int64 environment_id, Str identifier, SourceIdentity *identity,
                     MemoryContext context)
{
	Datum parameters[] = {Int64GetDatum(environment_id), argument_make_text(identifier)};
	QueryRows rows;
	MemoryContext old;

	attachment_query(&read_traits, parameters, NULL);
	rows = query_rows();
	if (rows.count == 0)
		return;
	old = MemoryContextSwitchTo(context);
	copy_identity(&rows, identity);
	MemoryContextSwitchTo(old);
}

void
attached_read_identity(int64 environment_id, Str identifier, bool with_overrides,
                       SourceIdentity *identity)
{
	MemoryContext context = CurrentMemoryContext;

	*identity = SOURCE_IDENTITY_NONE;
	SPI_connect();
	attached_read_stored(environment_id, identifier, identity, context);
	if (identity->exists && with_overrides)
		read_own_states(environment_id, identity, context);
	SPI_finish();
}
