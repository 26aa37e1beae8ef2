/*
 * Counters and their text format.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define STATUSES 600

Metrics metrics;

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "other"};
static uint64_t answers[LENGTH(methods)][STATUSES];

/* upper bounds in milliseconds; a last one without bound */
static const int bounds[] = {1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 2500, 5000};
static uint64_t durations[LENGTH(bounds) + 1];
static uint64_t total_duration;

void
metrics_count_answer(const char *method, int status, int64_t milliseconds)
{
	size_t row = 0, bound = 0;

	while (row < LENGTH(methods) - 1 && strcmp(methods[row], method) != 0)
		row++;
	while (bound < LENGTH(bounds) && milliseconds > bounds[bound])
		bound++;
	answers[row][status > 0 && status < STATUSES ? status : 0]++;
	durations[bound]++;
	total_duration += milliseconds;
}

static void append(Buffer *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
append(Buffer *text, const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	buffer_append_text(text, line);
}

static void
describe(Buffer *text, const char *name, const char *type, const char *help)
{
	append(text, "# HELP flagsmith_api_%s %s\n# TYPE flagsmith_api_%s %s\n", name, help,
	       name, type);
}

static void
write_answers(Buffer *text)
{
	uint64_t count = 0;

	describe(text, "requests_total", "counter", "Requests answered.");
	for (size_t row = 0; row < LENGTH(methods); row++)
		for (int status = 0; status < STATUSES; status++)
			if (answers[row][status] > 0)
				append(text,
				       "flagsmith_api_requests_total{method=\"%s\",status=\"%d\"} "
				       "%" PRIu64 "\n",
				       methods[row], status, answers[row][status]);

	describe(text, "request_duration_seconds", "histogram",
	         "From the last byte of a request to the first of its answer.");
	for (size_t i = 0; i < LENGTH(bounds); i++)
		append(text,
		       "flagsmith_api_request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
		       bounds[i] / 1000.0, count += durations[i]);
	count += durations[LENGTH(bounds)];
	append(text,
	       "flagsmith_api_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	       "flagsmith_api_request_duration_seconds_sum %g\n"
	       "flagsmith_api_request_duration_seconds_count %" PRIu64 "\n",
	       count, total_duration / 1000.0, count);
}

static void
write_number(Buffer *text, const char *name, const char *type, const char *help,
             uint64_t value)
{
	describe(text, name, type, help);
	append(text, "flagsmith_api_%s %" PRIu64 "\n", name, value);
}

static void
write_pair(Buffer *text, const char *name, const char *type, const char *help,
           uint64_t read, uint64_t write)
{
	describe(text, name, type, help);
	append(text,
	       "flagsmith_api_%s{database=\"read\"} %" PRIu64 "\n"
	       "flagsmith_api_%s{database=\"write\"} %" PRIu64 "\n",
	       name, read, name, write);
}

static void
write_databases(Buffer *text)
{
	const DatabaseMetrics *read = &metrics.database[0], *write = &metrics.database[1];

	write_pair(text, "database_connections", "gauge",
	           "Connections to the database that can be used.", read->connections,
	           write->connections);
	write_pair(text, "database_waiting", "gauge",
	           "Requests that wait for a connection to the database.", read->waiting,
	           write->waiting);
	write_pair(text, "database_statements_total", "counter", "Statements sent.",
	           read->statements, write->statements);
	write_pair(text, "database_requests_total", "counter",
	           "Requests sent in those statements.", read->requests, write->requests);
	write_pair(text, "database_retries_total", "counter",
	           "Requests sent again after a failure.", read->retries, write->retries);
	write_pair(text, "database_losses_total", "counter",
	           "Connections to the database that were lost.", read->losses,
	           write->losses);
}

void
metrics_write(Buffer *text)
{
	write_answers(text);
	write_number(text, "connections", "gauge", "Connections of clients.",
	             metrics.connections);
	write_number(text, "connections_refused_total", "counter",
	             "Connections refused because there were too many.",
	             metrics.refused_connections);
	write_number(text, "streams", "gauge", "Open event streams.", metrics.streams);
	write_number(text, "watched_environments", "gauge",
	             "Environments that those streams name.", metrics.watched_environments);
	write_number(text, "stream_events_total", "counter", "Events sent to streams.",
	             metrics.stream_events);
	write_number(text, "analytics_gathered_total", "counter",
	             "Evaluations gathered from SDKs.", metrics.analytics_gathered);
	write_number(text, "analytics_sent_total", "counter",
	             "Gathered evaluations that the database has counted.",
	             metrics.analytics_sent);
	write_number(text, "analytics_dropped_total", "counter",
	             "Gathered evaluations that it refused, or of which nobody knows whether "
	             "it counted them.",
	             metrics.analytics_dropped);
	write_number(text, "usage_counted_total", "counter",
	             "Requests counted as uses of the API.", metrics.usage_counted);
	write_number(text, "usage_sent_total", "counter",
	             "Counted requests that the database has recorded.", metrics.usage_sent);
	write_number(text, "usage_dropped_total", "counter",
	             "Counted requests for which there was no room, or of which nobody knows "
	             "whether it recorded them.",
	             metrics.usage_dropped);
	write_databases(text);
}
