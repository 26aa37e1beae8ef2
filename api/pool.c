/*
 * Connections to a database, as state machines driven by libevent.
 */
#include "pool.h"

#include "clock.h"
#include "link.h"
#include "log.h"

#include <stdlib.h>

/* Between attempts while the database is away. */
#define RETRY_MS 250

/* For so long requests wait for a database that went away: a restart of pgbouncer. */
#define GRACE_MS 1000

/* How often time is looked at while there is something to wait for. */
#define TICK_MS 50

static void on_tick(evutil_socket_t fd, short what, void *argument);

/* ---- the pool ---- */

void
pool_set_tick(Pool *pool)
{
	static const struct timeval interval = {0, TICK_MS * 1000};

	if (!pool->is_closing && !evtimer_pending(pool->tick, NULL))
		evtimer_add(pool->tick, &interval);
}

Pool *
pool_new(struct event_base *base, int number, const char *name, const char *dsn, int size,
         void (*on_free)(void *), void *argument)
{
	Pool *pool = calloc(1, sizeof(Pool) + size * sizeof(Link));

	if (pool == NULL)
		return NULL;
	pool->base = base;
	pool->name = name;
	pool->dsn = dsn;
	hosts_read(&pool->hosts, dsn);
	pool->counts = &metrics.database[number];
	pool->size = size;
	pool->on_free = on_free;
	pool->argument = argument;
	pool->away_since = clock_ms();
	STAILQ_INIT(&pool->queue);
	pool->tick = evtimer_new(base, on_tick, pool);
	for (int i = 0; i < size; i++)
		pool->links[i].pool = pool;
	on_tick(-1, 0, pool);
	return pool;
}

static int
count(const Pool *pool, LinkState state)
{
	int number = 0;

	for (int i = 0; i < pool->size; i++)
		number += pool->links[i].state == state;
	return number;
}

int
pool_free_connections(const Pool *pool)
{
	return count(pool, LINK_FREE);
}

bool
pool_is_away(const Pool *pool)
{
	return pool->away_since != 0 && clock_ms() - pool->away_since > GRACE_MS;
}

int64_t
pool_last_answer(const Pool *pool)
{
	return pool->last_answer;
}

void
pool_note_presence(Pool *pool, const char *why)
{
	pool->counts->connections = count(pool, LINK_FREE) + count(pool, LINK_BUSY);
	if (pool->counts->connections == 0 && pool->away_since == 0)
		pool->away_since = clock_ms();
	if (pool->counts->connections == 0 && !pool->is_away_told && !pool->is_closing)
	{
		log_event("error", "database_away", "database", pool->name, "reason", why, NULL);
		pool->is_away_told = true;
	}
	if (pool->counts->connections > 0 && pool->away_since != 0)
	{
		log_event("info", "database_connected", "database", pool->name, NULL);
		pool->away_since = 0;
		pool->is_away_told = false;
	}
}

/* ---- statements ---- */

void
pool_send(Pool *pool, Statement *statement)
{
	for (int i = 0; i < pool->size; i++)
	{
		if (pool->links[i].state != LINK_FREE)
			continue;
		link_start(&pool->links[i], statement);
		return;
	}
	abort(); /* the caller has looked */
}

void
pool_queue(Pool *pool, Statement *statement)
{
	if (pool_free_connections(pool) > 0)
		pool_send(pool, statement);
	else
	{
		STAILQ_INSERT_TAIL(&pool->queue, statement, link);
		pool_set_tick(pool);
	}
}

/* ---- using and renewing connections ---- */

/* Opens a connection anew if that is due and all others can be used. */
static bool
renew(Link *link)
{
	Pool *pool = link->pool;

	if (!link->is_old || count(pool, LINK_FREE) + count(pool, LINK_BUSY) < pool->size)
		return false;
	link_shut(link);
	pool->counts->connections--;
	pool->retry_at = 0;
	pool_set_tick(pool);
	return true;
}

void
pool_employ(Link *link)
{
	Pool *pool = link->pool;
	Statement *statement = STAILQ_FIRST(&pool->queue);

	link->state = LINK_FREE;
	pool->last_answer = clock_ms();
	pool_note_presence(pool, "");
	for (int i = 0; i < pool->size; i++)
		if (pool->links[i].state == LINK_FREE && renew(&pool->links[i]))
			break;
	if (link->state != LINK_FREE)
		return;
	if (statement != NULL)
	{
		STAILQ_REMOVE_HEAD(&pool->queue, link);
		link_start(link, statement);
	}
	else
		pool->on_free(pool->argument);
}

/* ---- time ---- */

/* Opens a connection: the others only when this one has shown that the database is there. */
static void
reopen(Pool *pool, int64_t now)
{
	bool is_there = count(pool, LINK_FREE) + count(pool, LINK_BUSY) > 0;
	bool is_trying = count(pool, LINK_CONNECTING) + count(pool, LINK_PROBING) > 0;

	for (int i = 0; i < pool->size && now >= pool->retry_at; i++)
	{
		if (pool->links[i].state != LINK_DOWN || (is_trying && !is_there))
			continue;
		is_trying = true;
		if (!is_there)
			pool->retry_at = now + RETRY_MS;
		link_open(&pool->links[i]);
		if (is_there && pool->links[i].state == LINK_DOWN)
			pool->retry_at = now + RETRY_MS;
	}
}

/* Tells statements that waited in vain. */
static void
expire_queue(Pool *pool, int64_t now)
{
	Statement *statement = STAILQ_FIRST(&pool->queue);

	while (statement != NULL)
	{
		Statement *next = STAILQ_NEXT(statement, link);

		if (now > statement->deadline)
		{
			STAILQ_REMOVE(&pool->queue, statement, Statement, link);
			statement->done(statement, STATEMENT_UNSENT, NULL);
		}
		statement = next;
	}
}

/* Gives up a connection that does not answer in time. */
static void
check_time(Link *link, int64_t now)
{
	bool is_opening = link->state == LINK_CONNECTING || link->state == LINK_PROBING;

	if (now <= link->deadline || (!is_opening && link->state != LINK_BUSY))
		return;
	link_lose(link, is_opening ? STATEMENT_UNSENT : STATEMENT_LOST,
	          is_opening ? "no answer" : "a statement took too long");
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	Pool *pool = argument;
	int64_t now = clock_ms();

	(void) fd;
	(void) what;
	for (int i = 0; i < pool->size; i++)
		check_time(&pool->links[i], now);
	reopen(pool, now);
	expire_queue(pool, now);
	if (count(pool, LINK_FREE) < pool->size || !STAILQ_EMPTY(&pool->queue))
		pool_set_tick(pool);
}

void
pool_renew(Pool *pool)
{
	bool is_waiting = false;

	for (int i = 0; i < pool->size; i++)
		pool->links[i].is_old =
			pool->links[i].state == LINK_FREE || pool->links[i].state == LINK_BUSY;
	for (int i = 0; i < pool->size && !is_waiting; i++)
		is_waiting = pool->links[i].state == LINK_FREE && renew(&pool->links[i]);
}

void
pool_end_statements(Pool *pool)
{
	pool->is_closing = true;
	for (int i = 0; i < pool->size; i++)
		if (pool->links[i].state != LINK_DOWN)
			link_lose(&pool->links[i], STATEMENT_LOST, "the end");
	expire_queue(pool, INT64_MAX);
}

void
pool_free(Pool *pool)
{
	hosts_free(&pool->hosts);
	event_free(pool->tick);
	free(pool);
}
