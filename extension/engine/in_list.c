/*
 * The members of an IN condition.
 *
 * A string that begins with "[" is JSON to the engine if Python's json.loads() takes it,
 * else it is split at its commas.  That function takes NaN and Infinity too, which no
 * other JSON parser does: they are rewritten.  It also takes \u0000 and lone surrogates,
 * which no text of a database can hold: lists with these are split.
 */
#include "in_list.h"

#include "lib/stringinfo.h"

#include "pystr.h"

/* Adds what lies between commas, as it stands. */
static void
add_separated(StrTable *members, Str text)
{
	uint32 start = 0;

	for (uint32 i = 0; i <= text.len; i++)
		if (i == text.len || text.data[i] == ',')
		{
			strtable_add(members, str_make(text.data + start, i - start));
			start = i + 1;
			engine_check_interrupts();
		}
}

static void
add_elements(StrTable *members, const JsonValue *array)
{
	for (uint32 i = 0; i < array->count; i++)
	{
		strtable_add(members, py_str_text(&array->elements[i]));
		engine_check_interrupts();
	}
}

/* What stands for a constant that only Python knows. */
typedef struct Constant
{
	Str name;
	Str json;
} Constant;

static const Constant constants[] = {
	{STR_INIT("NaN"), STR_INIT("\"nan\"")},
	{STR_INIT("-Infinity"), STR_INIT("-1e999")},
	{STR_INIT("Infinity"), STR_INIT("1e999")},
};

/* The constant at the start of text, or NULL. */
static const Constant *
find_constant(const char *text, uint32 len)
{
	for (size_t i = 0; i < lengthof(constants); i++)
		if (len >= constants[i].name.len &&
		    memcmp(text, constants[i].name.data, constants[i].name.len) == 0)
			return &constants[i];
	return NULL;
}

/* The text with Python's constants outside of strings as JSON has them. */
static Str
rewrite_constants(Str text)
{
	StringInfoData result;
	bool in_string = false;

	initStringInfo(&result);
	for (uint32 i = 0; i < text.len; i++)
	{
		const Constant *constant =
			in_string ? NULL : find_constant(text.data + i, text.len - i);

		if (constant != NULL)
		{
			appendBinaryStringInfo(&result, constant->json.data, constant->json.len);
			i += constant->name.len - 1;
			continue;
		}
		appendStringInfoCharMacro(&result, text.data[i]);
		if (in_string && text.data[i] == '\\' && i + 1 < text.len)
			appendStringInfoCharMacro(&result, text.data[++i]);
		else if (text.data[i] == '"')
			in_string = !in_string;
	}
	return str_make(result.data, result.len);
}

static bool
parse_list(Str text, JsonValue *list)
{
	EngineError ignored;

	if (text.len == 0 || text.data[0] != '[')
		return false;
	return json_parse(text, list, &ignored) ||
	       json_parse(rewrite_constants(text), list, &ignored);
}

StrTable *
in_list_members(const JsonValue *value)
{
	StrTable *members = strtable_create(value->type == JSON_ARRAY ? value->count : 1);
	JsonValue list;

	if (value->type == JSON_ARRAY)
		add_elements(members, value);
	else if (parse_list(value->string, &list))
		add_elements(members, &list);
	else
		add_separated(members, str_copy(value->string));
	return members;
}
