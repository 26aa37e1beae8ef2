/*
 * Streams of events (SSE): SDKs hear when an environment has changed.
 */
#ifndef FLAGSMITH_API_SSE_H
#define FLAGSMITH_API_SSE_H

#include "http.h"

/* Begins to ask the database once a second, for all streams in one query. */
extern void sse_begin(Instance *instance);

/* Takes a request for a stream; false if the target is none. */
extern bool sse_serve(Instance *instance, struct evhttp_request *request,
                      const char *target);

extern int sse_count(void);

/* Ends all streams. */
extern void sse_end(void);

#endif
