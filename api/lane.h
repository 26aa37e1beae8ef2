/*
 * A queue of jobs before a pool of connections, and the statements that they travel in.
 */
#ifndef LANE_H
#define LANE_H

#include "job.h"
#include "metrics.h"
#include "pool.h"

STAILQ_HEAD(JobList, Job);
TAILQ_HEAD(BatchList, Batch);

typedef struct Lane
{
	Pool *pool;
	struct JobList queue;
	int waiting;           /* in the queue */
	int64_t waiting_since; /* by clock_us(), the first of them or what has come later */
	int64_t usual_time;    /* that statements take, in microseconds */
	DatabaseMetrics *counts;
	struct BatchList travelling;
	int ntravelling;
	bool is_closing;
} Lane;

/* Takes the first of the jobs that wait; there is one. */
Job *lane_take(Lane *lane);

/* Puts a job before all that wait. */
void lane_return(Lane *lane, Job *job);

#endif
