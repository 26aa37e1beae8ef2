/*
 * Routing.  What the paths of the two APIs mean is the database's business; all that is
 * known of them here is which function takes which method, and which POSTs count things.
 */
#include "route.h"

#include "analytics.h"
#include "clock.h"
#include "database.h"
#include "health.h"
#include "metrics.h"
#include "reply.h"
#include "settings.h"
#include "sse.h"
#include "text.h"
#include "usage.h"

#include <stdio.h>
#include <string.h>

#define ANALYTICS "/api/v1/analytics/flags"
#define ANALYTICS_V2 "/api/v2/analytics/flags"
#define INCREMENT "/api/v1/traits/increment-value"
#define BULK "/api/v1/traits/bulk"
#define DOCUMENT "/api/v1/environment-document"
#define STREAM "/sse/environments/"
#define STREAM_END "/stream"

static void answer_metrics(Request *request);

/* The program's own, each with and without a slash at its end. */
static const struct
{
	const char *path;
	void (*answer)(Request *);
} own[] = {
	{"/health", health_answer},
	{"/health/liveness", health_answer_liveness},
	{"/health/readiness", health_answer},
	{"/proxy/health", health_answer},
	{"/proxy/health/liveness", health_answer_liveness},
	{"/proxy/health/readiness", health_answer},
	{"/metrics", answer_metrics},
};

static bool
is_method(const Request *request, const char *method)
{
	return strcmp(request->method, method) == 0;
}

static bool
starts_with(Piece text, const char *start)
{
	return text.length >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* Whether it is this path, with or without a slash at its end. */
static bool
is_path(Piece path, const char *wanted)
{
	size_t length = strlen(wanted);

	return starts_with(path, wanted) &&
	       (path.length == length ||
	        (path.length == length + 1 && path.data[length] == '/'));
}

static void
answer_metrics(Request *request)
{
	Buffer text = {0};

	metrics_write(&text);
	reply_text(request, "text/plain; version=0.0.4", text.data, text.length);
	buffer_free(&text);
}

/* ---- to the database ---- */

static void
pass_on(Request *request, const Answer *answer)
{
	Piece resource;
	Lines lines = headers_from_json(answer->headers, answer->headers_length, &resource);

	analytics_note_answer(request, answer->status);
	usage_count(request, resource);
	reply_send(request, answer->status, lines, answer->body, answer->body_length);
}

static void
on_answer(Job *job, const Answer *answer)
{
	Request *request = (Request *) ((char *) job - offsetof(Request, job));

	switch (answer->outcome)
	{
		case JOB_ANSWERED:
			pass_on(request, answer);
			break;
		case JOB_AWAY:
			reply_error(request, 503, "The database is away.");
			break;
		case JOB_FULL:
			reply_error(request, 503, "Too many requests are waiting.");
			break;
		case JOB_FAILED:
			reply_error(request, 500, "The database could not answer this.");
			break;
		case JOB_LATE:
			reply_error(request, 500, "The database took too long.");
			break;
		case JOB_LOST:
			reply_error(request, 500, "The connection to the database was lost.");
			break;
	}
}

static Piece
piece(const Request *request, Span span)
{
	return (Piece){request_text(request, span), span.length};
}

/* Adds the headers to the request's own text, where they stay as long as it. */
static bool
keep_headers(Request *request, Span *headers)
{
	static Buffer json;

	json.length = 0;
	headers->start = request->text.length;
	if (!request_write_headers(request, HEADERS_FOR_DATABASE, &json) ||
	    !buffer_append(&request->text, json.data, json.length))
		return false;
	headers->length = json.length;
	return true;
}

static void
ask_database(Request *request, Piece path, bool is_post)
{
	Job *job = &request->job;
	Span headers;

	job->is_post = is_post;
	job->is_repeatable =
		!is_post || (!is_path(path, ANALYTICS) && !is_path(path, ANALYTICS_V2) &&
	                 !is_path(path, INCREMENT));
	/* large: it would hold up the others */
	job->is_alone = is_path(path, DOCUMENT);
	job->deadline = request->completed + settings.timeout;
	job->done = on_answer;
	if (!keep_headers(request, &headers))
	{
		reply_error(request, 503, "Too many requests are under way.");
		return;
	}
	job->target = piece(request, request->target);
	job->headers = piece(request, headers);
	job->body = (Piece){request->body.data, request->body.length};
	database_submit(job);
}

static void
answer_api(Request *request, Piece path)
{
	bool is_post =
		is_method(request, "POST") || (is_method(request, "PUT") && is_path(path, BULK));

	if (!is_post && !is_method(request, "GET") && !is_method(request, "HEAD"))
		reply_method_not_allowed(request);
	else if (is_post && !text_is_valid(request->body.data, request->body.length))
		reply_error(request, 400, "JSON parse error - the body is not UTF-8.");
	else if (!(is_post && is_path(path, ANALYTICS) && analytics_take(request)))
		ask_database(request, path, is_post);
}

/* ---- the program's own ---- */

/* Answers the stream of a path; false if it is none. */
static bool
answer_stream(Request *request, Piece path)
{
	size_t start = strlen(STREAM), end = strlen(STREAM_END);

	if (path.length > 0 && path.data[path.length - 1] == '/')
		path.length--;
	if (!starts_with(path, STREAM) || path.length <= start + end ||
	    memcmp(path.data + path.length - end, STREAM_END, end) != 0)
		return false;
	path.data += start;
	path.length -= start + end;
	if (memchr(path.data, '/', path.length) != NULL)
		return false;
	if (is_method(request, "GET"))
		sse_answer(request, path.data, path.length);
	else
		reply_method_not_allowed(request);
	return true;
}

static void
answer_own(Request *request, Piece path)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
	{
		if (!is_path(path, own[i].path))
			continue;
		if (is_method(request, "GET") || is_method(request, "HEAD"))
			own[i].answer(request);
		else
			reply_method_not_allowed(request);
		return;
	}
	if (!answer_stream(request, path))
		reply_error(request, 404, "Not found.");
}

/* Makes the target a path: without scheme and host, with one slash at its start. */
static void
normalize_target(Request *request)
{
	Span *target = &request->target;
	const char *text = request_text(request, *target);
	const char *end = text + target->length, *at = text;
	const char *scheme = memmem(text, target->length, "://", 3);

	if (*at != '/' && scheme != NULL)
	{
		at = memchr(scheme + 3, '/', end - scheme - 3);
		at = at != NULL ? at : end;
	}
	while (end - at > 1 && at[0] == '/' && at[1] == '/')
		at++;
	target->start += at - text;
	target->length -= at - text;
}

void
route_request(Request *request)
{
	Piece path;
	const char *query;

	normalize_target(request);
	path = piece(request, request->target);
	query = memchr(path.data, '?', path.length);
	if (query != NULL)
		path.length = query - path.data;

	if (is_method(request, "OPTIONS"))
		reply_preflight(request);
	else if (!text_is_valid(path.data, request->target.length))
		reply_error(request, 400, "The target is not UTF-8.");
	else if (starts_with(path, "/api/") || starts_with(path, "/ofrep/"))
		answer_api(request, path);
	else
		answer_own(request, path);
}
