/*
 * Writing JSON.
 */
#include "json_write.h"

/* The letter behind the backslash of a short escape, or 0. */
static char
short_escape(char c)
{
	switch (c)
	{
		case '"':
			return '"';
		case '\\':
			return '\\';
		case '\b':
			return 'b';
		case '\f':
			return 'f';
		case '\n':
			return 'n';
		case '\r':
			return 'r';
		case '\t':
			return 't';
		default:
			return 0;
	}
}

void
json_write_string(StringInfo buffer, Str text)
{
	uint32 copied = 0;

	appendStringInfoCharMacro(buffer, '"');
	for (uint32 i = 0; i < text.len; i++)
	{
		char c = text.data[i];
		char escape;

		if ((unsigned char) c >= ' ' && c != '"' && c != '\\')
			continue;
		escape = short_escape(c);
		appendBinaryStringInfo(buffer, text.data + copied, i - copied);
		copied = i + 1;
		if (escape != 0)
			appendStringInfo(buffer, "\\%c", escape);
		else
			appendStringInfo(buffer, "\\u%04x", (unsigned char) c);
	}
	appendBinaryStringInfo(buffer, text.data + copied, text.len - copied);
	appendStringInfoCharMacro(buffer, '"');
}

JsonValue
json_make_string(Str text)
{
	StringInfoData raw;

	initStringInfo(&raw);
	json_write_string(&raw, text);
	return (JsonValue){
		.type = JSON_STRING, .raw = str_make(raw.data, raw.len), .string = text};
}
