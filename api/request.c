/*
 * Requests: taken from a free list, because at full speed one comes every few microseconds.
 */
#include "request.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPARE_MAX 256
#define SPARE_BYTES 8192

static const char *const names[] = {
	[HEADER_ENVIRONMENT_KEY] = "x-environment-key",
	[HEADER_API_KEY] = "x-api-key",
	[HEADER_AUTHORIZATION] = "authorization",
	[HEADER_CONTENT_TYPE] = "content-type",
	[HEADER_IF_NONE_MATCH] = "if-none-match",
	[HEADER_IF_MODIFIED_SINCE] = "if-modified-since",
	[HEADER_USER_AGENT] = "user-agent",
	[HEADER_SDK_USER_AGENT] = "flagsmith-sdk-user-agent",
	[HEADER_APPLICATION_NAME] = "flagsmith-application-name",
	[HEADER_APPLICATION_VERSION] = "flagsmith-application-version",
	[HEADER_ACCEPT_ENCODING] = "accept-encoding",
	[HEADER_CORS_HEADERS] = "access-control-request-headers",
	[HEADER_EXPECT] = "expect",
	[HEADER_HOST] = "host",
};

static Request *spare[SPARE_MAX];
static int spare_count;

Request *
request_new(struct Connection *connection)
{
	Request *request = spare_count > 0 ? spare[--spare_count] : NULL;
	Buffer text = {0};

	if (request == NULL)
		request = malloc(sizeof(Request));
	else
		text = request->text;
	if (request == NULL)
		return NULL;
	text.length = 0;
	*request = (Request){
		.connection = connection, .text = text, .method = "", .current = HEADER_UNKNOWN};
	return request;
}

void
request_free(Request *request)
{
	buffer_free(&request->body);
	if (request->text.capacity > SPARE_BYTES)
		buffer_free(&request->text);
	if (spare_count < SPARE_MAX)
	{
		spare[spare_count++] = request;
		return;
	}
	buffer_free(&request->text);
	free(request);
}

bool
request_add_target(Request *request, const char *data, size_t length)
{
	request->target.length += length;
	return buffer_append(&request->text, data, length);
}

void
request_add_header_name(Request *request, const char *data, size_t length)
{
	if (request->in_value)
		request->name_length = 0;
	request->in_value = false;
	if (request->name_length + length <= HEADER_NAME_MAX)
		memcpy(request->name + request->name_length, data, length);
	request->name_length += length;
}

static RequestHeader
find_header(const Request *request)
{
	RequestHeader header = 0;

	while (header < HEADER_UNKNOWN &&
	       (strlen(names[header]) != request->name_length ||
	        strncasecmp(names[header], request->name, request->name_length) != 0))
		header++;
	return header;
}

bool
request_add_header_value(Request *request, const char *data, size_t length)
{
	if (!request->in_value)
	{
		request->in_value = true;
		request->current = find_header(request);
		if (request->current != HEADER_UNKNOWN)
			request->headers[request->current] = (Span){request->text.length, 0};
	}
	if (request->current == HEADER_UNKNOWN)
		return true;
	request->headers[request->current].length += length;
	return buffer_append(&request->text, data, length);
}

const char *
request_text(const Request *request, Span span)
{
	return span.length > 0 ? request->text.data + span.start : "";
}

Span
request_header(const Request *request, RequestHeader header)
{
	return request->headers[header];
}

bool
request_header_is(const Request *request, RequestHeader header, const char *text)
{
	Span span = request->headers[header];

	return span.length == strlen(text) &&
	       strncasecmp(request_text(request, span), text, span.length) == 0;
}

bool
request_write_headers(const Request *request, unsigned set, Buffer *json)
{
	char separator = '{';

	for (RequestHeader header = 0; header < HEADER_UNKNOWN; header++)
	{
		Span span = request->headers[header];

		if (span.length == 0 || !(set & HEADER_SET(header)))
			continue;
		if (!buffer_append(json, &separator, 1) || !buffer_append(json, "\"", 1) ||
		    !buffer_append_text(json, names[header]) || !buffer_append(json, "\":", 2) ||
		    !text_append_json(json, request_text(request, span), span.length))
			return false;
		separator = ',';
	}
	return separator == ',' ? buffer_append(json, "}", 1) : buffer_append(json, "{}", 2);
}
