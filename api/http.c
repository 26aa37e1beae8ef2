/*
 * HTTP.
 *
 * Most requests are handed to the database as they are.  What can be said without it is:
 * preflights, health, metrics, methods and sizes that are not taken.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include <event2/buffer.h>

#include "http.h"
#include "log.h"
#include "sse.h"

/* Smaller bodies are not worth compressing. */
#define GZIP_FROM 1000

/* The headers that http_get() and http_post() read. */
static const char *const passed[] = {
	"x-environment-key",
	"x-api-key",
	"authorization",
	"content-type",
	"if-none-match",
	"if-modified-since",
	"user-agent",
	"flagsmith-sdk-user-agent",
	"flagsmith-application-name",
	"flagsmith-application-version",
};

/* A request that waits for the database. */
typedef struct Waiting
{
	Instance *instance;
	struct evhttp_request *request; /* NULL: the client has gone */
	bool head;
} Waiting;

static const char *
header(struct evhttp_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request), name);
}

static void
add(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

void
http_add_cors(struct evhttp_request *request)
{
	add(request, "Access-Control-Allow-Origin", "*");
	add(request, "Access-Control-Expose-Headers",
	    "x-flagsmith-document-updated-at, etag, retry-after, link");
}

/* Compresses the body; false if that did not work. */
static bool
compress_body(struct evbuffer *to, const char *body, size_t length)
{
	struct evbuffer_iovec room;
	z_stream stream = {.next_in = (unsigned char *) body, .avail_in = (uInt) length};
	bool done;

	/* 16: with a gzip header; the fastest level, flags compress well */
	if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	if (evbuffer_reserve_space(to, deflateBound(&stream, length), &room, 1) != 1)
	{
		deflateEnd(&stream);
		return false;
	}
	stream.next_out = room.iov_base;
	stream.avail_out = (uInt) room.iov_len;
	done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
	room.iov_len = done ? stream.total_out : 0;
	evbuffer_commit_space(to, &room, 1);
	deflateEnd(&stream);
	return done;
}

static bool
accepts_gzip(struct evhttp_request *request)
{
	const char *accepted = header(request, "Accept-Encoding");

	return accepted != NULL && strstr(accepted, "gzip") != NULL &&
	       strstr(accepted, "gzip;q=0") == NULL;
}

/* Sends the answer; its own headers have been added. */
static void
reply(struct evhttp_request *request, int status, const char *body, size_t length,
      bool head)
{
	struct evbuffer *buffer = evhttp_request_get_output_buffer(request);
	char number[32];

	http_add_cors(request);
	if (length >= GZIP_FROM && !head && accepts_gzip(request) &&
	    compress_body(buffer, body, length))
		add(request, "Content-Encoding", "gzip");
	else if (!head)
		evbuffer_add(buffer, body, length);
	if (status != 204 && status != 304)
	{
		snprintf(number, sizeof(number), "%zu",
		         head ? length : evbuffer_get_length(buffer));
		add(request, "Content-Length", number);
	}
	evhttp_send_reply(request, status, NULL, NULL);
}

static void
reply_own(struct evhttp_request *request, int status, const char *type, const char *body)
{
	add(request, "Content-Type", type);
	add(request, "Cache-Control", "no-store");
	add(request, "Vary", "Accept-Encoding, Origin");
	reply(request, status, body, strlen(body),
	      evhttp_request_get_command(request) == EVHTTP_REQ_HEAD);
}

static void
reply_error(struct evhttp_request *request, int status, const char *detail)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"detail\":\"%s\"}", detail);
	reply_own(request, status, "application/json", body);
}

/* Adds the headers that the database gives. */
static void
add_headers(struct evhttp_request *request, const char *text)
{
	json_t *headers = json_loads(text, 0, NULL), *value;
	const char *name;

	json_object_foreach(headers, name, value) if (json_is_string(value))
		add(request, name, json_string_value(value));
	json_decref(headers);
}

static void
on_gone(struct evhttp_connection *connection, void *argument)
{
	Waiting *waiting = argument;

	(void) connection;
	waiting->request = NULL;
}

/* The database has answered, or will not. */
static void
on_answer(Call *call, int status, const char *headers, const char *body, size_t length)
{
	Waiting *waiting = call->owner;
	struct evhttp_request *request = waiting->request;

	waiting->instance->open_requests--;
	if (request != NULL)
	{
		evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
		if (waiting->instance->draining)
			add(request, "Connection", "close");
		if (status == 0)
		{
			waiting->instance->failures++;
			reply_error(request, 503, "The database is not available.");
		}
		else
		{
			add_headers(request, headers);
			reply(request, status, body, length, waiting->head);
		}
	}
	free(waiting);
}

/* The request's headers as a JSON object. */
static char *
make_headers(struct evhttp_request *request)
{
	json_t *headers = json_object();
	char *text;

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
	{
		const char *value = header(request, passed[i]);

		/* what is no UTF-8 is left out */
		if (value != NULL)
			json_object_set_new(headers, passed[i], json_string(value));
	}
	text = json_dumps(headers, JSON_COMPACT);
	json_decref(headers);
	return text;
}

/* Whether the bytes are UTF-8 without NUL, which is all that PostgreSQL takes. */
static bool
is_text(const char *bytes, size_t length)
{
	json_t *text = json_stringn(bytes, length);
	bool valid = text != NULL && memchr(bytes, '\0', length) == NULL;

	json_decref(text);
	return valid;
}

static bool
ends_with(const char *path, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length >= size && memcmp(path + length - size, end, size) == 0;
}

/* Which function answers: 'G' http_get, 'P' http_post, 0 none. */
static char
find_function(struct evhttp_request *request, const char *target)
{
	size_t length = strcspn(target, "?");

	switch (evhttp_request_get_command(request))
	{
		case EVHTTP_REQ_GET:
		case EVHTTP_REQ_HEAD:
			return 'G';
		case EVHTTP_REQ_POST:
			return 'P';
		case EVHTTP_REQ_PUT:
			return ends_with(target, length, "/traits/bulk") ||
			               ends_with(target, length, "/traits/bulk/")
			           ? 'P'
			           : 0;
		default:
			return 0;
	}
}

static char *
copy_body(struct evhttp_request *request, size_t *length)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	char *body;

	*length = evbuffer_get_length(input);
	body = malloc(*length + 1);
	evbuffer_copyout(input, body, *length);
	body[*length] = '\0';
	return body;
}

/* Hands the request to the database. */
static void
pass(Instance *instance, struct evhttp_request *request, const char *target, bool post)
{
	Waiting *waiting = malloc(sizeof(Waiting));
	Call *call = calloc(1, sizeof(Call));
	size_t length = 0;

	if (post)
		call->body = copy_body(request, &length);
	if (post && !is_text(call->body, length))
	{
		free(call->body);
		free(call);
		free(waiting);
		reply_error(request, 400, "JSON parse error - the body is not UTF-8");
		return;
	}
	*waiting = (Waiting){instance, request,
	                     evhttp_request_get_command(request) == EVHTTP_REQ_HEAD};
	call->target = strdup(target);
	call->headers = make_headers(request);
	call->repeatable = strstr(target, "/analytics/") == NULL &&
	                   strstr(target, "/increment-value") == NULL;
	call->done = on_answer;
	call->owner = waiting;
	instance->open_requests++;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_gone,
	                              waiting);
	pool_send(post ? instance->writes : instance->reads, call);
}

/* A preflight: any header that the page wants to send may be sent. */
static void
reply_options(struct evhttp_request *request)
{
	const char *wanted = header(request, "Access-Control-Request-Headers");

	add(request, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, OPTIONS");
	if (wanted != NULL)
		add(request, "Access-Control-Allow-Headers", wanted);
	add(request, "Access-Control-Max-Age", "86400");
	add(request, "Cache-Control", "no-store");
	add(request, "Vary", "Origin, Access-Control-Request-Headers");
	reply(request, 204, "", 0, false);
}

static bool
is_path(const char *target, const char *path)
{
	size_t length = strcspn(target, "?");

	if (length > 1 && target[length - 1] == '/')
		length--;
	return length == strlen(path) && memcmp(target, path, length) == 0;
}

static void
reply_metrics(Instance *instance, struct evhttp_request *request)
{
	char text[1024];

	snprintf(
		text, sizeof(text),
		"# HELP flagsmith_requests_total Requests that came in.\n"
		"# TYPE flagsmith_requests_total counter\n"
		"flagsmith_requests_total %llu\n"
		"# HELP flagsmith_failures_total Requests that the database did not answer.\n"
		"# TYPE flagsmith_failures_total counter\n"
		"flagsmith_failures_total %llu\n"
		"# HELP flagsmith_open_requests Requests that wait for the database.\n"
		"# TYPE flagsmith_open_requests gauge\n"
		"flagsmith_open_requests %d\n"
		"# HELP flagsmith_streams Open streams of events.\n"
		"# TYPE flagsmith_streams gauge\n"
		"flagsmith_streams %d\n"
		"# HELP flagsmith_database_up Whether a connection is open.\n"
		"# TYPE flagsmith_database_up gauge\n"
		"flagsmith_database_up{pool=\"read\"} %d\n"
		"flagsmith_database_up{pool=\"write\"} %d\n",
		instance->requests, instance->failures, instance->open_requests, sse_count(),
		pool_is_up(instance->reads), pool_is_up(instance->writes));
	reply_own(request, 200, "text/plain; version=0.0.4", text);
}

/* Answers what needs no database; false if it does. */
static bool
reply_at_once(Instance *instance, struct evhttp_request *request, const char *target)
{
	bool up = pool_is_up(instance->reads) && pool_is_up(instance->writes);

	if (is_path(target, "/health") || is_path(target, "/proxy/health") ||
	    is_path(target, "/health/readiness") ||
	    is_path(target, "/proxy/health/readiness"))
		reply_own(
			request, up && !instance->draining ? 200 : 503, "application/json",
			up ? "{\"status\":\"ok\"}"
			   : "{\"status\":\"error\",\"reason\":\"the database is not available\"}");
	else if (is_path(target, "/health/liveness") ||
	         is_path(target, "/proxy/health/liveness"))
		reply_own(request, 200, "application/json", "{\"status\":\"ok\"}");
	else if (is_path(target, "/metrics"))
		reply_metrics(instance, request);
	else
		return false;
	return true;
}

static void
on_request(struct evhttp_request *request, void *argument)
{
	Instance *instance = argument;
	const char *target = evhttp_request_get_uri(request);
	char function;

	instance->requests++;
	/* requests that go through a proxy may have an absolute target */
	if (target[0] != '/')
		target = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	while (target[0] == '/' && target[1] == '/')
		target++;
	if (evhttp_request_get_command(request) == EVHTTP_REQ_OPTIONS)
	{
		reply_options(request);
		return;
	}
	function = find_function(request, target);
	if (function == 0)
		reply_error(request, 405, "Method not allowed.");
	else if (!is_text(target, strlen(target)))
		reply_error(request, 400, "The target is not UTF-8.");
	else if (function == 'G' && reply_at_once(instance, request, target))
		return;
	else if (function == 'G' && sse_serve(instance, request, target))
		return;
	else
		pass(instance, request, target, function == 'P');
}

void
http_serve(Instance *instance)
{
	evhttp_set_allowed_methods(instance->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
	                                               EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
	                                               EVHTTP_REQ_DELETE |
	                                               EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(instance->http, 64 * 1024);
	evhttp_set_max_body_size(instance->http, instance->settings.body_limit);
	/* longer than SDKs wait between two polls */
	evhttp_set_timeout(instance->http, 75);
	evhttp_set_default_content_type(instance->http, NULL);
	evhttp_set_gencb(instance->http, on_request, instance);
}
