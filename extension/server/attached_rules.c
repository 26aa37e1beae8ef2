/*
 * Rules of attached segments.
 *
 * Flagsmith stores them twice: in tables, which its evaluation reads, and as JSON in the
 * segment's rules_data, which it means to read one day.  So the tables count as long as
 * they say anything of a segment.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "engine/json_write.h"

#include "attached.h"
#include "report.h"

/* The owner of a rule is another rule, or a segment: then it is negative. */
static KeptQuery read_rules = {
	.text =
		"WITH RECURSIVE rule AS ("
		"SELECT id, -segment_id::bigint AS owner, type, 1 AS depth"
		" FROM @.segments_segmentrule WHERE segment_id = ANY ($1) AND deleted_at IS NULL"
		" UNION ALL "
		"SELECT r.id, r.rule_id, r.type, o.depth + 1 FROM @.segments_segmentrule r"
		" JOIN rule o ON o.id = r.rule_id"
		" WHERE r.deleted_at IS NULL AND r.segment_id IS NULL AND o.depth < 500"
		") SELECT owner, id::bigint, type FROM rule ORDER BY owner, id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8ARRAYOID},
};

enum
{
	RULE_OWNER = 1,
	RULE_ID,
	RULE_TYPE
};

static KeptQuery read_conditions = {
	.text =
		"SELECT rule_id::bigint, operator, property, value FROM @.segments_condition WHERE rule_id = ANY ($1) AND deleted_at IS NULL"
		" ORDER BY rule_id, id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8ARRAYOID},
};

enum
{
	CONDITION_RULE = 1,
	CONDITION_OPERATOR,
	CONDITION_PROPERTY,
	CONDITION_VALUE
};

typedef struct Rules
{
	QueryRows rules;
	QueryRows conditions;
	bool for_document;
} Rules;

/* Appends a text that may be NULL: to the evaluation it is empty then. */
static void
append_text(StringInfo buffer, Str text, bool for_document)
{
	if (text.data == NULL && for_document)
		appendStringInfoString(buffer, "null");
	else
		json_write_string(buffer, text.data == NULL ? STR("") : text);
}

static void
append_condition(StringInfo buffer, const Rules *rows, Str operator, Str property,
                 Str value)
{
	appendStringInfoString(buffer, "{\"operator\":");
	append_text(buffer, operator, false);
	appendStringInfo(buffer, ",\"property%s\":", rows->for_document ? "_" : "");
	append_text(buffer, property, rows->for_document);
	appendStringInfoString(buffer, ",\"value\":");
	append_text(buffer, value, rows->for_document);
	appendStringInfoChar(buffer, '}');
}

static void
append_conditions(StringInfo buffer, const Rules *rows, int64 rule)
{
	const QueryRows *conditions = &rows->conditions;
	uint64 first = rows_find(conditions, CONDITION_RULE, rule);

	for (uint64 i = first;
	     i < conditions->count && rows_int(conditions, i, CONDITION_RULE) == rule; i++)
	{
		appendStringInfoString(buffer, i > first ? "," : "");
		append_condition(buffer, rows, rows_text(conditions, i, CONDITION_OPERATOR),
		                 rows_text(conditions, i, CONDITION_PROPERTY),
		                 rows_text(conditions, i, CONDITION_VALUE));
	}
}

/* Appends the rules of an owner, with theirs. */
static void
append_rules(StringInfo buffer, const Rules *rows, int64 owner)
{
	const QueryRows *rules = &rows->rules;
	uint64 first = rows_find(rules, RULE_OWNER, owner);

	check_stack_depth();
	for (uint64 i = first; i < rules->count && rows_int(rules, i, RULE_OWNER) == owner;
	     i++)
	{
		int64 id = rows_int(rules, i, RULE_ID);

		appendStringInfoString(buffer, i > first ? ",{\"type\":" : "{\"type\":");
		json_write_string(buffer, rows_text(rules, i, RULE_TYPE));
		appendStringInfoString(buffer, ",\"conditions\":[");
		append_conditions(buffer, rows, id);
		appendStringInfoString(buffer, "],\"rules\":[");
		append_rules(buffer, rows, id);
		appendStringInfoString(buffer, "]}");
	}
}

/* A member's text; data == NULL if it is null or missing. */
static Str
get_text(const JsonValue *object, Str name)
{
	const JsonValue *value = json_get(object, name);

	if (value == NULL || value->type == JSON_NULL)
		return (Str){NULL, 0};
	return value->type == JSON_STRING ? value->string : value->raw;
}

static uint32
count_elements(const JsonValue *list)
{
	return list != NULL && list->type == JSON_ARRAY ? list->count : 0;
}

static void
append_conditions_data(StringInfo buffer, const Rules *rows, const JsonValue *conditions)
{
	for (uint32 i = 0; i < count_elements(conditions); i++)
	{
		const JsonValue *condition = &conditions->elements[i];

		appendStringInfoString(buffer, i > 0 ? "," : "");
		append_condition(buffer, rows, get_text(condition, STR("operator")),
		                 get_text(condition, STR("property")),
		                 get_text(condition, STR("value")));
	}
}

/* Appends a list of rules of rules_data. */
static void
append_rules_data(StringInfo buffer, const Rules *rows, const JsonValue *rules)
{
	check_stack_depth();
	for (uint32 i = 0; i < count_elements(rules); i++)
	{
		const JsonValue *rule = &rules->elements[i];

		appendStringInfoString(buffer, i > 0 ? ",{\"type\":" : "{\"type\":");
		append_text(buffer, get_text(rule, STR("type")), false);
		appendStringInfoString(buffer, ",\"conditions\":[");
		append_conditions_data(buffer, rows, json_get(rule, STR("conditions")));
		appendStringInfoString(buffer, "],\"rules\":[");
		append_rules_data(buffer, rows, json_get(rule, STR("rules")));
		appendStringInfoString(buffer, "]}");
	}
}

static void
append_segment_rules(StringInfo buffer, const QueryRows *segments, uint64 row,
                     const Rules *rows)
{
	int64 owner = -rows_int(segments, row, SEGMENT_ID);
	uint64 first = rows_find(&rows->rules, RULE_OWNER, owner);
	Str data = rows_text(segments, row, SEGMENT_RULES);
	JsonValue json;
	EngineError error;

	if (data.data == NULL ||
	    (first < rows->rules.count && rows_int(&rows->rules, first, RULE_OWNER) == owner))
		append_rules(buffer, rows, owner);
	else if (json_parse(data, &json, &error))
		append_rules_data(buffer, rows, &json);
	else
		report_engine_error(&error, "rules of a segment");
}

/* Reads the tables of rules, if they are still there. */
static Rules
read_tables(const QueryRows *segments, bool for_document)
{
	Oid schema = get_namespace_oid(attachment_schema(), true);
	Datum parameters[] = {attached_ids(segments, SEGMENT_ID)};
	Rules rows = {.for_document = for_document};

	if (!OidIsValid(get_relname_relid("segments_segmentrule", schema)))
		return rows;
	attachment_query(&read_rules, parameters, NULL);
	rows.rules = query_rows();
	parameters[0] = attached_ids(&rows.rules, RULE_ID);
	attachment_query(&read_conditions, parameters, NULL);
	rows.conditions = query_rows();
	return rows;
}

Str *
attached_read_rules(const QueryRows *segments, bool for_document)
{
	Rules rows = read_tables(segments, for_document);
	Str *rules = palloc(sizeof(Str) * (segments->count + 1));

	for (uint64 i = 0; i < segments->count; i++)
	{
		StringInfoData buffer;

		initStringInfo(&buffer);
		appendStringInfoChar(&buffer, '[');
		append_segment_rules(&buffer, segments, i, &rows);
		appendStringInfoChar(&buffer, ']');
		rules[i] = str_make(buffer.data, buffer.len);
	}
	return rules;
}
