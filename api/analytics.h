/*
 * Counts of evaluations, gathered from many SDKs and sent on together.
 *
 * What has been answered 200 is sent once.  If the database is away it is kept; if it is not
 * known whether the database has counted, it is dropped: rather lost than counted twice.
 */
#ifndef ANALYTICS_H
#define ANALYTICS_H

#include "request.h"

#include <event2/event.h>

/* Sets up; needs the databases. */
void analytics_open(struct event_base *base);

/* Answers a POST of counts if they can be gathered; false: let the database answer. */
bool analytics_take(Request *request);

/* Learns from the database's answers which keys are good. */
void analytics_note_answer(const Request *request, int status);

/* Sends what there is.  Whether all has been sent says analytics_is_empty(). */
void analytics_flush(void);
bool analytics_is_empty(void);
void analytics_close(void);

#endif
