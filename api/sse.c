/*
 * Streams of events.
 *
 * A stream begins with the time of the last change, so that a client that was away learns
 * what it missed.  Whatever happens it goes on with comments: some clients come back
 * without any pause when a stream ends or fails.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "sse.h"

#define KEEP_ALIVE_SECONDS 15

typedef struct Stream
{
	struct evhttp_request *request;
	char *key;
	double updated_at; /* what the client knows; 0: nothing yet */
	int age, quiet;    /* seconds since the beginning, and since the last bytes */
	struct Stream *next;
} Stream;

static Stream *streams = NULL;
static int nstreams = 0;

static void
send_text(Stream *stream, const char *text)
{
	struct evbuffer *chunk = evbuffer_new();

	evbuffer_add(chunk, text, strlen(text));
	evhttp_send_reply_chunk(stream->request, chunk);
	evbuffer_free(chunk);
	stream->quiet = 0;
}

static void
forget(Stream *stream)
{
	Stream **place = &streams;

	while (*place != stream)
		place = &(*place)->next;
	*place = stream->next;
	nstreams--;
	free(stream->key);
	free(stream);
}

static void
on_gone(struct evhttp_connection *connection, void *argument)
{
	(void) connection;
	forget(argument);
}

static void
end_stream(Stream *stream)
{
	struct evhttp_request *request = stream->request;

	evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
	forget(stream);
	evhttp_send_reply_end(request);
}

/* A row of environments_updated_at(): tells the streams that do not know. */
static void
on_row(void *argument, const char *key, const char *updated_at)
{
	double moment = strtod(updated_at, NULL);
	char event[128];

	(void) argument;
	/* with a decimal point, which one client needs */
	snprintf(event, sizeof(event),
	         "event: environment_updated\ndata: {\"updated_at\": %.6f}\n\n", moment);
	for (Stream *stream = streams; stream != NULL; stream = stream->next)
		if (strcmp(stream->key, key) == 0 && stream->updated_at < moment)
		{
			stream->updated_at = moment;
			send_text(stream, event);
		}
}

static void
on_end(void *argument, bool succeeded)
{
	(void) argument;
	(void) succeeded;
}

/* The keys that are watched, each once, as the literal of an array. */
static char *
make_keys(void)
{
	json_t *keys = json_object();
	struct evbuffer *literal = evbuffer_new();
	const char *key;
	json_t *value;
	char *text;
	size_t length;

	for (Stream *stream = streams; stream != NULL; stream = stream->next)
		json_object_set_new(keys, stream->key, json_true());
	evbuffer_add(literal, "{", 1);
	json_object_foreach(keys, key, value) evbuffer_add_printf(
		literal, "%s\"%s\"", evbuffer_get_length(literal) > 1 ? "," : "", key);
	evbuffer_add(literal, "}", 2);
	length = evbuffer_get_length(literal);
	text = malloc(length);
	evbuffer_copyout(literal, text, length);
	evbuffer_free(literal);
	json_decref(keys);
	return text;
}

static void
ask(Instance *instance)
{
	char *keys = make_keys();

	pool_query(instance->reads,
	           "SELECT environment_key, updated_at FROM"
	           " flagsmith.environments_updated_at($1::pg_catalog.text[])",
	           keys, on_row, on_end, NULL);
	free(keys);
}

static void
on_second(evutil_socket_t fd, short what, void *argument)
{
	Instance *instance = argument;
	Stream *stream, *next;

	(void) fd;
	(void) what;
	for (stream = streams; stream != NULL; stream = next)
	{
		next = stream->next;
		stream->age++;
		if (instance->settings.stream_seconds > 0 &&
		    stream->age >= instance->settings.stream_seconds)
			end_stream(stream);
		else if (++stream->quiet >= KEEP_ALIVE_SECONDS)
			send_text(stream, ": keep-alive\n\n");
	}
	if (streams != NULL)
		ask(instance);
}

void
sse_begin(Instance *instance)
{
	struct timeval second = {1, 0};
	struct event *timer = event_new(instance->base, -1, EV_PERSIST, on_second, instance);

	event_add(timer, &second);
}

/* The key of /sse/environments/KEY/stream; NULL if the target is another. */
static char *
find_key(const char *target)
{
	static const char start[] = "/sse/environments/", end[] = "/stream";
	size_t length = strcspn(target, "?"), before = sizeof(start) - 1;
	size_t after = sizeof(end) - 1;

	if (length > 0 && target[length - 1] == '/')
		length--;
	if (length <= before + after || memcmp(target, start, before) != 0 ||
	    memcmp(target + length - after, end, after) != 0)
		return NULL;
	length -= before + after;
	/* no key has such characters, and the literal of an array is easier without */
	if (memchr(target + before, '"', length) != NULL ||
	    memchr(target + before, '\\', length) != NULL)
		return strdup("");
	return strndup(target + before, length);
}

bool
sse_serve(Instance *instance, struct evhttp_request *request, const char *target)
{
	char *key = find_key(target);
	Stream *stream;

	if (key == NULL)
		return false;
	stream = calloc(1, sizeof(Stream));
	*stream = (Stream){.request = request, .key = key, .next = streams};
	streams = stream;
	nstreams++;
	http_add_cors(request);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
	                  "text/event-stream");
	evhttp_add_header(evhttp_request_get_output_headers(request), "Cache-Control",
	                  "no-cache");
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_gone,
	                              stream);
	evhttp_send_reply_start(request, 200, NULL);
	send_text(stream, ": connected\n\n");
	ask(instance);
	return true;
}

int
sse_count(void)
{
	return nstreams;
}

void
sse_end(void)
{
	while (streams != NULL)
		end_stream(streams);
}
