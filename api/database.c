/*
 * Two lanes, for reads and for writes, each a queue before a pool.
 *
 * Jobs are taken from a queue when the event loop has handed over all that has arrived (an
 * event that is made active goes behind those that already are), so that requests which come
 * together go together even when a connection is free.
 */
#include "database.h"

#include "batch.h"
#include "clock.h"
#include "settings.h"

#define TICK_MS 100

static Lane reads, writes;
static struct event *dispatch_event, *tick_event;

/* ---- the queues ---- */

static void
on_free(void *argument)
{
	Lane *lane = argument;

	if (lane->waiting > 0)
		event_active(dispatch_event, EV_TIMEOUT, 0);
}

static void
set_tick(void)
{
	static const struct timeval interval = {0, TICK_MS * 1000};

	if (!evtimer_pending(tick_event, NULL))
		evtimer_add(tick_event, &interval);
}

/* The lane of a job.  A primary answers GETs too, if what should is away. */
static Lane *
choose(const Job *job)
{
	bool is_read =
		!job->is_post && (!pool_is_away(reads.pool) || pool_is_away(writes.pool));

	return is_read ? &reads : &writes;
}

static void
note_waiting(Lane *lane)
{
	if (lane->waiting == 0)
		lane->waiting_since = clock_us();
	lane->counts->waiting = ++lane->waiting;
	set_tick();
	if (pool_free_connections(lane->pool) > 0)
		event_active(dispatch_event, EV_TIMEOUT, 0);
}

void
lane_return(Lane *lane, Job *job)
{
	STAILQ_INSERT_HEAD(&lane->queue, job, link);
	note_waiting(lane);
}

Job *
lane_take(Lane *lane)
{
	Job *job = STAILQ_FIRST(&lane->queue);

	STAILQ_REMOVE_HEAD(&lane->queue, link);
	lane->counts->waiting = --lane->waiting;
	return job;
}

static void
submit(Lane *lane, Job *job)
{
	if (lane->is_closing || pool_is_away(lane->pool))
		job_end(job, JOB_AWAY);
	else if (lane->waiting >= settings.queue)
		job_end(job, JOB_FULL);
	else
	{
		STAILQ_INSERT_TAIL(&lane->queue, job, link);
		note_waiting(lane);
	}
}

void
database_submit(Job *job)
{
	job->failures = 0;
	submit(choose(job), job);
}

static void
on_dispatch(evutil_socket_t fd, short what, void *argument)
{
	int64_t read = batch_dispatch(&reads), write = batch_dispatch(&writes);
	int64_t next = read < 0 || (write >= 0 && write < read) ? write : read;
	struct timeval interval = {0, (suseconds_t) next};

	(void) fd;
	(void) what;
	(void) argument;
	if (next >= 0)
		event_add(dispatch_event, &interval);
}

/* ---- time ---- */

/* What waits for a database that has gone goes to the other one, or is told. */
static void
clear_queue(Lane *lane)
{
	for (int left = lane->waiting; left > 0; left--)
	{
		Job *job = lane_take(lane);
		Lane *better = choose(job);

		if (better != lane)
			submit(better, job);
		else
			job_end(job, JOB_AWAY);
	}
}

static void
end_waiting(Lane *lane, int64_t now)
{
	if (pool_is_away(lane->pool))
		clear_queue(lane);
	while (lane->waiting > 0 && STAILQ_FIRST(&lane->queue)->deadline <= now)
		job_end(lane_take(lane), JOB_FULL);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	int64_t now = clock_ms();

	(void) fd;
	(void) what;
	(void) argument;
	end_waiting(&reads, now);
	end_waiting(&writes, now);
	batch_end_late(&reads, now);
	batch_end_late(&writes, now);
	if (reads.waiting + writes.waiting > 0 || !TAILQ_EMPTY(&reads.travelling) ||
	    !TAILQ_EMPTY(&writes.travelling))
		set_tick();
}

/* ---- opening and closing ---- */

static bool
open_lane(Lane *lane, struct event_base *base, int number, const char *name,
          const char *dsn, int size)
{
	STAILQ_INIT(&lane->queue);
	TAILQ_INIT(&lane->travelling);
	lane->counts = &metrics.database[number];
	lane->pool = pool_new(base, number, name, dsn, size, on_free, lane);
	return lane->pool != NULL;
}

bool
database_open(struct event_base *base)
{
	const char *read = settings.replica != NULL ? settings.replica : settings.database;

	dispatch_event = event_new(base, -1, 0, on_dispatch, NULL);
	tick_event = evtimer_new(base, on_tick, NULL);
	return open_lane(&reads, base, 0, "read", read, settings.read_connections) &&
	       open_lane(&writes, base, 1, "write", settings.database,
	                 settings.write_connections);
}

Pool *
database_read_pool(void)
{
	return reads.pool;
}

Pool *
database_write_pool(void)
{
	return writes.pool;
}

void
database_renew(void)
{
	pool_renew(reads.pool);
	pool_renew(writes.pool);
}

void
database_close(void)
{
	Lane *const lanes[] = {&reads, &writes};

	reads.is_closing = writes.is_closing = true;
	for (int i = 0; i < 2; i++)
	{
		while (lanes[i]->waiting > 0)
			job_end(lane_take(lanes[i]), JOB_AWAY);
		pool_end_statements(lanes[i]->pool);
	}
	for (int i = 0; i < 2; i++)
		pool_free(lanes[i]->pool);
	event_free(dispatch_event);
	event_free(tick_event);
}
