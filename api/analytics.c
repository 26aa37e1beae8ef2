/*
 * Counts in memory: an object of buckets, one for each key and client, named by the headers
 * that they are sent with; in each, features and their counts.
 */
#include "analytics.h"

#include "clock.h"
#include "database.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"
#include "settings.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept at most: counts, buckets (fewer than jobs may wait), and the bytes of all. */
#define COUNTS_MAX 100000
#define BUCKETS_MAX 512
#define BYTES_MAX ((size_t) 16 << 20)

/* Keys that are good: how many, and how long; longer ones are not gathered for. */
#define KEYS_MAX 10000
#define KEY_MAX 256

/* For so long a key that was good counts as good. */
#define KEY_MS 60000

#define LABELS                                                                           \
	(HEADER_SET(HEADER_ENVIRONMENT_KEY) | HEADER_SET(HEADER_USER_AGENT) |                \
	 HEADER_SET(HEADER_SDK_USER_AGENT) | HEADER_SET(HEADER_APPLICATION_NAME) |           \
	 HEADER_SET(HEADER_APPLICATION_VERSION))

/* A bucket on its way. */
typedef struct Shipment
{
	Job job;
	char *headers;
	char *body;
	json_t *counts;
} Shipment;

static struct event *flush_event;
static json_t *buckets; /* headers -> feature -> count */
static json_t *keys;    /* good ones -> until when */
static size_t kept;     /* counts in all buckets */
static size_t bytes;    /* of their names, and of those of the buckets */
static int under_way;

/* ---- keys ---- */

static const char *
key_of(const Request *request, size_t *length)
{
	Span span = request_header(request, HEADER_ENVIRONMENT_KEY);

	*length = span.length;
	return request_text(request, span);
}

static bool
is_good_key(const Request *request)
{
	size_t length;
	const char *key = key_of(request, &length);
	json_t *until = length > 0 ? json_object_getn(keys, key, length) : NULL;

	return until != NULL && json_integer_value(until) > clock_ms();
}

void
analytics_note_answer(const Request *request, int status)
{
	size_t length;
	const char *key = key_of(request, &length);

	if (!request->job.is_post || request->job.is_repeatable || length == 0 ||
	    length > KEY_MAX)
		return;
	if (status != 200)
	{
		json_object_deln(keys, key, length);
		return;
	}
	if (json_object_size(keys) >= KEYS_MAX)
		json_object_clear(keys);
	json_object_setn_new(keys, key, length, json_integer(clock_ms() + KEY_MS));
}

/* ---- gathering ---- */

/* Whether it is an object of counts that can simply be added. */
static bool
is_simple(json_t *counts)
{
	const char *feature;
	json_t *count;

	if (!json_is_object(counts) || kept + json_object_size(counts) > COUNTS_MAX)
		return false;
	json_object_foreach(counts, feature, count)
	{
		if (!json_is_integer(count) || json_integer_value(count) < 1 ||
		    json_integer_value(count) > INT_MAX)
			return false;
	}
	return true;
}

/* Whether counts can be added to a bucket, NULL for a new one; takes the bytes if so. */
static bool
make_room(json_t *bucket, const char *headers, json_t *counts)
{
	size_t more = bucket == NULL ? strlen(headers) : 0;
	const char *feature;
	json_t *count;

	json_object_foreach(counts, feature, count)
	{
		json_t *before = json_object_get(bucket, feature);

		if (json_integer_value(before) > INT_MAX - json_integer_value(count))
			return false;
		more += before == NULL ? strlen(feature) : 0;
	}
	if (more > BYTES_MAX - bytes ||
	    (bucket == NULL && json_object_size(buckets) >= BUCKETS_MAX))
		return false;
	bytes += more;
	return true;
}

/* Adds counts to a bucket; false, and nothing added, if there is no room. */
static bool
add(const char *headers, json_t *counts)
{
	json_t *bucket = json_object_get(buckets, headers), *count;
	const char *feature;

	if (!make_room(bucket, headers, counts))
		return false;
	if (bucket == NULL)
	{
		bucket = json_object();
		json_object_set_new(buckets, headers, bucket);
	}
	json_object_foreach(counts, feature, count)
	{
		json_t *before = json_object_get(bucket, feature);

		kept += before == NULL;
		json_object_set_new(
			bucket, feature,
			json_integer(json_integer_value(before) + json_integer_value(count)));
	}
	return true;
}

static uint64_t
total(json_t *counts)
{
	uint64_t sum = 0;
	const char *feature;
	json_t *count;

	json_object_foreach(counts, feature, count) sum += json_integer_value(count);
	return sum;
}

bool
analytics_take(Request *request)
{
	static const char json_type[] = "application/json";
	Span type = request_header(request, HEADER_CONTENT_TYPE);
	Buffer headers = {0};
	json_t *counts = NULL;
	bool is_taken = false;

	if (settings.analytics_seconds == 0 || !is_good_key(request) ||
	    (type.length > 0 &&
	     (type.length < strlen(json_type) ||
	      strncasecmp(request_text(request, type), json_type, strlen(json_type)) != 0)))
		return false;
	counts = json_loadb(request->body.data, request->body.length, 0, NULL);
	if (is_simple(counts) && request_write_headers(request, LABELS, &headers) &&
	    buffer_append(&headers, "", 1))
		is_taken = add(headers.data, counts);
	if (is_taken)
	{
		metrics.analytics_gathered += total(counts);
		reply_json(request, 200, "{}");
	}
	json_decref(counts);
	buffer_free(&headers);
	return is_taken;
}

/* ---- sending ---- */

static void
free_shipment(Shipment *shipment)
{
	json_decref(shipment->counts);
	free(shipment->headers);
	free(shipment->body);
	free(shipment);
	under_way--;
}

static void
drop(json_t *counts, const char *why)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long) total(counts));
	log_event("warning", "analytics_dropped", "evaluations", text, "reason", why, NULL);
	metrics.analytics_dropped += total(counts);
}

static void
on_answer(Job *job, const Answer *answer)
{
	Shipment *shipment = (Shipment *) ((char *) job - offsetof(Shipment, job));

	switch (answer->outcome)
	{
		case JOB_ANSWERED:
			if (answer->status == 200)
				metrics.analytics_sent += total(shipment->counts);
			else
				drop(shipment->counts, "refused");
			break;
		case JOB_AWAY:
		case JOB_FULL:
		case JOB_FAILED:
			if (!add(shipment->headers, shipment->counts))
				drop(shipment->counts, "too many");
			break;
		case JOB_LATE:
		case JOB_LOST:
			drop(shipment->counts, "unknown whether counted");
			break;
	}
	free_shipment(shipment);
}

static void
ship(const char *headers, json_t *counts)
{
	static const char target[] = "/api/v1/analytics/flags/";
	Shipment *shipment = calloc(1, sizeof(Shipment));

	under_way++;
	if (shipment == NULL || (shipment->headers = strdup(headers)) == NULL ||
	    (shipment->body = json_dumps(counts, JSON_COMPACT)) == NULL)
		abort(); /* out of memory for a few bytes */
	shipment->counts = json_incref(counts);
	shipment->job = (Job){
		.target = {target, strlen(target)},
		.headers = {shipment->headers, strlen(shipment->headers)},
		.body = {shipment->body, strlen(shipment->body)},
		.is_post = true,
		.deadline = clock_ms() + settings.timeout,
		.done = on_answer,
	};
	database_submit(&shipment->job);
}

void
analytics_flush(void)
{
	json_t *leaving = buckets, *counts;
	const char *headers;

	if (json_object_size(buckets) == 0)
		return;
	buckets = json_object();
	kept = bytes = 0;
	json_object_foreach(leaving, headers, counts) ship(headers, counts);
	json_decref(leaving);
}

bool
analytics_is_empty(void)
{
	return under_way == 0 && json_object_size(buckets) == 0;
}

static void
on_flush(evutil_socket_t fd, short what, void *argument)
{
	(void) fd;
	(void) what;
	(void) argument;
	if (under_way == 0)
		analytics_flush();
}

void
analytics_open(struct event_base *base)
{
	struct timeval interval = {settings.analytics_seconds, 0};

	buckets = json_object();
	keys = json_object();
	flush_event = event_new(base, -1, EV_PERSIST, on_flush, NULL);
	if (settings.analytics_seconds > 0)
		event_add(flush_event, &interval);
}

void
analytics_close(void)
{
	const char *headers;
	json_t *counts;

	json_object_foreach(buckets, headers, counts) drop(counts, "the database is away");
	json_decref(buckets);
	json_decref(keys);
	event_free(flush_event);
}
