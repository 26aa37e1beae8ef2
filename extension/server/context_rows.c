/*
 * Writing evaluation contexts.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/json_write.h"

#include "context_rows.h"

/* Appends `,"name":` and a column: as it is (numbers, booleans, JSON), or as a string. */
static void
append_member(StringInfo buffer, const char *name, const QueryRows *rows, uint64 row,
              int column, bool as_string)
{
	Str text = rows_text(rows, row, column);

	appendStringInfo(buffer, ",\"%s\":", name);
	if (text.data == NULL)
		appendStringInfoString(buffer, "null");
	else if (as_string)
		json_write_string(buffer, text);
	else
		json_write_raw(buffer, text);
	if (text.data != NULL)
		pfree(unconstify(char *, text.data));
}

static void
append_bool(StringInfo buffer, const char *name, bool value)
{
	appendStringInfo(buffer, ",\"%s\":%s", name, value ? "true" : "false");
}

static void
append_variants(StringInfo buffer, const QueryRows *shares, int64 state)
{
	uint64 first = rows_find(shares, SHARE_STATE, state);

	if (first == shares->count || rows_int(shares, first, SHARE_STATE) != state)
		return;
	appendStringInfoString(buffer, ",\"variants\":[");
	for (uint64 i = first; i < shares->count && rows_int(shares, i, SHARE_STATE) == state;
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
get_feature_type(const QueryRows *states, uint64 row)
{
	Str type = rows_text(states, row, STATE_FEATURE_TYPE);
	StringInfoData json;

	if (type.data == NULL)
		return STR("null");
	/* nearly all are of these two */
	if (str_equal(type, STR("STANDARD")))
		return STR("\"STANDARD\"");
	if (str_equal(type, STR("MULTIVARIATE")))
		return STR("\"MULTIVARIATE\"");
	initStringInfo(&json);
	json_write_string(&json, type);
	return str_make(json.data, json.len);
}

/* The attributes of a state, which the engine hands through as their number. */
static Attributes
get_attributes(const QueryRows *states, uint64 row)
{
	Attributes attributes = {
		.id = rows_int(states, row, STATE_SHOWN_ID),
		.feature_id = rows_int(states, row, STATE_SHOWN_FEATURE),
		.feature_segment = rows_int(states, row, STATE_SHOWN_SEGMENT),
		.feature_type = get_feature_type(states, row),
		.is_server_key_only = rows_bool(states, row, STATE_SERVER_ONLY),
		.feature_details = rows_text(states, row, STATE_FEATURE_DETAILS),
		.owner = rows_text(states, row, STATE_OWNER),
	};

	attributes.is_multivariate =
		str_equal(attributes.feature_type, STR("\"MULTIVARIATE\""));
	return attributes;
}

static void
append_feature(StringInfo buffer, const ContextRows *rows, uint64 row)
{
	const QueryRows *states = &rows->states;

	appendStringInfo(buffer, "{\"attributes\":" UINT64_FORMAT, row);
	append_member(buffer, "key", states, row, STATE_KEY, true);
	append_member(buffer, "name", states, row, STATE_NAME, true);
	append_bool(buffer, "enabled", rows_bool(states, row, STATE_ENABLED));
	append_member(buffer, "value", states, row, STATE_VALUE, false);
	append_member(buffer, "priority", states, row, STATE_PRIORITY, false);
	append_variants(buffer, &rows->shares, rows_int(states, row, STATE_ID));
	appendStringInfoChar(buffer, '}');
}

/* Appends the states from one on that are of its segment, with commas between them. */
static void
append_segment_states(StringInfo buffer, const ContextRows *rows, uint64 first,
                      int64 segment)
{
	const QueryRows *states = &rows->states;

	for (uint64 i = first;
	     i < states->count && rows_int(states, i, STATE_SEGMENT) == segment; i++)
	{
		appendStringInfoString(buffer, i > first ? "," : "");
		append_feature(buffer, rows, i);
	}
}

static void
append_features(StringInfo buffer, const ContextRows *rows)
{
	const QueryRows *states = &rows->states;

	for (uint64 i = 0; i < states->count && rows_int(states, i, STATE_SEGMENT) == 0; i++)
	{
		appendStringInfoString(buffer, i > 0 ? "," : "");
		json_write_string(buffer, rows_text(states, i, STATE_NAME));
		appendStringInfoChar(buffer, ':');
		append_feature(buffer, rows, i);
	}
}

static void
append_segment(StringInfo buffer, const ContextRows *rows, uint64 row)
{
	const QueryRows *segments = &rows->segments;
	int64 id = rows_int(segments, row, SEGMENT_ID);
	int64 shown_id = rows_int(segments, row, SEGMENT_SHOWN_ID);

	appendStringInfo(buffer,
	                 "\"" INT64_FORMAT "\":{\"key\":\"" INT64_FORMAT
	                 "\",\"metadata\":{\"id\":" INT64_FORMAT "}",
	                 id, shown_id, shown_id);
	append_member(buffer, "name", segments, row, SEGMENT_NAME, true);
	appendStringInfoString(buffer, ",\"rules\":");
	json_write_raw(buffer, rows->rules != NULL ? rows->rules[row]
	                                           : rows_text(segments, row, SEGMENT_RULES));
	appendStringInfoString(buffer, ",\"overrides\":[");
	append_segment_states(buffer, rows, rows_find(&rows->states, STATE_SEGMENT, id), id);
	appendStringInfoString(buffer, "]}");
}

/* The attributes of all states. */
static Attributes *
get_all_attributes(const QueryRows *states)
{
	Attributes *attributes = palloc(sizeof(Attributes) * (states->count + 1));

	for (uint64 i = 0; i < states->count; i++)
		attributes[i] = get_attributes(states, i);
	return attributes;
}

Attributes *
context_rows_write(StringInfo buffer, const ContextRows *rows, Str api_key, Str name)
{
	appendStringInfoString(buffer, "{\"environment\":{\"key\":");
	json_write_string(buffer, api_key);
	appendStringInfoString(buffer, ",\"name\":");
	json_write_string(buffer, name);
	appendStringInfoString(buffer, "},\"features\":{");
	append_features(buffer, rows);
	appendStringInfoString(buffer, "},\"segments\":{");
	for (uint64 i = 0; i < rows->segments.count; i++)
	{
		appendStringInfoString(buffer, i > 0 ? "," : "");
		append_segment(buffer, rows, i);
	}
	appendStringInfoString(buffer, "}}");
	return get_all_attributes(&rows->states);
}

Attributes *
context_rows_write_states(StringInfo buffer, const ContextRows *rows)
{
	appendStringInfoChar(buffer, '[');
	for (uint64 i = 0; i < rows->states.count; i++)
	{
		appendStringInfoString(buffer, i > 0 ? "," : "");
		append_feature(buffer, rows, i);
	}
	appendStringInfoChar(buffer, ']');
	return get_all_attributes(&rows->states);
}
