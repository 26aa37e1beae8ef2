/*
 * Counts and their labels.
 *
 * The labels are those that Flagsmith gives its charts.  Browsers and libraries say what they
 * are, too, in a thousand ways; as a label counts only the name of an SDK.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/json_write.h"

#include "http_count.h"
#include "http_message.h"

/* Of a label, so many bytes are kept. */
#define LABEL_MAX_BYTES 100

int64
http_count_read(const JsonValue *value)
{
	ContextValue count = NULL_VALUE;

	if (value->type == JSON_NUMBER)
		count = value_from_json(value);
	if (count.type != VALUE_INT || count.digits.data != NULL || count.integer < 1 ||
	    count.integer > PG_INT32_MAX)
		return 0;
	return count.integer;
}

/* Cuts between characters. */
static Str
cut(Str text)
{
	if (text.len > LABEL_MAX_BYTES)
	{
		text.len = LABEL_MAX_BYTES;
		while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	return text;
}

/* The SDK, by the header that is for it, or by the one that browsers do not let it set. */
static Str
find_sdk(const HttpRequest *request)
{
	static const char *const headers[] = {"flagsmith-sdk-user-agent", "user-agent"};
	Str start = STR("flagsmith-");

	for (size_t i = 0; i < lengthof(headers); i++)
	{
		Str value = http_header(request, headers[i]);

		if (value.len > start.len && memcmp(value.data, start.data, start.len) == 0)
			return value;
	}
	return STR("");
}

static void
append_label(StringInfo labels, const char *name, Str value)
{
	if (value.len == 0)
		return;
	appendStringInfo(labels, "%s\"%s\":", labels->len > 1 ? "," : "", name);
	json_write_string(labels, cut(value));
}

Str
http_count_labels(const HttpRequest *request)
{
	StringInfoData labels;

	initStringInfo(&labels);
	appendStringInfoChar(&labels, '{');
	append_label(&labels, "client_application_name",
	             http_header(request, "flagsmith-application-name"));
	append_label(&labels, "client_application_version",
	             http_header(request, "flagsmith-application-version"));
	append_label(&labels, "user_agent", find_sdk(request));
	appendStringInfoChar(&labels, '}');
	return str_make(labels.data, labels.len);
}
