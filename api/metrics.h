/*
 * What the program counts, and /metrics, where Prometheus reads it.
 */
#ifndef METRICS_H
#define METRICS_H

#include "buffer.h"

#define METRICS_DATABASES 2

/* Of one database: reads or writes. */
typedef struct DatabaseMetrics
{
	int connections; /* that can be used */
	int waiting;     /* requests that wait for one */
	uint64_t statements;
	uint64_t requests; /* answered by those statements */
	uint64_t retries;
	uint64_t losses; /* of connections */
} DatabaseMetrics;

typedef struct Metrics
{
	int connections;
	int streams;
	int watched_environments;
	uint64_t refused_connections;
	uint64_t stream_events;
	uint64_t analytics_gathered; /* evaluations */
	uint64_t analytics_sent;
	uint64_t analytics_dropped;
	uint64_t usage_counted; /* requests */
	uint64_t usage_sent;
	uint64_t usage_dropped;
	DatabaseMetrics database[METRICS_DATABASES];
} Metrics;

extern Metrics metrics;

/* Counts an answer: its method (as it is printed), status and milliseconds. */
void metrics_count_answer(const char *method, int status, int64_t milliseconds);

/* Appends all of them in Prometheus's text format. */
void metrics_write(Buffer *text);

#endif
