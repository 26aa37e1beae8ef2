/*
 * HTTP: what comes in from clients and goes out to them.
 */
#ifndef FLAGSMITH_API_HTTP_H
#define FLAGSMITH_API_HTTP_H

#include <event2/http.h>

#include "database.h"
#include "settings.h"

typedef struct Instance
{
	Settings settings;
	struct event_base *base;
	struct evhttp *http;
	Pool *reads, *writes;
	int open_requests; /* accepted and not answered */
	bool draining;
	unsigned long long requests, failures, batches;
} Instance;

/* Answers all requests that come to the instance's evhttp. */
extern void http_serve(Instance *instance);

/* Adds the headers that let a browser on any origin read the answer. */
extern void http_add_cors(struct evhttp_request *request);

#endif
