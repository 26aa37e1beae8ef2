/*
 * flagsmith-api: HTTP in, one SQL call, HTTP out.
 *
 * Wiring only: settings, signals, the event loop, and the order in which things end.
 */
#include "analytics.h"
#include "clock.h"
#include "database.h"
#include "log.h"
#include "route.h"
#include "server.h"
#include "settings.h"
#include "sse.h"
#include "usage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors beyond those of clients: databases, listeners, the log, epoll. */
#define OTHER_FILES 160

/* What was accepted gets this long when the program ends; then counts get as long. */
#define DRAIN_MS 5000
#define DRAIN_TICK_US 50000

static struct event_base *base;
static Server server;
static struct event *drain_event;
static int64_t drain_started;

/* Takes all descriptors that are allowed, and no more clients than those suffice for. */
static void
raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur != RLIM_INFINITY &&
	    files.rlim_cur < (rlim_t) settings.client_limit + OTHER_FILES)
	{
		char text[24];

		settings.client_limit =
			files.rlim_cur > 2 * OTHER_FILES ? files.rlim_cur - OTHER_FILES : OTHER_FILES;
		snprintf(text, sizeof(text), "%d", settings.client_limit);
		log_event("warning", "fewer_connections", "client_limit", text, "reason",
		          "limit of open files", NULL);
	}
}

/* First the requests, then the counts that they have brought, then the end. */
static void
on_drain(evutil_socket_t fd, short what, void *argument)
{
	int64_t waited = clock_ms() - drain_started;
	bool is_told;

	(void) fd;
	(void) what;
	(void) argument;
	if (server.count > 0 && waited < DRAIN_MS)
		return;
	analytics_flush();
	is_told = usage_end();
	if ((analytics_is_empty() && is_told) || waited >= 2 * DRAIN_MS)
		event_base_loopbreak(base);
}

static void
on_end_signal(evutil_socket_t number, short what, void *argument)
{
	static const struct timeval interval = {0, DRAIN_TICK_US};

	(void) number;
	(void) what;
	(void) argument;
	if (drain_started != 0)
	{
		event_base_loopbreak(base); /* asked twice */
		return;
	}
	log_event("info", "draining", NULL);
	drain_started = clock_ms();
	server_drain(&server);
	sse_end_all();
	event_add(drain_event, &interval);
}

static void
on_renew_signal(evutil_socket_t number, short what, void *argument)
{
	(void) number;
	(void) what;
	(void) argument;
	log_reopen();
	log_event("info", "renewing", NULL);
	database_renew();
}

int
main(int argc, char **argv)
{
	struct event *signals[3];

	settings_read(argc, argv);
	if (!log_open(settings.log_file))
	{
		perror(settings.log_file);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_limits();

	base = event_base_new();
	if (base == NULL)
		return 1;
	signals[0] = evsignal_new(base, SIGTERM, on_end_signal, NULL);
	signals[1] = evsignal_new(base, SIGINT, on_end_signal, NULL);
	signals[2] = evsignal_new(base, SIGHUP, on_renew_signal, NULL);
	drain_event = event_new(base, -1, EV_PERSIST, on_drain, NULL);
	for (int i = 0; i < 3; i++)
		event_add(signals[i], NULL);

	if (!database_open(base))
		return 1;
	sse_open(base);
	analytics_open(base);
	usage_open(base);
	if (!server_open(&server, base, route_request))
		return 1;
	event_base_dispatch(base);

	/* requests that are still under way are told before their connections are closed */
	database_close();
	server_close(&server);
	analytics_close();
	usage_close();
	sse_close();
	for (int i = 0; i < 3; i++)
		event_free(signals[i]);
	event_free(drain_event);
	event_base_free(base);
	log_event("info", "ended", NULL);
	return 0;
}
