/*
 * Requests on their way through the database.
 *
 * Those that arrive while its connections are busy wait and then travel together, as arrays
 * in one statement; each gets its own answer.
 */
#ifndef BATCH_H
#define BATCH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

typedef enum JobOutcome
{
	JOB_ANSWERED,
	/* the database never got it: */
	JOB_AWAY, /* because it is away */
	JOB_FULL, /* because too many wait */
	/* it got it: */
	JOB_FAILED, /* and failed at it; nothing has changed */
	JOB_LATE,   /* but did not answer in time; it may have been done */
	JOB_LOST    /* but the connection was lost; it may have been done */
} JobOutcome;

typedef struct Answer
{
	JobOutcome outcome;
	/* of an answered one, good until the callback returns */
	int status;
	const char *headers; /* a JSON object */
	size_t headers_length;
	const char *body;
	size_t body_length;
} Answer;

typedef struct Piece
{
	const char *data;
	size_t length;
} Piece;

/* A request to http_get() or http_post(); the caller keeps it and its pieces until done. */
typedef struct Job
{
	STAILQ_ENTRY(Job) link;
	Piece target, headers, body;
	bool is_post;
	bool is_repeatable; /* doing it twice is as doing it once */
	bool is_alone;      /* travels in a statement of its own */
	int failures;
	int64_t deadline;
	void (*done)(struct Job *, const Answer *);
} Job;

typedef struct Pool Pool;

/* Opens the connections to the databases. */
bool batch_open(struct event_base *base);

/* Sends a job as soon as there is a connection; done may be called before this returns. */
void batch_submit(Job *job);

/* The pool that answers reads. */
Pool *batch_read_pool(void);

/* Opens the connections anew. */
void batch_renew(void);
void batch_close(void);

#endif
