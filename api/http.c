/*
 * http_parser reads the protocol, and stops at the end of each message: what follows is given
 * to it again, as the next request.
 */
#include "http.h"

#include "clock.h"
#include "reply.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

/* ---- what the parser finds ---- */

static int
on_target(http_parser *parser, const char *data, size_t length)
{
	Connection *connection = parser->data;

	if (request_add_target(connection->request, data, length))
		return 0;
	connection->refusal = 503;
	return -1;
}

static int
on_name(http_parser *parser, const char *data, size_t length)
{
	Connection *connection = parser->data;

	if (!connection->has_head)
		request_add_header_name(connection->request, data, length);
	return 0;
}

static int
on_value(http_parser *parser, const char *data, size_t length)
{
	Connection *connection = parser->data;

	/* what comes behind a body in chunks is no header */
	if (connection->has_head ||
	    request_add_header_value(connection->request, data, length))
		return 0;
	connection->refusal = 503;
	return -1;
}

static int
on_head(http_parser *parser)
{
	Connection *connection = parser->data;
	Request *request = connection->request;
	bool has_length = !(parser->flags & F_CHUNKED) && parser->content_length > 0 &&
	                  parser->content_length != UINT64_MAX;

	/* whatever the client would like to switch to, HTTP/1.1 is what it gets */
	parser->upgrade = 0;
	connection->has_head = true;
	request->method = http_method_str(parser->method);
	request->is_head = parser->method == HTTP_HEAD;
	request->is_http_1_0 = parser->http_major < 1 || parser->http_minor < 1;
	if (has_length && parser->content_length > (uint64_t) settings.body_limit)
	{
		connection->refusal = 413;
		return -1;
	}
	if (request_header_is(request, HEADER_EXPECT, "100-continue") &&
	    (has_length || parser->flags & F_CHUNKED))
	{
		static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
		struct iovec part = {go_on, sizeof(go_on) - 1};

		connection_send(connection, &part, 1);
	}
	return 0;
}

static int
on_body(http_parser *parser, const char *data, size_t length)
{
	Connection *connection = parser->data;
	Buffer *body = &connection->request->body;

	if (body->length + length > (size_t) settings.body_limit)
		connection->refusal = 413;
	else if (!buffer_append(body, data, length))
		connection->refusal = 503;
	return connection->refusal != 0 ? -1 : 0;
}

static int
on_message(http_parser *parser)
{
	Connection *connection = parser->data;

	connection->request->keep_alive = http_should_keep_alive(parser);
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings callbacks = {
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_message,
};

/* ---- requests ---- */

bool
http_begin(Connection *connection)
{
	connection->request = request_new(connection);
	if (connection->request == NULL)
		return false;
	connection->since = clock_ms();
	connection->refusal = 0;
	connection->close_after = connection->has_head = false;
	http_parser_init(&connection->parser, HTTP_REQUEST);
	connection->parser.data = connection;
	return true;
}

void
http_refuse(Connection *connection, int status, const char *method)
{
	Request *request = connection->request;

	connection->state = CONNECTION_WORKING;
	request->keep_alive = false;
	request->completed = clock_ms();
	request->method = method;
	reply_refusal(request, status);
}

/* Answers what the parser has stopped at; it was given these bytes. */
static void
refuse_bytes(Connection *connection, const char *data, size_t length)
{
	enum http_errno error = HTTP_PARSER_ERRNO(&connection->parser);
	char method[16];
	size_t end = 0;

	while (end < length && end < sizeof(method) - 1 && data[end] >= 'A' &&
	       data[end] <= 'Z')
		end++;
	snprintf(method, sizeof(method), "%.*s", (int) end, data);
	if (connection->refusal != 0)
		http_refuse(connection, connection->refusal, connection->request->method);
	else if (error == HPE_HEADER_OVERFLOW)
		http_refuse(connection, 431, connection->request->method);
	else if (error == HPE_INVALID_METHOD && end > 0 && end < length && data[end] == ' ')
		http_refuse(connection, 405, method);
	else
		http_refuse(connection, 400, connection->request->method);
}

HttpState
http_read(Connection *connection, const char *data, size_t length, size_t *used)
{
	http_parser *parser = &connection->parser;

	*used = http_parser_execute(parser, &callbacks, data, length);
	if (connection->fd < 0)
		return HTTP_REFUSED;
	if (HTTP_PARSER_ERRNO(parser) == HPE_PAUSED)
		return HTTP_COMPLETE;
	if (HTTP_PARSER_ERRNO(parser) == HPE_OK)
		return HTTP_PARTIAL;
	refuse_bytes(connection, data, length);
	return HTTP_REFUSED;
}
