/*
 * Counts in memory: one for each resource, set of headers and host, by the text in which the
 * database will have these; the headers are those that it has had with the request.
 *
 * The database names the resource in answers to keys that it knows, so nobody can fill the
 * memory with keys.  With other headers anybody can: when there are too many, what is new
 * counts for its key alone.
 */
#include "usage.h"

#include "array.h"
#include "clock.h"
#include "database.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "settings.h"
#include "text.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>

/* What is kept at most, counts and the bytes of their names; twice as much for keys alone. */
#define COUNTS_MAX 10000
#define BYTES_MAX ((size_t) 4 << 20)

static void on_done(Statement *statement, StatementOutcome outcome,
                    const PGresult *result);

static struct event *flush_event;
static json_t *counts; /* resource and headers -> count */
static size_t bytes;   /* of their names */
static Buffer name;    /* of the one that is counted */

/* What is on its way, or will be sent again as it is. */
static Buffer leaving;
static uint64_t leaving_total;
static bool is_under_way;
static bool has_failed; /* the database has refused it; later it may not */

static Statement statement = {
	.name = "flagsmith_usage",
	.sql = "SELECT flagsmith.record_api_usage($1)",
	.count = 1,
	.types = {JSONB_TYPE},
	.done = on_done,
};

/* ---- counting ---- */

/* Writes what the database will have, but for the count; or of that only what clients cannot
 * invent. */
static bool
write_name(const Request *request, Piece resource, bool is_short)
{
	Piece headers = request->job.headers;
	Span host = request_header(request, HEADER_HOST);

	name.length = 0;
	if (!buffer_append_text(&name, "{\"resource\":") ||
	    !text_append_json(&name, resource.data, resource.length) ||
	    !buffer_append_text(&name, ",\"headers\":"))
		return false;
	if (is_short)
		return request_write_headers(request, HEADER_SET(HEADER_ENVIRONMENT_KEY), &name);
	return buffer_append(&name, headers.data, headers.length) &&
	       buffer_append_text(&name, ",\"host\":") &&
	       text_append_json(&name, request_text(request, host), host.length);
}

/* Adds one; false if there is no room for it. */
static bool
add(size_t share)
{
	json_t *count = json_object_getn(counts, name.data, name.length);

	if (count != NULL)
		return json_integer_value(count) < INT_MAX &&
		       json_integer_set(count, json_integer_value(count) + 1) == 0;
	if (json_object_size(counts) >= COUNTS_MAX * share ||
	    bytes + name.length > BYTES_MAX * share ||
	    json_object_setn_new(counts, name.data, name.length, json_integer(1)) != 0)
		return false;
	bytes += name.length;
	return true;
}

void
usage_count(const Request *request, Piece resource)
{
	if (resource.length == 0 || settings.analytics_seconds == 0)
		return;
	metrics.usage_counted++;
	if ((!write_name(request, resource, false) || !add(1)) &&
	    (!write_name(request, resource, true) || !add(2)))
		metrics.usage_dropped++;
}

/* ---- sending ---- */

static void
drop(uint64_t number, const char *why)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	log_event("warning", "usage_dropped", "requests", text, "reason", why, NULL);
	metrics.usage_dropped += number;
}

static uint64_t
total(void)
{
	uint64_t sum = 0;
	const char *name;
	json_t *count;

	json_object_foreach(counts, name, count) sum += json_integer_value(count);
	return sum;
}

static void
forget_leaving(void)
{
	buffer_free(&leaving);
	leaving_total = 0;
}

static void
on_done(Statement *sent, StatementOutcome outcome, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	(void) sent;
	is_under_way = false;
	switch (outcome)
	{
		case STATEMENT_DONE:
			metrics.usage_sent += leaving_total;
			forget_leaving();
			break;
		case STATEMENT_FAILED:
			if (!has_failed)
				log_event("error", "usage_refused", "sqlstate",
				          state != NULL ? state : "", NULL);
			break;
		case STATEMENT_LOST:
			drop(leaving_total, "unknown whether recorded");
			forget_leaving();
			break;
		case STATEMENT_UNSENT:
			break;
	}
	has_failed = outcome == STATEMENT_FAILED;
}

/* Writes all counts as one jsonb, a list; false without memory. */
static bool
write_list(void)
{
	char separator = '[', end[32];
	const char *name;
	json_t *count;

	if (!buffer_append(&leaving, JSONB_VERSION, 1))
		return false;
	json_object_foreach(counts, name, count)
	{
		snprintf(end, sizeof(end), ",\"count\":%lld}",
		         (long long) json_integer_value(count));
		if (!buffer_append(&leaving, &separator, 1) ||
		    !buffer_append_text(&leaving, name) || !buffer_append_text(&leaving, end))
			return false;
		separator = ',';
	}
	leaving_total = total();
	return buffer_append(&leaving, "]", 1);
}

/* Takes all counts into what is leaving; if there is no memory they stay. */
static bool
take_counts(void)
{
	if (json_object_size(counts) == 0)
		return false;
	if (!write_list())
	{
		forget_leaving();
		return false;
	}
	json_object_clear(counts);
	bytes = 0;
	return true;
}

static void
send_counts(void)
{
	if (is_under_way || (leaving.length == 0 && !take_counts()))
		return;
	is_under_way = true;
	statement.values[0] = leaving.data;
	statement.lengths[0] = leaving.length;
	statement.deadline = clock_ms() + settings.timeout;
	pool_queue(database_write_pool(), &statement);
}

bool
usage_end(void)
{
	static bool is_ending;

	if (!is_ending)
		has_failed = false; /* one more try */
	is_ending = true;
	if (!has_failed)
		send_counts();
	return !is_under_way &&
	       (has_failed || (leaving.length == 0 && json_object_size(counts) == 0));
}

static void
on_flush(evutil_socket_t fd, short what, void *argument)
{
	(void) fd;
	(void) what;
	(void) argument;
	send_counts();
}

void
usage_open(struct event_base *base)
{
	struct timeval interval = {settings.analytics_seconds, 0};

	counts = json_object();
	flush_event = event_new(base, -1, EV_PERSIST, on_flush, NULL);
	if (settings.analytics_seconds > 0)
		event_add(flush_event, &interval);
}

void
usage_close(void)
{
	uint64_t left = leaving_total + total();

	if (left > 0)
		drop(left, has_failed ? "refused" : "the database is away");
	forget_leaving();
	json_decref(counts);
	event_free(flush_event);
}
