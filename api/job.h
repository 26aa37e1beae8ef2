/*
 * A request on its way through the database.
 */
#ifndef JOB_H
#define JOB_H

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

/* Ends a job that has no answer. */
static inline void
job_end(Job *job, JobOutcome outcome)
{
	Answer answer = {.outcome = outcome};

	job->done(job, &answer);
}

#endif
