/*
 * str() and repr() of what json.loads() makes.
 *
 * The text is an interface: it is what users compare with, so every quote and escape is
 * Python's.
 */
#include "platform.h"

#include "pynumber.h"
#include "pystr.h"
#include "unicode.h"

static void append_repr(StringInfo buffer, const JsonValue *value);

/* Python prefers single quotes, unless only they would have to be escaped. */
static char
choose_quote(Str text)
{
	if (text.len > 0 && memchr(text.data, '\'', text.len) != NULL &&
	    memchr(text.data, '"', text.len) == NULL)
		return '"';
	return '\'';
}

static void
append_escape(StringInfo buffer, uint32 character)
{
	switch (character)
	{
		case '\n':
			appendStringInfoString(buffer, "\\n");
			break;
		case '\r':
			appendStringInfoString(buffer, "\\r");
			break;
		case '\t':
			appendStringInfoString(buffer, "\\t");
			break;
		default:
			if (character < 0x100)
				appendStringInfo(buffer, "\\x%02x", character);
			else if (character < 0x10000)
				appendStringInfo(buffer, "\\u%04x", character);
			else
				appendStringInfo(buffer, "\\U%08x", character);
	}
}

static void
append_string(StringInfo buffer, Str text)
{
	char quote = choose_quote(text);

	appendStringInfoChar(buffer, quote);
	for (uint32 at = 0; at < text.len;)
	{
		uint32 start = at;
		uint32 character = unicode_next(text, &at);

		if (character == (unsigned char) quote || character == '\\')
			appendStringInfoChar(buffer, '\\');
		if (unicode_is_printable(character) || character == UNICODE_INVALID)
			appendBinaryStringInfo(buffer, text.data + start, at - start);
		else
			append_escape(buffer, character);
	}
	appendStringInfoChar(buffer, quote);
}

static void
append_number(StringInfo buffer, Str raw)
{
	ContextValue number = value_from_number(raw);
	char space[VALUE_TEXT_MAX];
	Str text = value_text(&number, space);

	appendBinaryStringInfo(buffer, text.data, text.len);
	if (number.digits.data != NULL)
		pfree(unconstify(char *, number.digits.data));
}

static void
append_array(StringInfo buffer, const JsonValue *array)
{
	appendStringInfoChar(buffer, '[');
	for (uint32 i = 0; i < array->count; i++)
	{
		if (i > 0)
			appendStringInfoString(buffer, ", ");
		append_repr(buffer, &array->elements[i]);
	}
	appendStringInfoChar(buffer, ']');
}

static void
append_object(StringInfo buffer, const JsonValue *object)
{
	appendStringInfoChar(buffer, '{');
	for (uint32 i = 0; i < object->count; i++)
	{
		if (i > 0)
			appendStringInfoString(buffer, ", ");
		append_string(buffer, object->members[i].name);
		appendStringInfoString(buffer, ": ");
		append_repr(buffer, &object->members[i].value);
	}
	appendStringInfoChar(buffer, '}');
}

/* Appends repr(value).  The parser's JSON_MAX_DEPTH bounds the recursion. */
static void
append_repr(StringInfo buffer, const JsonValue *value)
{
	engine_check_interrupts();
	switch (value->type)
	{
		case JSON_NULL:
			appendStringInfoString(buffer, "None");
			break;
		case JSON_BOOL:
			appendStringInfoString(buffer, value->boolean ? "True" : "False");
			break;
		case JSON_NUMBER:
			append_number(buffer, value->raw);
			break;
		case JSON_STRING:
			append_string(buffer, value->string);
			break;
		case JSON_ARRAY:
			append_array(buffer, value);
			break;
		case JSON_OBJECT:
			append_object(buffer, value);
			break;
		case JSON_FLAGS:
			appendStringInfoString(buffer, "{}");
			break;
	}
}

void
py_str(StringInfo buffer, const JsonValue *value)
{
	if (value->type == JSON_STRING)
		appendBinaryStringInfo(buffer, value->string.data, value->string.len);
	else
		append_repr(buffer, value);
}

Str
py_str_text(const JsonValue *value)
{
	StringInfoData buffer;
	ContextValue scalar;
	char space[VALUE_TEXT_MAX];
	Str text;

	if (value->type != JSON_ARRAY && value->type != JSON_OBJECT &&
	    value->type != JSON_FLAGS)
	{
		scalar = value_from_json(value);
		return str_copy(value_text(&scalar, space));
	}
	initStringInfo(&buffer);
	py_str(&buffer, value);
	text = str_copy(str_make(buffer.data, buffer.len));
	pfree(buffer.data);
	return text;
}

bool
py_is_true(const JsonValue *value)
{
	ContextValue number;

	switch (value->type)
	{
		case JSON_NULL:
			return false;
		case JSON_BOOL:
			return value->boolean;
		case JSON_NUMBER:
			number = value_from_json(value);
			if (number.type == VALUE_FLOAT)
				return number.number != 0;
			return number.digits.data != NULL || number.integer != 0;
		case JSON_STRING:
			return value->string.len > 0;
		case JSON_ARRAY:
		case JSON_OBJECT:
		case JSON_FLAGS:
			return value->count > 0;
	}
	return false;
}
