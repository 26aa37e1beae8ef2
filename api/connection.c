/*
 * Reading requests and writing answers.
 *
 * libevent says when a socket is ready and keeps what did not fit into it.  Bytes are read into one buffer for all connections and parsed at once, and
 * answers are written straight to the socket, so that an idle connection holds no buffer and
 * a busy one costs one recv and one writev a request.
 */
#include "connection.h"

#include "clock.h"
#include "http.h"
#include "server.h"
#include "settings.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
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

static void on_readable(evutil_socket_t fd, short what, void *argument);
static void on_writable(evutil_socket_t fd, short what, void *argument);

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
		buffer_give(evbuffer_get_length(connection->early));
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

/* Keeps the bytes of later requests; whoever sends too many of them has to wait. */
static void
keep_early(Connection *connection, const char *data, size_t length)
{
	if (connection->early == NULL)
		connection->early = evbuffer_new();
	if (connection->early == NULL || !buffer_take(length))
	{
		connection_close(connection);
		return;
	}
	if (evbuffer_add(connection->early, data, length) != 0)
	{
		buffer_give(length);
		connection_close(connection);
		return;
	}
	if (evbuffer_get_length(connection->early) >= EARLY_MAX)
		pause_reading(connection);
}

static void
hand_on(Connection *connection)
{
	connection->state = CONNECTION_WORKING;
	connection->request->completed = clock_ms();
	connection->server->handle(connection->request);
}

/* Parses what came; each request is handed on as soon as it is complete. */
static void
feed(Connection *connection, const char *data, size_t length)
{
	while (length > 0 && connection->state == CONNECTION_READING)
	{
		HttpState state;
		size_t used;

		if (connection->request == NULL && (*data == '\r' || *data == '\n'))
		{
			data++;
			length--;
			continue;
		}
		if (connection->request == NULL && !http_begin(connection))
		{
			connection_close(connection);
			return;
		}
		state = http_read(connection, data, length, &used);
		if (state == HTTP_REFUSED)
			return;
		data += used;
		length -= used;
		if (state == HTTP_COMPLETE)
			hand_on(connection);
	}
	if (length > 0 && connection->fd >= 0 && !connection->close_after)
		keep_early(connection, data, length);
}

/* Parses what came while the last request was answered. */
static void
feed_early(Connection *connection)
{
	struct evbuffer *early = connection->early;
	size_t length = evbuffer_get_length(early);

	connection->early = NULL;
	feed(connection, (char *) evbuffer_pullup(early, -1), length);
	buffer_give(length);
	evbuffer_free(early);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	static char bytes[READ_BYTES];
	Connection *connection = argument;
	ssize_t count;

	(void) what;
	if (connection->state == CONNECTION_WORKING ||
	    connection->state == CONNECTION_FLUSHING)
	{
		pause_reading(connection);
		return;
	}
	if (connection->early != NULL && connection->state == CONNECTION_READING)
	{
		feed_early(connection);
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
	if (connection->unsent == NULL)
		connection->since = clock_ms(); /* no later: more does not make it less stuck */
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
		http_refuse(connection, 408, connection->request->method);
}
