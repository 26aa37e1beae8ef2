/*
 * Connections to a database, as state machines driven by libevent.
 */
#include "pool.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To connect and to answer SELECT 1 must not take longer than this together. */
#define CONNECT_MS 2000

/* Between attempts while the database is away. */
#define RETRY_MS 250

/* For so long requests wait for a database that went away: a restart of pgbouncer. */
#define GRACE_MS 1000

/* How often time is looked at while there is something to wait for. */
#define TICK_MS 50

typedef enum LinkState
{
	LINK_DOWN,
	LINK_CONNECTING,
	LINK_PROBING,
	LINK_FREE,
	LINK_BUSY
} LinkState;

/* One connection. */
typedef struct Link
{
	Pool *pool;
	LinkState state;
	PGconn *connection;
	struct event *event;
	Statement *statement;
	PGresult *result;
	bool is_preparing;
	bool is_old; /* to be opened anew */
	int64_t deadline;
	const char *prepared[4]; /* names */
} Link;

struct Pool
{
	struct event_base *base;
	struct event *tick;
	const char *name;
	const char *dsn;
	DatabaseMetrics *counts;
	void (*on_free)(void *);
	void *argument;
	STAILQ_HEAD(, Statement) queue;
	int64_t away_since; /* 0: it is there */
	int64_t retry_at;
	int64_t last_answer;
	bool is_away_told;
	bool is_closing;
	int size;
	Link links[];
};

static void on_socket(evutil_socket_t fd, short what, void *argument);
static void on_tick(evutil_socket_t fd, short what, void *argument);
static void lose(Link *link, StatementOutcome outcome, const char *why);

/* ---- the pool ---- */

static void
set_tick(Pool *pool)
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

/* Notes whether there is a connection that can be used. */
static void
note_presence(Pool *pool, const char *why)
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

/* ---- sending ---- */

static void
watch(Link *link, short what)
{
	if (link->event != NULL)
		event_free(link->event);
	link->event = event_new(link->pool->base, PQsocket(link->connection),
	                        what | EV_PERSIST, on_socket, link);
	event_add(link->event, NULL);
}

/* Sends what libpq holds; watches for room in the socket as long as there is more. */
static bool
flush(Link *link)
{
	int left = PQflush(link->connection);

	if (left < 0)
		return false;
	if (left > 0 || (event_get_events(link->event) & EV_WRITE) != 0)
		watch(link, left > 0 ? EV_READ | EV_WRITE : EV_READ);
	return true;
}

static bool
is_prepared(Link *link, const char *name, bool note)
{
	for (size_t i = 0; i < sizeof(link->prepared) / sizeof(link->prepared[0]); i++)
	{
		if (link->prepared[i] == NULL && note)
			link->prepared[i] = name;
		if (link->prepared[i] == name)
			return true;
	}
	return false;
}

static bool
send_statement(Link *link)
{
	static const int binary[STATEMENT_PARAMETERS] = {1, 1, 1};
	const Statement *statement = link->statement;
	PGconn *connection = link->connection;

	if (settings.prepare && !is_prepared(link, statement->name, false))
	{
		link->is_preparing = true;
		return PQsendPrepare(connection, statement->name, statement->sql,
		                     statement->count, statement->types) != 0;
	}
	link->is_preparing = false;
	if (settings.prepare)
		return PQsendQueryPrepared(connection, statement->name, statement->count,
		                           statement->values, statement->lengths, binary, 1) != 0;
	return PQsendQueryParams(connection, statement->sql, statement->count,
	                         statement->types, statement->values, statement->lengths,
	                         binary, 1) != 0;
}

static void
start(Link *link, Statement *statement)
{
	link->statement = statement;
	link->state = LINK_BUSY;
	link->deadline = statement->deadline;
	link->pool->counts->statements++;
	set_tick(link->pool);
	if (!send_statement(link) || !flush(link))
		lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
}

void
pool_send(Pool *pool, Statement *statement)
{
	for (int i = 0; i < pool->size; i++)
	{
		if (pool->links[i].state != LINK_FREE)
			continue;
		start(&pool->links[i], statement);
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
		set_tick(pool);
	}
}

/* ---- losing and opening connections ---- */

static void
finish(Link *link, StatementOutcome outcome, PGresult *result)
{
	Statement *statement = link->statement;

	link->statement = NULL;
	if (statement != NULL)
		statement->done(statement, outcome, result);
	PQclear(result);
}

static void
shut(Link *link)
{
	if (link->event != NULL)
		event_free(link->event);
	link->event = NULL;
	if (link->connection != NULL)
		PQfinish(link->connection);
	link->connection = NULL;
	link->state = LINK_DOWN;
	link->is_old = link->is_preparing = false;
	memset(link->prepared, 0, sizeof(link->prepared));
}

/* Gives up a connection; its statement is told. */
static void
lose(Link *link, StatementOutcome outcome, const char *why)
{
	Pool *pool = link->pool;
	PGresult *result = link->result;
	bool was_usable = link->state == LINK_BUSY || link->state == LINK_FREE;
	char reason[256];

	strncpy(reason, why, sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	link->result = NULL;
	if (was_usable)
		pool->counts->losses++;
	shut(link);
	note_presence(pool, reason);
	set_tick(pool);
	finish(link, outcome, result);
}

/* Opens a connection anew if that is due and all others can be used. */
static bool
renew(Link *link)
{
	Pool *pool = link->pool;

	if (!link->is_old || count(pool, LINK_FREE) + count(pool, LINK_BUSY) < pool->size)
		return false;
	shut(link);
	pool->counts->connections--;
	pool->retry_at = 0;
	set_tick(pool);
	return true;
}

static void
free_for_work(Link *link)
{
	Pool *pool = link->pool;
	Statement *statement = STAILQ_FIRST(&pool->queue);

	link->state = LINK_FREE;
	pool->last_answer = clock_ms();
	note_presence(pool, "");
	for (int i = 0; i < pool->size; i++)
		if (pool->links[i].state == LINK_FREE && renew(&pool->links[i]))
			break;
	if (link->state != LINK_FREE)
		return;
	if (statement != NULL)
	{
		STAILQ_REMOVE_HEAD(&pool->queue, link);
		start(link, statement);
	}
	else
		pool->on_free(pool->argument);
}

static void
open_link(Link *link)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding",
	                             NULL};
	const char *const values[] = {link->pool->dsn, "flagsmith-api", "UTF8", NULL};

	link->connection = PQconnectStartParams(names, values, 1);
	link->deadline = clock_ms() + CONNECT_MS;
	link->state = LINK_CONNECTING;
	if (link->connection == NULL || PQstatus(link->connection) == CONNECTION_BAD)
		lose(link, STATEMENT_UNSENT,
		     link->connection != NULL ? PQerrorMessage(link->connection) : "no memory");
	else
		watch(link, EV_WRITE);
}

static void
ignore_notice(void *argument, const PGresult *result)
{
	(void) argument;
	(void) result;
}

/* The connection is there: is the database behind it? */
static void
probe(Link *link)
{
	PQsetnonblocking(link->connection, 1);
	PQsetNoticeReceiver(link->connection, ignore_notice, NULL);
	watch(link, EV_READ);
	link->state = LINK_PROBING;
	if (!PQsendQuery(link->connection, "SELECT 1") || !flush(link))
		lose(link, STATEMENT_UNSENT, PQerrorMessage(link->connection));
}

static void
go_on_connecting(Link *link)
{
	switch (PQconnectPoll(link->connection))
	{
		case PGRES_POLLING_READING:
			watch(link, EV_READ);
			break;
		case PGRES_POLLING_WRITING:
			watch(link, EV_WRITE);
			break;
		case PGRES_POLLING_OK:
			probe(link);
			break;
		default:
			lose(link, STATEMENT_UNSENT, PQerrorMessage(link->connection));
			break;
	}
}

/* ---- results ---- */

/*
 * What an error means.  pgbouncer has one code for whatever it has to say; these are its
 * words for a statement that has not left it.
 */
static StatementOutcome
classify(const PGresult *result, bool *is_link_bad)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL || text == NULL)
	{
		*is_link_bad = true;
		return STATEMENT_LOST;
	}
	/* the server goes, or has become a standby: another connection may find the primary */
	*is_link_bad = strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 ||
	               strcmp(state, "25006") == 0;
	if (strcmp(state, "08P01") == 0 &&
	    (strstr(text, "query_wait_timeout") != NULL || strstr(text, "login") != NULL ||
	     strstr(text, "cannot connect") != NULL))
		return STATEMENT_UNSENT;
	if (strcmp(state, "25006") == 0)
		return STATEMENT_UNSENT;
	return *is_link_bad ? STATEMENT_LOST : STATEMENT_FAILED;
}

/* All that a statement returns is there. */
static void
end_statement(Link *link)
{
	PGresult *result = link->result;
	ExecStatusType status = PQresultStatus(result);
	StatementOutcome outcome = STATEMENT_DONE;
	bool is_link_bad = false;

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		outcome = classify(result, &is_link_bad);
	if (is_link_bad || PQstatus(link->connection) == CONNECTION_BAD ||
	    (link->state == LINK_PROBING && outcome != STATEMENT_DONE))
	{
		char reason[256];

		snprintf(reason, sizeof(reason), "%s", PQerrorMessage(link->connection));
		lose(link, outcome == STATEMENT_DONE ? STATEMENT_LOST : outcome, reason);
		return;
	}
	link->result = NULL;
	if (link->is_preparing && outcome == STATEMENT_DONE)
	{
		PQclear(result);
		is_prepared(link, link->statement->name, true);
		if (!send_statement(link) || !flush(link))
			lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
		return;
	}
	/* first free, so that what the answer brings about can travel at once */
	link->state = LINK_FREE;
	finish(link, outcome, result);
	if (link->state == LINK_FREE)
		free_for_work(link);
}

static void
read_results(Link *link)
{
	PGresult *result;

	if (!PQconsumeInput(link->connection) || !flush(link))
	{
		/* the error that came before the end says more */
		bool is_link_bad, is_error = PQresultStatus(link->result) == PGRES_FATAL_ERROR &&
		                             link->result != NULL;

		lose(link, is_error ? classify(link->result, &is_link_bad) : STATEMENT_LOST,
		     PQerrorMessage(link->connection));
		return;
	}
	if (link->state == LINK_FREE)
		return; /* a notice, or a parameter's new value */
	while (!PQisBusy(link->connection))
	{
		result = PQgetResult(link->connection);
		if (result == NULL)
		{
			end_statement(link);
			return;
		}
		/* an error may follow a result: a commit can fail */
		PQclear(link->result);
		link->result = result;
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *argument)
{
	Link *link = argument;

	(void) fd;
	if (link->state == LINK_CONNECTING)
		go_on_connecting(link);
	else if (what & EV_READ)
		read_results(link);
	else if (!flush(link))
		lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
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
		open_link(&pool->links[i]);
		if (is_there && pool->links[i].state == LINK_DOWN)
			pool->retry_at = now + RETRY_MS;
	}
}

/* Tells statements that waited in vain. */
static void
expire_queue(Pool *pool, int64_t now)
{
	Statement *statement;

	while ((statement = STAILQ_FIRST(&pool->queue)) != NULL && now > statement->deadline)
	{
		STAILQ_REMOVE_HEAD(&pool->queue, link);
		statement->done(statement, STATEMENT_UNSENT, NULL);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	Pool *pool = argument;
	int64_t now = clock_ms();

	(void) fd;
	(void) what;
	for (int i = 0; i < pool->size; i++)
	{
		Link *link = &pool->links[i];

		if (link->state == LINK_BUSY && now > link->deadline)
			lose(link, STATEMENT_LOST, "a statement took too long");
		else if ((link->state == LINK_CONNECTING || link->state == LINK_PROBING) &&
		         now > link->deadline)
			lose(link, STATEMENT_UNSENT, "no answer");
	}
	reopen(pool, now);
	expire_queue(pool, now);
	if (count(pool, LINK_FREE) < pool->size || !STAILQ_EMPTY(&pool->queue))
		set_tick(pool);
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
pool_close(Pool *pool)
{
	pool->is_closing = true;
	for (int i = 0; i < pool->size; i++)
		if (pool->links[i].state != LINK_DOWN)
			lose(&pool->links[i], STATEMENT_LOST, "the end");
	event_free(pool->tick);
	free(pool);
}
