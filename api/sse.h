/*
 * Event streams: browsers and servers learn at once that their environment has changed.
 *
 * Each stream begins with an event that says when the environment last changed, so that a
 * change between two streams is not missed, and is held, with comments, whatever happens:
 * clients that are refused come back without a pause.
 */
#ifndef SSE_H
#define SSE_H

#include "request.h"

#include <event2/event.h>

/* Sets up; needs the databases. */
void sse_open(struct event_base *base);

/* Streams the changes of the environment with this key. */
void sse_answer(Request *request, const char *key, size_t length);

/* Ends all streams, as if their time had come. */
void sse_end_all(void);
void sse_close(void);

#endif
