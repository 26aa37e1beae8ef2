/*
 * HTTP messages.
 */
#include "postgres.h"
#include "compat.h"

#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "engine/json_write.h"
#include "engine/pynumber.h"

#include "arguments.h"
#include "http_message.h"

#define MICROSECONDS INT64CONST(1000000)
#define EPOCH_OFFSET ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

static Str
trim(Str text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL)
	{
		text.data++;
		text.len--;
	}
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL)
		text.len--;
	return text;
}

Str
http_header(const HttpRequest *request, const char *name)
{
	const JsonValue *value = json_get(&request->headers, str_make(name, strlen(name)));

	if (value == NULL || value->type != JSON_STRING || value->string.len == 0)
		return STR("");
	return trim(value->string);
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text with U+FFFD for whatever is no UTF-8. */
static Str
repair(Str text)
{
	StringInfoData fixed;
	uint32 i = 0;

	initStringInfo(&fixed);
	while (i < text.len)
	{
		const unsigned char *at = (const unsigned char *) text.data + i;
		int length = pg_utf_mblen(at);

		if (i + length <= text.len && pg_utf8_islegal(at, length))
			appendBinaryStringInfo(&fixed, (const char *) at, length);
		else
		{
			appendStringInfoString(&fixed, "\xef\xbf\xbd");
			length = 1;
		}
		i += length;
	}
	return str_make(fixed.data, fixed.len);
}

Str
http_decode(Str text, bool plus_is_space)
{
	char *bytes = palloc(text.len + 1);
	uint32 length = 0;

	for (uint32 i = 0; i < text.len; i++)
	{
		char c = text.data[i];
		int high, low;

		if (c == '+' && plus_is_space)
			c = ' ';
		else if (c == '%' && i + 2 < text.len &&
		         (high = hex_value(text.data[i + 1])) >= 0 &&
		         (low = hex_value(text.data[i + 2])) >= 0)
		{
			c = (char) (high << 4 | low);
			i += 2;
		}
		bytes[length++] = c;
	}
	return repair(str_make(bytes, length));
}

bool
http_parameter(const HttpRequest *request, const char *name, Str *value)
{
	Str query = request->query, wanted = str_make(name, strlen(name));
	bool found = false;

	for (uint32 start = 0; start < query.len;)
	{
		uint32 end = start, equals;

		while (end < query.len && query.data[end] != '&')
			end++;
		equals = start;
		while (equals < end && query.data[equals] != '=')
			equals++;
		if (str_equal(http_decode(str_make(query.data + start, equals - start), true),
		              wanted))
		{
			uint32 from = Min(equals + 1, end);

			*value = http_decode(str_make(query.data + from, end - from), true);
			found = true;
		}
		start = end + 1;
	}
	return found;
}

void
http_begin(HttpResponse *response)
{
	response->status = 200;
	response->resource = (Str){NULL, 0};
	initStringInfo(&response->headers);
	appendStringInfoString(&response->headers,
	                       "{\"Content-Type\":\"application/json\""
	                       ",\"Vary\":\"X-Environment-Key, Accept-Encoding, Origin\""
	                       ",\"Cache-Control\":\"no-store\"");
	argument_begin_text(&response->body, 256);
}

void
http_add_header(HttpResponse *response, const char *name, const char *value)
{
	appendStringInfo(&response->headers, ",\"%s\":", name);
	json_write_string(&response->headers, str_make(value, strlen(value)));
}

void
http_answer(HttpResponse *response, int status, const char *body)
{
	response->status = status;
	response->body.len = VARHDRSZ;
	appendStringInfoString(&response->body, body);
}

void
http_error(HttpResponse *response, int status, const char *detail)
{
	http_answer(response, status, "{\"detail\":");
	json_write_string(&response->body, str_make(detail, strlen(detail)));
	appendStringInfoChar(&response->body, '}');
}

void
http_add_updated_at(HttpResponse *response, const OpenEnvironment *open)
{
	TimestampTz moment = open->stored->version.updated_at;
	char text[32];

	/* as Python writes a float */
	text[py_float_repr((double) (moment + EPOCH_OFFSET * MICROSECONDS) / MICROSECONDS,
	                   text)] = '\0';
	appendStringInfo(&response->headers, ",\"X-Flagsmith-Document-Updated-At\":\"%s\"",
	                 text);
}

/* Whether a list of entity tags has this one; weak and strong are alike. */
static bool
lists_tag(Str list, const char *tag)
{
	return str_equal(list, STR("*")) || str_contains(list, str_make(tag, strlen(tag)));
}

bool
http_add_etag(const HttpRequest *request, HttpResponse *response, uint64 tag)
{
	char text[24];

	/* the later member of a name counts: this is instead of no-store */
	snprintf(text, sizeof(text), "\"%08x%08x\"", (uint32) (tag >> 32), (uint32) tag);
	http_add_header(response, "Cache-Control", "no-cache");
	appendStringInfoString(&response->headers, ",\"ETag\":");
	json_write_string(&response->headers,
	                  str_make(psprintf("W/%s", text), strlen(text) + 2));
	if (!lists_tag(http_header(request, "if-none-match"), text))
		return false;
	http_answer(response, 304, "");
	return true;
}

int64
http_epoch(TimestampTz moment)
{
	int64 seconds = moment / MICROSECONDS;

	if (moment % MICROSECONDS < 0)
		seconds--;
	return seconds + EPOCH_OFFSET;
}

void
http_format_time(TimestampTz moment, char *buffer)
{
	static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	struct pg_tm tm;
	fsec_t fsec;

	if (timestamp2tm(moment, NULL, &tm, &fsec, NULL, NULL) != 0)
	{
		strlcpy(buffer, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_TIME_SIZE);
		return;
	}
	snprintf(buffer, HTTP_TIME_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
	         names[j2day(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday))], tm.tm_mday,
	         months[tm.tm_mon - 1], tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool
http_parse_time(Str text, int64 *seconds)
{
	char buffer[HTTP_TIME_SIZE], month[4], zone[6], rest;
	int day, year, hour, minute, second, number = 0;

	if (text.len >= sizeof(buffer))
		return false;
	strlcpy(buffer, text.data, text.len + 1);
	if (sscanf(buffer, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d %5s%c", &day, month, &year,
	           &hour, &minute, &second, zone, &rest) != 7)
		return false;
	if (strcmp(zone, "GMT") != 0 && strcmp(zone, "+0000") != 0)
		return false;
	while (number < MONTHS_PER_YEAR && strcmp(months[number], month) != 0)
		number++;
	if (number == MONTHS_PER_YEAR || day < 1 || day > 31 || year < 1970 || hour < 0 ||
	    hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	*seconds = (int64) (date2j(year, number + 1, day) - UNIX_EPOCH_JDATE) * SECS_PER_DAY +
	           hour * 3600 + minute * 60 + second;
	return true;
}
