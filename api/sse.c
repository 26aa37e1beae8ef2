/*
 * One query a second for all environments that anybody watches, over a connection of the
 * reads: where SDKs will read the change, and through pgbouncer, which passes on no NOTIFY.
 */
#include "sse.h"

#include "array.h"
#include "clock.h"
#include "connection.h"
#include "database.h"
#include "metrics.h"
#include "pool.h"
#include "reply.h"
#include "settings.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 1000

/* How soon the first stream of an environment is greeted. */
#define FIRST_POLL_MS 20
#define GREETING ": connected\n\n"
#define COMMENT ": keep-alive\n\n"
#define COMMENT_MS 15000

/* What is longer is no key: held, but not asked for. */
#define KEY_MAX 256

/* An environment that is watched. */
typedef struct Watch
{
	char *key;
	bool is_known; /* updated_at is */
	double updated_at;
	TAILQ_HEAD(, Stream) streams;
} Watch;

typedef struct Stream
{
	TAILQ_ENTRY(Stream) of_watch;
	TAILQ_ENTRY(Stream) of_all;
	Request *request;
	Watch *watch; /* NULL: none that could exist */
	int64_t started;
	int64_t commented;
} Stream;

static void on_result(Statement *statement, StatementOutcome outcome,
                      const PGresult *result);

static struct event *clock_event, *poll_event;
static TAILQ_HEAD(, Stream) streams = TAILQ_HEAD_INITIALIZER(streams);
static void *watches; /* a tree, by key */
static bool is_polling;
static Buffer keys; /* parameter of the query */
static Statement query = {
	.name = "flagsmith_changes",
	.sql =
		"SELECT environment_key, updated_at FROM flagsmith.environments_updated_at($1)",
	.count = 1,
	.types = {TEXT_ARRAY_TYPE},
	.done = on_result,
};

/* ---- watches ---- */

static int
compare(const void *left, const void *right)
{
	return strcmp(((const Watch *) left)->key, ((const Watch *) right)->key);
}

static Watch *
find_watch(const char *key)
{
	Watch **found = tfind(&(Watch){.key = (char *) key}, &watches, compare);

	return found != NULL ? *found : NULL;
}

/* Returns the watch of a key, a new one if need be; NULL without memory. */
static Watch *
make_watch(const char *key)
{
	Watch *watch = find_watch(key);

	if (watch != NULL)
		return watch;
	watch = calloc(1, sizeof(Watch));
	if (watch == NULL || (watch->key = strdup(key)) == NULL ||
	    tsearch(watch, &watches, compare) == NULL)
	{
		if (watch != NULL)
			free(watch->key);
		free(watch);
		return NULL;
	}
	TAILQ_INIT(&watch->streams);
	metrics.watched_environments++;
	return watch;
}

static void
drop_watch(Watch *watch)
{
	tdelete(watch, &watches, compare);
	free(watch->key);
	free(watch);
	metrics.watched_environments--;
}

/* ---- streams ---- */

static void
forget(Stream *stream)
{
	Watch *watch = stream->watch;

	TAILQ_REMOVE(&streams, stream, of_all);
	if (watch != NULL)
	{
		TAILQ_REMOVE(&watch->streams, stream, of_watch);
		if (TAILQ_EMPTY(&watch->streams))
			drop_watch(watch);
	}
	free(stream);
	metrics.streams--;
}

static void
on_lost(void *argument)
{
	forget(argument);
}

static void
end(Stream *stream)
{
	Request *request = stream->request;

	forget(stream);
	reply_end_stream(request);
}

/* Tells when the environment last changed; there is always a decimal point. */
static void
tell(Stream *stream)
{
	char event[96];

	snprintf(event, sizeof(event),
	         "event: environment_updated\ndata: {\"updated_at\": %.6f}\n\n",
	         stream->watch->updated_at);
	metrics.stream_events++;
	stream->commented = clock_ms();
	reply_continue_stream(stream->request, event);
}

static void
poll_within(int64_t milliseconds)
{
	struct timeval interval = {milliseconds / 1000, milliseconds % 1000 * 1000};

	if (!is_polling)
		evtimer_add(poll_event, &interval);
}

static Stream *
make_stream(Request *request, const char *key, size_t length)
{
	Stream *stream = calloc(1, sizeof(Stream));
	char name[KEY_MAX + 1];

	if (stream == NULL)
		return NULL;
	stream->request = request;
	stream->started = stream->commented = clock_ms();
	if (length <= KEY_MAX)
	{
		memcpy(name, key, length);
		name[length] = '\0';
		stream->watch = make_watch(name);
	}
	if (stream->watch != NULL)
		TAILQ_INSERT_TAIL(&stream->watch->streams, stream, of_watch);
	TAILQ_INSERT_TAIL(&streams, stream, of_all);
	metrics.streams++;
	return stream;
}

void
sse_answer(Request *request, const char *key, size_t length)
{
	Stream *stream = make_stream(request, key, length);
	struct Connection *connection = request->connection;

	if (stream == NULL)
	{
		reply_error(request, 503, "Too many requests are under way.");
		return;
	}
	/* a loss while these are sent is told before anything else is */
	connection_stream(connection, on_lost, stream);
	reply_begin_stream(request);
	if (connection->state == CONNECTION_STREAMING)
		reply_continue_stream(request, GREETING);
	if (connection->state != CONNECTION_STREAMING || stream->watch == NULL)
		return;
	if (stream->watch->is_known)
		tell(stream);
	else
		poll_within(FIRST_POLL_MS);
}

void
sse_end_all(void)
{
	Stream *stream = TAILQ_FIRST(&streams);

	while (stream != NULL)
	{
		Stream *next = TAILQ_NEXT(stream, of_all);

		end(stream);
		stream = next;
	}
}

/* Comments, and the end of those that have lasted long enough. */
static void
on_clock(evutil_socket_t fd, short what, void *argument)
{
	int64_t now = clock_ms(), most = (int64_t) settings.stream_seconds * 1000;
	Stream *stream = TAILQ_FIRST(&streams);

	(void) fd;
	(void) what;
	(void) argument;
	while (stream != NULL)
	{
		Stream *next = TAILQ_NEXT(stream, of_all);

		if (most > 0 && now - stream->started >= most)
			end(stream);
		else if (now - stream->commented >= COMMENT_MS)
		{
			stream->commented = now;
			reply_continue_stream(stream->request, COMMENT);
		}
		stream = next;
	}
}

/* ---- the query ---- */

static uint32_t watch_count;
static bool is_written;

static void
count_watch(const void *node, VISIT visit, int depth)
{
	(void) node;
	(void) depth;
	watch_count += visit == postorder || visit == leaf;
}

static void
write_watch(const void *node, VISIT visit, int depth)
{
	const Watch *watch = *(Watch *const *) node;

	(void) depth;
	if (visit == postorder || visit == leaf)
		is_written = is_written && array_add_text(&keys, watch->key, strlen(watch->key));
}

static void
on_poll(evutil_socket_t fd, short what, void *argument)
{
	(void) fd;
	(void) what;
	(void) argument;
	watch_count = 0;
	twalk(watches, count_watch);
	if (watch_count == 0)
		return;
	keys.length = 0;
	is_written = array_begin(&keys, TEXT_TYPE, watch_count);
	twalk(watches, write_watch);
	if (!is_written)
	{
		poll_within(POLL_MS);
		return;
	}
	is_polling = true;
	query.values[0] = keys.data;
	query.lengths[0] = keys.length;
	query.deadline = clock_ms() + settings.timeout;
	pool_queue(database_read_pool(), &query);
}

static double
read_double(const char *data)
{
	uint64_t bits = 0;
	double value;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | (unsigned char) data[i];
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void
note_change(Watch *watch, double updated_at)
{
	Stream *stream = TAILQ_FIRST(&watch->streams);

	if (watch->is_known && watch->updated_at == updated_at)
		return;
	watch->is_known = true;
	watch->updated_at = updated_at;
	while (stream != NULL)
	{
		/* the last stream that is lost takes the watch with it */
		Stream *next = TAILQ_NEXT(stream, of_watch);

		tell(stream);
		stream = next;
	}
}

static void
on_result(Statement *statement, StatementOutcome outcome, const PGresult *result)
{
	(void) statement;
	is_polling = false;
	for (int row = 0; outcome == STATEMENT_DONE && row < PQntuples(result); row++)
	{
		Watch *watch = find_watch(PQgetvalue(result, row, 0));

		if (watch != NULL && !PQgetisnull(result, row, 1))
			note_change(watch, read_double(PQgetvalue(result, row, 1)));
	}
	poll_within(POLL_MS);
}

/* ---- opening and closing ---- */

void
sse_open(struct event_base *base)
{
	static const struct timeval second = {1, 0};

	clock_event = event_new(base, -1, EV_PERSIST, on_clock, NULL);
	event_add(clock_event, &second);
	poll_event = evtimer_new(base, on_poll, NULL);
}

void
sse_close(void)
{
	event_free(clock_event);
	event_free(poll_event);
	buffer_free(&keys);
}
