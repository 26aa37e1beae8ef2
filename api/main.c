/*
 * flagsmith-api: a pipe from HTTP to a PostgreSQL with the extension flagsmith.
 *
 * One event loop serves all clients and a few connections to the database; nothing in it
 * blocks.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "http.h"
#include "log.h"
#include "sse.h"

/* How long accepted requests may take after SIGTERM. */
#define DRAIN_SECONDS 10

typedef struct Program
{
	Instance instance;
	struct evhttp_bound_socket *socket;
	int drained_for; /* tenths of a second */
} Program;

/* While the instance drains: ends when all is answered. */
static void
on_drain(evutil_socket_t fd, short what, void *argument)
{
	Program *program = argument;

	(void) fd;
	(void) what;
	if (program->instance.open_requests == 0 ||
	    ++program->drained_for > DRAIN_SECONDS * 10)
		event_base_loopbreak(program->instance.base);
}

static void
on_terminate(evutil_socket_t fd, short what, void *argument)
{
	Program *program = argument;
	struct timeval tenth = {0, 100000};

	(void) fd;
	(void) what;
	if (program->instance.draining)
		return;
	program->instance.draining = true;
	log_event("draining", ",\"open_requests\":%d", program->instance.open_requests);
	evhttp_del_accept_socket(program->instance.http, program->socket);
	sse_end();
	event_add(event_new(program->instance.base, -1, EV_PERSIST, on_drain, program),
	          &tenth);
}

static Pool *
create_pool(Instance *instance, const char *name, const char *target, int connections)
{
	PoolSettings settings = {.name = name,
	                         .target = target,
	                         .connections = connections,
	                         .batch = instance->settings.batch,
	                         .queue = instance->settings.queue,
	                         .timeout = instance->settings.timeout};

	return pool_create(instance->base, &settings);
}

static int
bound_port(struct evhttp_bound_socket *socket)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *) &address,
	            &length);
	return address.ss_family == AF_INET6
	           ? ntohs(((struct sockaddr_in6 *) &address)->sin6_port)
	           : ntohs(((struct sockaddr_in *) &address)->sin_port);
}

/* A descriptor for each client: as many as the system lets us have. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	Program program = {0};
	Instance *instance = &program.instance;
	const Settings *settings = &instance->settings;
	const char *replica;

	settings_read(&instance->settings, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	instance->base = event_base_new();
	instance->http = evhttp_new(instance->base);
	program.socket = evhttp_bind_socket_with_handle(instance->http, settings->listen,
	                                                (ev_uint16_t) settings->port);
	if (program.socket == NULL)
	{
		log_event("cannot_listen", ",\"port\":%d", settings->port);
		return 1;
	}
	replica = settings->replica != NULL ? settings->replica : settings->database;
	instance->reads = create_pool(instance, "read", replica, settings->read_connections);
	instance->writes =
		create_pool(instance, "write", settings->database, settings->write_connections);
	http_serve(instance);
	sse_begin(instance);
	event_add(evsignal_new(instance->base, SIGTERM, on_terminate, &program), NULL);
	event_add(evsignal_new(instance->base, SIGINT, on_terminate, &program), NULL);
	log_event("listening", ",\"port\":%d", bound_port(program.socket));
	event_base_dispatch(instance->base);
	log_event("ended", ",\"requests\":%llu", instance->requests);
	return 0;
}
