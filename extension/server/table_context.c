/*
 * Writing evaluation contexts from tables.
 *
 * Three queries give the rows in the order in which they are needed, and the text is put
 * together here: building it with SQL's JSON functions took three times as long.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "engine/json_write.h"

#include "query.h"
#include "table_context.h"

/* Feature states: first the defaults, then the overrides by segment. */
static KeptQuery read_states = {
	.text = "SELECT s.id, coalesce(s.segment_id, 0), f.name,"
			" coalesce(s.document_id::text, s.uuid, s.id::text), s.enabled, s.value,"
			" s.priority, coalesce(f.document_id, f.id), coalesce(s.document_id, s.id),"
			" coalesce(g.document_id, g.id), f.type, f.is_server_key_only"
			" FROM flagsmith.live_feature_state s"
			" JOIN flagsmith.feature f ON f.id = s.feature_id"
			" LEFT JOIN flagsmith.segment g ON g.id = s.segment_id"
			" WHERE s.environment_id = $1"
			" ORDER BY coalesce(s.segment_id, 0), s.position, s.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

enum
{
	STATE_ID = 1,
	STATE_SEGMENT,
	STATE_NAME,
	STATE_KEY,
	STATE_ENABLED,
	STATE_VALUE,
	STATE_PRIORITY,
	STATE_SHOWN_FEATURE,
	STATE_SHOWN_ID,
	STATE_SHOWN_SEGMENT,
	STATE_FEATURE_TYPE,
	STATE_SERVER_ONLY
};

/* Shares of variants, in the order of their buckets: by id; where documents give only
 * uuids, by these. */
static KeptQuery read_shares = {
	.text =
		"SELECT v.feature_state_id, o.key, o.value, v.percentage_allocation"
		" FROM flagsmith.feature_state s"
		" JOIN flagsmith.multivariate_feature_state_value v ON v.feature_state_id = s.id"
		" JOIN flagsmith.multivariate_option o ON o.id = v.option_id"
		" WHERE s.environment_id = $1"
		" ORDER BY v.feature_state_id, v.document_id, lower(v.uuid) COLLATE \"C\", v.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

enum
{
	SHARE_STATE = 1,
	SHARE_KEY,
	SHARE_VALUE,
	SHARE_WEIGHT
};

static KeptQuery read_segments = {
	.text = "SELECT g.id, coalesce(g.document_id, g.id), g.name, g.rules"
			" FROM flagsmith.environment_segment eg"
			" JOIN flagsmith.segment g ON g.id = eg.segment_id"
			" WHERE eg.environment_id = $1"
			" ORDER BY eg.position, g.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

enum
{
	SEGMENT_ID = 1,
	SEGMENT_SHOWN_ID,
	SEGMENT_NAME,
	SEGMENT_RULES
};

/* Rows of a query, of which one column (a bigint) is in ascending order. */
typedef struct Rows
{
	SPITupleTable *table;
	uint64 count;
	int key;
} Rows;

static Rows
run(KeptQuery *query, int64 environment_id, int key)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};

	query_run(query, parameters, NULL);
	return (Rows){SPI_tuptable, SPI_processed, key};
}

static int64
get_int(const Rows *rows, uint64 row, int column)
{
	bool isnull;

	return DatumGetInt64(
		SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull));
}

static bool
get_bool(const Rows *rows, uint64 row, int column)
{
	bool isnull;

	return DatumGetBool(
		SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull));
}

/* The first row whose key is not less. */
static uint64
find_first(const Rows *rows, int64 key)
{
	uint64 low = 0, high = rows->count;

	while (low < high)
	{
		uint64 middle = low + (high - low) / 2;

		if (get_int(rows, middle, rows->key) < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Appends `,"name":` and a column: as it is (numbers, booleans, jsonb), or as a string. */
static void
append_member(StringInfo buffer, const char *name, const Rows *rows, uint64 row,
              int column, bool as_string)
{
	char *text = SPI_getvalue(rows->table->vals[row], rows->table->tupdesc, column);

	appendStringInfo(buffer, ",\"%s\":", name);
	if (text == NULL)
		appendStringInfoString(buffer, "null");
	else if (as_string)
		json_write_string(buffer, str_make(text, strlen(text)));
	else
		appendStringInfoString(buffer, text);
	if (text != NULL)
		pfree(text);
}

static void
append_bool(StringInfo buffer, const char *name, bool value)
{
	appendStringInfo(buffer, ",\"%s\":%s", name, value ? "true" : "false");
}

static void
append_variants(StringInfo buffer, const Rows *shares, int64 state)
{
	uint64 first = find_first(shares, state);

	if (first == shares->count || get_int(shares, first, SHARE_STATE) != state)
		return;
	appendStringInfoString(buffer, ",\"variants\":[");
	for (uint64 i = first; i < shares->count && get_int(shares, i, SHARE_STATE) == state;
	     i++)
	{
		appendStringInfo(buffer, "%s{\"priority\":" UINT64_FORMAT, i > first ? "," : "",
		                 i);
		append_member(buffer, "key", shares, i, SHARE_KEY, true);
		append_member(buffer, "value", shares, i, SHARE_VALUE, false);
		append_member(buffer, "weight", shares, i, SHARE_WEIGHT, false);
		appendStringInfoChar(buffer, '}');
	}
	appendStringInfoChar(buffer, ']');
}

/* The type of a state's feature as JSON text. */
static Str
get_feature_type(const Rows *states, uint64 row)
{
	char *type = SPI_getvalue(states->table->vals[row], states->table->tupdesc,
	                          STATE_FEATURE_TYPE);
	StringInfoData json;

	if (type == NULL)
		return STR("null");
	/* nearly all are of these two */
	if (strcmp(type, "STANDARD") == 0)
		return STR("\"STANDARD\"");
	if (strcmp(type, "MULTIVARIATE") == 0)
		return STR("\"MULTIVARIATE\"");
	initStringInfo(&json);
	json_write_string(&json, str_make(type, strlen(type)));
	return str_make(json.data, json.len);
}

/* The attributes of a state, which the engine hands through as their number. */
static Attributes
get_attributes(const Rows *states, uint64 row)
{
	Attributes attributes = {
		.id = get_int(states, row, STATE_SHOWN_ID),
		.feature_id = get_int(states, row, STATE_SHOWN_FEATURE),
		.feature_segment = get_int(states, row, STATE_SHOWN_SEGMENT),
		.feature_type = get_feature_type(states, row),
		.is_server_key_only = get_bool(states, row, STATE_SERVER_ONLY),
	};

	attributes.is_multivariate =
		str_equal(attributes.feature_type, STR("\"MULTIVARIATE\""));
	return attributes;
}

static void
append_feature(StringInfo buffer, const Rows *states, uint64 row, const Rows *shares)
{
	appendStringInfo(buffer, "{\"attributes\":" UINT64_FORMAT, row);
	append_member(buffer, "key", states, row, STATE_KEY, true);
	append_member(buffer, "name", states, row, STATE_NAME, true);
	append_bool(buffer, "enabled", get_bool(states, row, STATE_ENABLED));
	append_member(buffer, "value", states, row, STATE_VALUE, false);
	append_member(buffer, "priority", states, row, STATE_PRIORITY, false);
	append_variants(buffer, shares, get_int(states, row, STATE_ID));
	appendStringInfoChar(buffer, '}');
}

static void
append_features(StringInfo buffer, const Rows *states, const Rows *shares)
{
	for (uint64 i = 0; i < states->count && get_int(states, i, STATE_SEGMENT) == 0; i++)
	{
		char *name =
			SPI_getvalue(states->table->vals[i], states->table->tupdesc, STATE_NAME);

		appendStringInfoString(buffer, i > 0 ? "," : "");
		json_write_string(buffer, str_make(name, strlen(name)));
		appendStringInfoChar(buffer, ':');
		append_feature(buffer, states, i, shares);
	}
}

static void
append_segment(StringInfo buffer, const Rows *segments, uint64 row, const Rows *states,
               const Rows *shares)
{
	int64 id = get_int(segments, row, SEGMENT_ID);
	int64 shown_id = get_int(segments, row, SEGMENT_SHOWN_ID);
	uint64 first = find_first(states, id);

	appendStringInfo(buffer,
	                 "\"" INT64_FORMAT "\":{\"key\":\"" INT64_FORMAT
	                 "\",\"metadata\":{\"id\":" INT64_FORMAT "}",
	                 id, shown_id, shown_id);
	append_member(buffer, "name", segments, row, SEGMENT_NAME, true);
	append_member(buffer, "rules", segments, row, SEGMENT_RULES, false);
	appendStringInfoString(buffer, ",\"overrides\":[");
	for (uint64 i = first; i < states->count && get_int(states, i, STATE_SEGMENT) == id;
	     i++)
	{
		appendStringInfoString(buffer, i > first ? "," : "");
		append_feature(buffer, states, i, shares);
	}
	appendStringInfoString(buffer, "]}");
}

/* The attributes of all states. */
static Attributes *
get_all_attributes(const Rows *states)
{
	Attributes *attributes = palloc(sizeof(Attributes) * (states->count + 1));

	for (uint64 i = 0; i < states->count; i++)
		attributes[i] = get_attributes(states, i);
	return attributes;
}

Attributes *
table_context_write(StringInfo buffer, int64 environment_id, Str api_key, Str name)
{
	MemoryContext context = CurrentMemoryContext;
	Rows states = run(&read_states, environment_id, STATE_SEGMENT);
	Rows shares = run(&read_shares, environment_id, SHARE_STATE);
	Rows segments = run(&read_segments, environment_id, SEGMENT_ID);

	/* running a query leaves us in SPI's context */
	MemoryContextSwitchTo(context);
	appendStringInfoString(buffer, "{\"environment\":{\"key\":");
	json_write_string(buffer, api_key);
	appendStringInfoString(buffer, ",\"name\":");
	json_write_string(buffer, name);
	appendStringInfoString(buffer, "},\"features\":{");
	append_features(buffer, &states, &shares);
	appendStringInfoString(buffer, "},\"segments\":{");
	for (uint64 i = 0; i < segments.count; i++)
	{
		appendStringInfoString(buffer, i > 0 ? "," : "");
		append_segment(buffer, &segments, i, &states, &shares);
	}
	appendStringInfoString(buffer, "}}");
	return get_all_attributes(&states);
}
