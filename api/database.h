/*
 * The two databases: what answers reads, and what takes writes.
 *
 * Jobs that arrive while the connections are busy wait and then travel together, as arrays in
 * one statement; each gets its own answer.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "job.h"

#include <event2/event.h>

typedef struct Pool Pool;

/* Opens the connections. */
bool database_open(struct event_base *base);

/* Sends a job as soon as there is a connection; done may be called before this returns. */
void database_submit(Job *job);

/* The pool that answers reads, and the one that takes writes. */
Pool *database_read_pool(void);
Pool *database_write_pool(void);

/* Opens the connections anew. */
void database_renew(void);

/* Closes them.  Whoever waits for an answer is told before. */
void database_close(void);

#endif
