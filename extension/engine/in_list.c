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

/* Of longer lists, whose members may repeat, the table grows. */
#define MANY_MEMBERS 1024

/* How many members lie between commas, MANY_MEMBERS at most. */
static uint32
count_separated(Str text)
{
	uint32 count = 1;

	for (uint32 i = 0; i < text.len && count < MANY_MEMBERS; i++)
		count += text.data[i] == ',';
	return count;
}

/* Makes members of what lies between commas, as it stands. */
static StrTable *
make_of_separated(Str text)
{
	StrTable *members = strtable_create(count_separated(text));
	uint32 start = 0;

	for (uint32 i = 0; i <= text.len; i++)
		if (i == text.len || text.data[i] == ',')
		{
			strtable_add(members, str_make(text.data + start, i - start));
			start = i + 1;
			engine_check_interrupts();
		}
	return members;
}

static StrTable *
make_of_elements(const JsonValue *array)
{
	StrTable *members = strtable_create(array->count);

	for (uint32 i = 0; i < array->count; i++)
	{
		strtable_add(members, py_str_text(&array->elements[i]));
		engine_check_interrupts();
	}
	return members;
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
	JsonValue list;

	if (value->type == JSON_ARRAY)
		return make_of_elements(value);
	if (parse_list(value->string, &list))
		return make_of_elements(&list);
	return make_of_separated(str_copy(value->string));
}
