/*
 * Writing evaluation contexts.
 *
 * Each row is taken apart once, and its values are written as they lie in it: most of the
 * time would go into fetching one after the other as a text of its own.
 */
#include "postgres.h"
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "engine/json_write.h"

#include "arguments.h"
#include "context_rows.h"

/* Sources may have further columns, for themselves. */
#define ROW_MAX_COLUMNS 32

/* A row taken apart; its columns are numbered from 1. */
typedef struct Row
{
	TupleDesc description;
	Datum values[ROW_MAX_COLUMNS + 1];
	bool nulls[ROW_MAX_COLUMNS + 1];
} Row;

static void
read_row(Row *row, const QueryRows *rows, uint64 number)
{
	row->description = rows->table->tupdesc;
	if (row->description->natts > ROW_MAX_COLUMNS)
		elog(ERROR, "unexpected number of columns: %d", row->description->natts);
	heap_deform_tuple(rows->table->vals[number], row->description, row->values + 1,
	                  row->nulls + 1);
}

/* A bigint, or 0 if it is NULL. */
static int64
get_int(const Row *row, int column)
{
	return row->nulls[column] ? 0 : DatumGetInt64(row->values[column]);
}

static bool
get_bool(const Row *row, int column)
{
	return !row->nulls[column] && DatumGetBool(row->values[column]);
}

/* A text, as it lies in the row; empty if it is NULL. */
static Str
get_text(const Row *row, int column)
{
	return row->nulls[column] ? STR("") : argument_text(row->values[column]);
}

static void
append_int(StringInfo buffer, int64 number)
{
	char digits[MAXINT8LEN + 1];

	appendBinaryStringInfo(buffer, digits, pg_lltoa(number, digits));
}

/* Appends what a type writes. */
static void
append_output(StringInfo buffer, Oid type, Datum value)
{
	Oid function;
	bool is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	appendStringInfoString(buffer, OidOutputFunctionCall(function, value));
}

/* Appends a column as JSON: numbers, and what is JSON already, as they are. */
static void
append_json(StringInfo buffer, const Row *row, int column)
{
	Datum value = row->values[column];
	Oid type = TupleDescAttr(row->description, column - 1)->atttypid;
	Jsonb *jsonb;

	if (row->nulls[column])
	{
		appendStringInfoString(buffer, "null");
		return;
	}
	switch (type)
	{
		case JSONBOID:
			jsonb = DatumGetJsonbP(value);
			JsonbToCString(buffer, &jsonb->root, VARSIZE(jsonb));
			break;
		case JSONOID:
		case TEXTOID:
			json_write_raw(buffer, argument_text(value));
			break;
		case INT4OID:
			append_int(buffer, DatumGetInt32(value));
			break;
		default:
			append_output(buffer, type, value);
	}
}

static void
append_string(StringInfo buffer, const Row *row, int column)
{
	if (row->nulls[column])
		appendStringInfoString(buffer, "null");
	else
		json_write_string(buffer, get_text(row, column));
}

static void
append_bool(StringInfo buffer, bool value)
{
	appendStringInfoString(buffer, value ? "true" : "false");
}

/* Appends the shares of a state as its variants, if it has any. */
static void
append_variants(StringInfo buffer, const QueryRows *shares, int64 state)
{
	uint64 first = rows_find(shares, SHARE_STATE, state);
	Row row;

	for (uint64 i = first; i < shares->count && rows_int(shares, i, SHARE_STATE) == state;
	     i++)
	{
		read_row(&row, shares, i);
		appendStringInfoString(buffer, i == first ? ",\"variants\":[{" : ",{");
		appendStringInfoString(buffer, "\"priority\":");
		append_int(buffer, i);
		appendStringInfoString(buffer, ",\"key\":");
		append_string(buffer, &row, SHARE_KEY);
		appendStringInfoString(buffer, ",\"value\":");
		append_json(buffer, &row, SHARE_VALUE);
		appendStringInfoString(buffer, ",\"weight\":");
		append_json(buffer, &row, SHARE_WEIGHT);
		appendStringInfoChar(buffer, '}');
	}
	if (first < shares->count && rows_int(shares, first, SHARE_STATE) == state)
		appendStringInfoChar(buffer, ']');
}

/* The type of a state's feature as JSON text. */
static Str
get_feature_type(const Row *state)
{
	Str type = get_text(state, STATE_FEATURE_TYPE);
	StringInfoData json;

	if (state->nulls[STATE_FEATURE_TYPE])
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

/* A copy of a text, which outlives the row. */
static Str
copy_text(const Row *row, int column)
{
	Str text = get_text(row, column);

	return text.len == 0 ? STR("") : str_copy(text);
}

/* The attributes of a state, which the engine hands through as their number. */
static Attributes
get_attributes(const Row *state)
{
	Attributes attributes = {
		.kept = {.id = get_int(state, STATE_SHOWN_ID),
	             .feature_id = get_int(state, STATE_SHOWN_FEATURE),
	             .is_server_key_only = get_bool(state, STATE_SERVER_ONLY)},
		.feature_segment = get_int(state, STATE_SHOWN_SEGMENT),
		.feature_type = get_feature_type(state),
		.feature_details = copy_text(state, STATE_FEATURE_DETAILS),
		.owner = copy_text(state, STATE_OWNER),
	};

	attributes.is_multivariate =
		str_equal(attributes.feature_type, STR("\"MULTIVARIATE\""));
	return attributes;
}

/* What is written, and where. */
typedef struct Writer
{
	StringInfo buffer;
	const ContextRows *rows;
	Attributes *attributes; /* of the states, by their numbers */
} Writer;

static Writer
begin(StringInfo buffer, const ContextRows *rows)
{
	return (Writer){buffer, rows, palloc0(sizeof(Attributes) * (rows->states.count + 1))};
}

/* Appends a state, after its name if it is a member, and fills in its attributes. */
static void
append_feature(Writer *writer, uint64 number, bool as_member)
{
	StringInfo buffer = writer->buffer;
	Row state;

	read_row(&state, &writer->rows->states, number);
	writer->attributes[number] = get_attributes(&state);
	if (as_member)
	{
		append_string(buffer, &state, STATE_NAME);
		appendStringInfoChar(buffer, ':');
	}
	appendStringInfoString(buffer, "{\"attributes\":");
	append_int(buffer, number);
	appendStringInfoString(buffer, ",\"key\":");
	append_string(buffer, &state, STATE_KEY);
	appendStringInfoString(buffer, ",\"name\":");
	append_string(buffer, &state, STATE_NAME);
	appendStringInfoString(buffer, ",\"enabled\":");
	append_bool(buffer, get_bool(&state, STATE_ENABLED));
	appendStringInfoString(buffer, ",\"value\":");
	append_json(buffer, &state, STATE_VALUE);
	appendStringInfoString(buffer, ",\"priority\":");
	append_json(buffer, &state, STATE_PRIORITY);
	append_variants(buffer, &writer->rows->shares, get_int(&state, STATE_ID));
	appendStringInfoChar(buffer, '}');
}

/* Appends the states from one on that are of its segment, with commas between them. */
static void
append_states(Writer *writer, uint64 first, int64 segment, bool as_members)
{
	const QueryRows *states = &writer->rows->states;

	for (uint64 i = first;
	     i < states->count && rows_int(states, i, STATE_SEGMENT) == segment; i++)
	{
		if (i > first)
			appendStringInfoChar(writer->buffer, ',');
		append_feature(writer, i, as_members);
	}
}

static void
append_rules(Writer *writer, const Row *segment, uint64 number)
{
	if (writer->rows->rules != NULL)
		json_write_raw(writer->buffer, writer->rows->rules[number]);
	else
		append_json(writer->buffer, segment, SEGMENT_RULES);
}

static void
append_segment(Writer *writer, uint64 number)
{
	StringInfo buffer = writer->buffer;
	Row segment;
	int64 id, shown_id;

	read_row(&segment, &writer->rows->segments, number);
	id = get_int(&segment, SEGMENT_ID);
	shown_id = get_int(&segment, SEGMENT_SHOWN_ID);
	appendStringInfo(buffer,
	                 "\"" INT64_FORMAT "\":{\"key\":\"" INT64_FORMAT
	                 "\",\"metadata\":{\"id\":" INT64_FORMAT "},\"name\":",
	                 id, shown_id, shown_id);
	append_string(buffer, &segment, SEGMENT_NAME);
	appendStringInfoString(buffer, ",\"rules\":");
	append_rules(writer, &segment, number);
	appendStringInfoString(buffer, ",\"overrides\":[");
	append_states(writer, rows_find(&writer->rows->states, STATE_SEGMENT, id), id, false);
	appendStringInfoString(buffer, "]}");
}

Attributes *
context_rows_write(StringInfo buffer, const ContextRows *rows, Str api_key, Str name)
{
	Writer writer = begin(buffer, rows);

	appendStringInfoString(buffer, "{\"environment\":{\"key\":");
	json_write_string(buffer, api_key);
	appendStringInfoString(buffer, ",\"name\":");
	json_write_string(buffer, name);
	appendStringInfoString(buffer, "},\"features\":{");
	append_states(&writer, 0, 0, true);
	appendStringInfoString(buffer, "},\"segments\":{");
	for (uint64 i = 0; i < rows->segments.count; i++)
	{
		if (i > 0)
			appendStringInfoChar(buffer, ',');
		append_segment(&writer, i);
	}
	appendStringInfoString(buffer, "}}");
	return writer.attributes;
}

Attributes *
context_rows_write_states(StringInfo buffer, const ContextRows *rows)
{
	Writer writer = begin(buffer, rows);

	appendStringInfoChar(buffer, '[');
	for (uint64 i = 0; i < rows->states.count; i++)
	{
		if (i > 0)
			appendStringInfoChar(buffer, ',');
		append_feature(&writer, i, false);
	}
	appendStringInfoChar(buffer, ']');
	return writer.attributes;
}
