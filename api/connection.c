/*
 * Reading requests and writing answers.
 *
 * libevent says when a socket is ready and keeps what did not fit into it; http_parser reads
 * the protocol.  Bytes are read into one buffer for all connections and parsed at once, and
 * answers are written straight to the socket, so that an idle connection holds no buffer and
 * a busy one costs one recv and one writev a request.
 */
#include "connection.h"

#include "clock.h"
#include "reply.h"
#include "server.h"
#include "settings.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

/* What a client may send ahead of its turn. */
#define EARLY_MAX ((size_t) READ_BYTES)

/* A whole request must arrive, and an answer be taken on, within these. */
#define REQUEST_MS 20000
#define STALL_MS 30000
#define LINGER_MS 2000

static int on_target(http_parser *parser, const char *data, size_t length);
static int on_name(http_parser *parser, const char *data, size_t length);
static int on_value(http_parser *parser, const char *data, size_t length);
static int on_head(http_parser *parser);
static int on_body(http_parser *parser, const char *data, size_t length);
static int on_message(http_parser *parser);
static void on_readable(evutil_socket_t fd, short what, void *argument);
static void on_writable(evutil_socket_t fd, short what, void *argument);
static void feed(Connection *connection, const char *data, size_t length);

static const http_parser_settings callbacks = {
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_message,
};

Connection *
connection_new(struct Server *server, int fd)
{
	Connection *connection = calloc(1, sizeof(Connection));

	if (connection == NULL)
		return NULL;
	connection->server = server;
	connection->fd = fd;
	connection->since = clock_ms();
	event_assign(&connection->readable, server->base, fd, EV_READ | EV_PERSIST,
	             on_readable, connection);
	event_assign(&connection->writable, server->base, fd, EV_WRITE | EV_PERSIST,
	             on_writable, connection);
	event_add(&connection->readable, NULL);
	connection->is_readable_added = true;
	return connection;
}

static void
forget_bytes(Connection *connection)
{
	if (connection->unsent != NULL)
	{
		buffer_give(evbuffer_get_length(connection->unsent));
		evbuffer_free(connection->unsent);
		connection->unsent = NULL;
	}
	if (connection->early != NULL)
	{
		evbuffer_free(connection->early);
		connection->early = NULL;
	}
}

void
connection_close(Connection *connection)
{
	bool is_answering = connection->state == CONNECTION_WORKING;
	void (*on_lost)(void *) = connection->on_lost;

	if (connection->fd < 0)
		return;
	event_del(&connection->readable);
	event_del(&connection->writable);
	close(connection->fd);
	connection->fd = -1;
	forget_bytes(connection);
	if (is_answering)
		return; /* connection_end_answer() comes */
	connection->state = CONNECTION_DEAD;
	connection->on_lost = NULL;
	if (on_lost != NULL)
		on_lost(connection->on_lost_argument);
	server_bury(connection->server, connection);
}

void
connection_free(Connection *connection)
{
	if (connection->request != NULL)
		request_free(connection->request);
	free(connection);
}

/* ---- reading ---- */

static void
pause_reading(Connection *connection)
{
	event_del(&connection->readable);
	connection->is_readable_added = false;
}

static void
resume_reading(Connection *connection)
{
	if (!connection->is_readable_added)
		event_add(&connection->readable, NULL);
	connection->is_readable_added = true;
	if (connection->early != NULL)
		event_active(&connection->readable, EV_READ, 0);
}

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

	request_add_header_name(connection->request, data, length);
	return 0;
}

static int
on_value(http_parser *parser, const char *data, size_t length)
{
	Connection *connection = parser->data;

	if (request_add_header_value(connection->request, data, length))
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

/* Finds a new request under way; false if there is no memory for one. */
static bool
begin_request(Connection *connection)
{
	connection->request = request_new(connection);
	if (connection->request == NULL)
		return false;
	connection->since = clock_ms();
	connection->refusal = 0;
	connection->close_after = false;
	http_parser_init(&connection->parser, HTTP_REQUEST);
	connection->parser.data = connection;
	return true;
}

/* Answers what cannot be read as a request; what follows it cannot either. */
static void
refuse(Connection *connection, int status, const char *method)
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
		refuse(connection, connection->refusal, connection->request->method);
	else if (error == HPE_HEADER_OVERFLOW)
		refuse(connection, 431, connection->request->method);
	else if (error == HPE_INVALID_METHOD && end > 0 && end < length && data[end] == ' ')
		refuse(connection, 405, method);
	else
		refuse(connection, 400, connection->request->method);
}

static void
keep_early(Connection *connection, const char *data, size_t length)
{
	if (connection->early == NULL)
		connection->early = evbuffer_new();
	if (connection->early == NULL || evbuffer_add(connection->early, data, length) != 0 ||
	    evbuffer_get_length(connection->early) >= EARLY_MAX)
		pause_reading(connection);
}

/* Parses what came; each request is handed on as soon as it is complete. */
static void
feed(Connection *connection, const char *data, size_t length)
{
	while (length > 0 && connection->state == CONNECTION_READING)
	{
		enum http_errno error;
		size_t used;

		if (connection->request == NULL && (*data == '\r' || *data == '\n'))
		{
			data++;
			length--;
			continue;
		}
		if (connection->request == NULL && !begin_request(connection))
		{
			connection_close(connection);
			return;
		}
		used = http_parser_execute(&connection->parser, &callbacks, data, length);
		if (connection->fd < 0)
			return;
		error = HTTP_PARSER_ERRNO(&connection->parser);
		if (error == HPE_PAUSED)
		{
			connection->state = CONNECTION_WORKING;
			connection->request->completed = clock_ms();
			connection->server->handle(connection->request);
		}
		else if (error != HPE_OK)
		{
			refuse_bytes(connection, data, length);
			return;
		}
		data += used;
		length -= used;
	}
	if (length > 0 && connection->fd >= 0 && !connection->close_after)
		keep_early(connection, data, length);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	static char bytes[READ_BYTES];
	Connection *connection = argument;
	struct evbuffer *early = connection->early;
	ssize_t count;

	(void) what;
	if (connection->state == CONNECTION_WORKING ||
	    connection->state == CONNECTION_FLUSHING)
	{
		pause_reading(connection);
		return;
	}
	if (early != NULL && connection->state == CONNECTION_READING)
	{
		connection->early = NULL;
		feed(connection, (char *) evbuffer_pullup(early, -1), evbuffer_get_length(early));
		evbuffer_free(early);
		return;
	}
	count = recv(fd, bytes, sizeof(bytes), 0);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0)
		connection_close(connection);
	else if (connection->state == CONNECTION_STREAMING)
		keep_early(connection, bytes, count);
	else if (connection->state == CONNECTION_READING)
		feed(connection, bytes, count);
}

/* ---- writing ---- */

/* The answer is out: reads on, or says good-bye. */
static void
go_on(Connection *connection)
{
	connection->since = clock_ms();
	if (!connection->close_after)
	{
		connection->state = CONNECTION_READING;
		resume_reading(connection);
		return;
	}
	/* closed with bytes unread, a socket would take back the answer */
	connection->state = CONNECTION_LINGERING;
	shutdown(connection->fd, SHUT_WR);
	forget_bytes(connection);
	resume_reading(connection);
}

static void
keep_unsent(Connection *connection, const struct iovec *parts, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (connection->unsent == NULL)
			connection->unsent = evbuffer_new();
		if (connection->unsent == NULL || !buffer_take(parts[i].iov_len))
		{
			connection_close(connection);
			return;
		}
		if (evbuffer_add(connection->unsent, parts[i].iov_base, parts[i].iov_len) != 0)
		{
			buffer_give(parts[i].iov_len);
			connection_close(connection);
			return;
		}
	}
	connection->since = clock_ms();
	event_add(&connection->writable, NULL);
}

void
connection_send(Connection *connection, struct iovec *parts, int count)
{
	ssize_t sent = 0;

	if (connection->fd < 0)
		return;
	if (connection->unsent == NULL)
	{
		sent = writev(connection->fd, parts, count);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
		{
			connection_close(connection);
			return;
		}
	}
	for (; count > 0 && sent >= (ssize_t) parts->iov_len; parts++, count--)
		sent -= parts->iov_len;
	if (count == 0)
		return;
	if (sent > 0)
	{
		parts->iov_base = (char *) parts->iov_base + sent;
		parts->iov_len -= sent;
	}
	keep_unsent(connection, parts, count);
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	Connection *connection = argument;
	int sent = evbuffer_write(connection->unsent, fd);

	(void) what;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (sent < 0)
	{
		connection_close(connection);
		return;
	}
	buffer_give(sent);
	connection->since = clock_ms();
	if (evbuffer_get_length(connection->unsent) > 0)
		return;
	evbuffer_free(connection->unsent);
	connection->unsent = NULL;
	event_del(&connection->writable);
	if (connection->state == CONNECTION_FLUSHING)
		go_on(connection);
}

void
connection_end_answer(Connection *connection)
{
	connection->close_after =
		!connection->request->keep_alive || connection->server->is_draining;
	request_free(connection->request);
	connection->request = NULL;
	connection->on_lost = NULL;
	connection->state = CONNECTION_FLUSHING;
	if (connection->fd < 0)
	{
		connection->state = CONNECTION_DEAD;
		server_bury(connection->server, connection);
	}
	else if (connection->unsent == NULL)
		go_on(connection);
}

void
connection_stream(Connection *connection, void (*on_lost)(void *), void *argument)
{
	connection->state = CONNECTION_STREAMING;
	connection->on_lost = on_lost;
	connection->on_lost_argument = argument;
	resume_reading(connection);
}

bool
connection_is_draining(const Connection *connection)
{
	return connection->server->is_draining;
}

/* ---- time ---- */

bool
connection_is_idle(const Connection *connection)
{
	return connection->state == CONNECTION_READING && connection->request == NULL &&
	       connection->early == NULL;
}

void
connection_check_time(Connection *connection, int64_t now)
{
	int64_t waited = now - connection->since;

	if (connection->unsent != NULL && waited > STALL_MS)
		connection_close(connection);
	else if (connection->state == CONNECTION_LINGERING && waited > LINGER_MS)
		connection_close(connection);
	else if (connection_is_idle(connection) && waited > settings.keep_alive * 1000)
		connection_close(connection);
	else if (connection->state == CONNECTION_READING && connection->request != NULL &&
	         waited > REQUEST_MS)
		refuse(connection, 408, connection->request->method);
}
