/*
 * Accepting connections, keeping them within bounds, and letting go of them.
 */
#include "server.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"
#include "settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

/* Connections taken in one go, so that those that are open get their turn. */
#define ACCEPT_MAX 64

/* How long nothing must have happened on a connection for it to be ended when draining. */
#define DRAIN_IDLE_MS 1000

typedef struct Listener
{
	TAILQ_ENTRY(Listener) link;
	Server *server;
	int fd;
	struct event *event;
	struct event *pause; /* until there are file descriptors again */
	char path[sizeof(((struct sockaddr_un *) 0)->sun_path)]; /* of a Unix socket */
} Listener;

/* ---- listening ---- */

static int
listen_unix(Listener *listener, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat file;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	strcpy(listener->path, path);
	if (stat(path, &file) == 0 && S_ISSOCK(file.st_mode))
		unlink(path); /* of a process that was killed */
	if (bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
listen_address(const struct addrinfo *address)
{
	int on = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Listens on the first address of a host that lets it. */
static int
listen_tcp(const char *host)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses, *address;
	char port[16];
	int fd = -1;

	snprintf(port, sizeof(port), "%d", settings.port);
	if (getaddrinfo(host, port, &hints, &addresses) != 0)
		return -1;
	for (address = addresses; address != NULL && fd < 0; address = address->ai_next)
		fd = listen_address(address);
	freeaddrinfo(addresses);
	return fd;
}

/* Tells where it listens; the port, because the system may have chosen it. */
static void
log_listening(const Listener *listener, const char *place)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	in_port_t port = 0;
	char text[16];

	getsockname(listener->fd, (struct sockaddr *) &address, &length);
	if (address.ss_family == AF_INET)
		port = ((struct sockaddr_in *) &address)->sin_port;
	else if (address.ss_family == AF_INET6)
		port = ((struct sockaddr_in6 *) &address)->sin6_port;
	snprintf(text, sizeof(text), "%d", ntohs(port));
	log_event("info", "listening", "port", text, "address", place, NULL);
}

static void on_connection(evutil_socket_t fd, short what, void *argument);
static void on_pause_end(evutil_socket_t fd, short what, void *argument);

static bool
open_listener(Server *server, const char *place)
{
	Listener *listener = calloc(1, sizeof(Listener));

	if (listener == NULL)
		return false;
	listener->server = server;
	listener->fd = strncmp(place, "unix:", 5) == 0 ? listen_unix(listener, place + 5)
	                                               : listen_tcp(place);
	if (listener->fd < 0)
	{
		log_event("error", "cannot_listen", "address", place, "reason", strerror(errno),
		          NULL);
		free(listener);
		return false;
	}
	listener->event = event_new(server->base, listener->fd, EV_READ | EV_PERSIST,
	                            on_connection, listener);
	listener->pause = evtimer_new(server->base, on_pause_end, listener);
	event_add(listener->event, NULL);
	TAILQ_INSERT_TAIL(&server->listeners, listener, link);
	log_listening(listener, place);
	return true;
}

static void
close_listener(Listener *listener)
{
	TAILQ_REMOVE(&listener->server->listeners, listener, link);
	event_free(listener->event);
	event_free(listener->pause);
	close(listener->fd);
	if (listener->path[0] != '\0')
		unlink(listener->path);
	free(listener);
}

/* ---- accepting ---- */

static void
take(Server *server, int fd)
{
	int on = 1;
	Connection *connection =
		server->count < settings.client_limit ? connection_new(server, fd) : NULL;

	if (connection == NULL)
	{
		metrics.refused_connections++;
		reply_refuse_connection(fd);
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails for Unix ones */
	TAILQ_INSERT_TAIL(&server->connections, connection, link);
	server->count++;
	metrics.connections = server->count;
}

/* Takes up to so many connections; false if there may be more. */
static bool
accept_some(Listener *listener, int most)
{
	static const struct timeval pause = {0, 100000};

	for (int i = 0; i < most; i++)
	{
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
		{
			take(listener->server, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		{
			event_del(listener->event);
			event_add(listener->pause, &pause);
		}
		return errno != EINTR && errno != ECONNABORTED;
	}
	return false;
}

static void
on_connection(evutil_socket_t fd, short what, void *argument)
{
	(void) fd;
	(void) what;
	accept_some(argument, ACCEPT_MAX);
}

static void
on_pause_end(evutil_socket_t fd, short what, void *argument)
{
	Listener *listener = argument;

	(void) fd;
	(void) what;
	event_add(listener->event, NULL);
}

/* ---- letting go ---- */

void
server_bury(Server *server, Connection *connection)
{
	TAILQ_REMOVE(&server->connections, connection, link);
	TAILQ_INSERT_TAIL(&server->buried, connection, link);
	server->count--;
	metrics.connections = server->count;
	event_active(server->burial, EV_TIMEOUT, 0);
}

static void
on_burial(evutil_socket_t fd, short what, void *argument)
{
	Server *server = argument;
	Connection *connection;

	(void) fd;
	(void) what;
	while ((connection = TAILQ_FIRST(&server->buried)) != NULL)
	{
		TAILQ_REMOVE(&server->buried, connection, link);
		connection_free(connection);
	}
}

/* Calls it for each connection, which may be buried by that. */
static void
for_each(Server *server, void (*call)(Connection *, int64_t))
{
	int64_t now = clock_ms();
	Connection *connection = TAILQ_FIRST(&server->connections);

	while (connection != NULL)
	{
		Connection *next = TAILQ_NEXT(connection, link);

		call(connection, now);
		connection = next;
	}
}

/*
 * Ends a connection on which nothing happens.  One that was busy a moment ago is told with
 * its next answer instead, because a request may be on its way.
 */
static void
end_idle(Connection *connection, int64_t now)
{
	char byte;

	if (connection_is_idle(connection) && now - connection->since >= DRAIN_IDLE_MS &&
	    recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		connection_close(connection);
}

static void
on_clock(evutil_socket_t fd, short what, void *argument)
{
	Server *server = argument;

	(void) fd;
	(void) what;
	for_each(server, connection_check_time);
	if (server->is_draining)
		for_each(server, end_idle);
}

bool
server_open(Server *server, struct event_base *base, void (*handle)(Request *))
{
	static const struct timeval second = {1, 0};
	char *places = strdup(settings.listen), *rest = places, *place;
	bool is_open = places != NULL;

	*server = (Server){.base = base, .handle = handle};
	TAILQ_INIT(&server->connections);
	TAILQ_INIT(&server->buried);
	TAILQ_INIT(&server->listeners);
	http_parser_set_max_header_size(settings.header_limit);
	server->burial = event_new(base, -1, 0, on_burial, server);
	server->clock = event_new(base, -1, EV_PERSIST, on_clock, server);
	event_add(server->clock, &second);
	while (is_open && (place = strsep(&rest, ",")) != NULL)
		is_open = open_listener(server, place);
	free(places);
	return is_open;
}

void
server_drain(Server *server)
{
	Listener *listener;

	while ((listener = TAILQ_FIRST(&server->listeners)) != NULL)
	{
		while (!accept_some(listener, ACCEPT_MAX))
			;
		close_listener(listener);
	}
	server->is_draining = true;
	for_each(server, end_idle);
}

void
server_close(Server *server)
{
	Connection *connection;

	while (!TAILQ_EMPTY(&server->listeners))
		close_listener(TAILQ_FIRST(&server->listeners));
	while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
	{
		connection_close(connection);
		if (connection->state != CONNECTION_DEAD)
			connection_end_answer(connection);
	}
	on_burial(-1, 0, server);
	event_free(server->burial);
	event_free(server->clock);
}
