/*
 * The way to the database.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>

#include "database.h"
#include "log.h"

/* How often a lost connection is tried again, and how often time-outs are looked for. */
#define TICK_MS 100
#define RECONNECT_MS 250

static const char get_query[] =
	"SELECT r.n, a.status, a.headers, a.body"
	" FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
	" pg_catalog.unnest($2::pg_catalog.jsonb[])) WITH ORDINALITY AS r (target, headers, n),"
	" LATERAL flagsmith.http_get(r.target, r.headers) a";

/* In the order of the bodies, so that batches lock identities in one order. */
static const char post_query[] =
	"SELECT r.n, a.status, a.headers, a.body FROM (SELECT *"
	" FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
	" pg_catalog.unnest($2::pg_catalog.jsonb[]), pg_catalog.unnest($3::pg_catalog.text[]))"
	" WITH ORDINALITY AS u (target, headers, body, n) ORDER BY body, n) r,"
	" LATERAL flagsmith.http_post(r.target, r.headers, r.body) a";

typedef enum State
{
	CLOSED,
	CONNECTING,
	IDLE,
	BUSY
} State;

typedef struct Connection
{
	Pool *pool;
	PGconn *pg;
	struct event *event;
	State state;
	long long since; /* when the state began */
	Call *batch;     /* under way */
	bool querying;   /* the pool's query is */
} Connection;

struct Pool
{
	struct event_base *base;
	PoolSettings settings;
	struct event *tick;
	Call *first, **last; /* that wait */
	int waiting, under_way;
	bool has_failed; /* the last try to connect did */
	char *query, *parameter;
	PoolRow row;
	PoolEnd end;
	void *argument;
	Connection connections[];
};

static void on_ready(evutil_socket_t fd, short what, void *argument);
static void serve(Pool *pool);

long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
set_state(Connection *connection, State state)
{
	connection->state = state;
	connection->since = now_ms();
}

static void
finish(Call *call, int status, const char *headers, const char *body, size_t length)
{
	if (call->done != NULL)
		call->done(call, status, headers, body, length);
	free(call->target);
	free(call->headers);
	free(call->body);
	free(call);
}

static void
enqueue(Pool *pool, Call *call)
{
	call->next = NULL;
	*pool->last = call;
	pool->last = &call->next;
	pool->waiting++;
}

static void
watch(Connection *connection, short what)
{
	if (connection->event != NULL)
		event_free(connection->event);
	connection->event = event_new(connection->pool->base, PQsocket(connection->pg), what,
	                              on_ready, connection);
	event_add(connection->event, NULL);
}

static void
end_query(Connection *connection, bool succeeded)
{
	Pool *pool = connection->pool;
	PoolEnd end = pool->end;

	connection->querying = false;
	free(pool->parameter);
	pool->query = pool->parameter = NULL;
	pool->end = NULL;
	end(pool->argument, succeeded);
}

/* Ends the calls of a batch that is lost; those that may be repeated wait again, once. */
static void
lose_batch(Connection *connection, bool may_repeat)
{
	Call *call = connection->batch, *next;

	connection->batch = NULL;
	for (; call != NULL; call = next)
	{
		next = call->next;
		connection->pool->under_way--;
		if (call->done != NULL && may_repeat && call->repeatable && !call->repeated)
		{
			call->repeated = true;
			enqueue(connection->pool, call);
		}
		else
			finish(call, 0, NULL, NULL, 0);
	}
}

static void
close_connection(Connection *connection, bool may_repeat)
{
	if (connection->event != NULL)
		event_free(connection->event);
	connection->event = NULL;
	PQfinish(connection->pg);
	connection->pg = NULL;
	set_state(connection, CLOSED);
	lose_batch(connection, may_repeat);
	if (connection->querying)
		end_query(connection, false);
}

static void
begin_connect(Connection *connection)
{
	connection->pg = PQconnectStart(connection->pool->settings.target);
	set_state(connection, CONNECTING);
	if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection->pool->has_failed = true;
		close_connection(connection, true);
		return;
	}
	watch(connection, EV_WRITE);
}

static void
go_on_connecting(Connection *connection)
{
	Pool *pool = connection->pool;

	switch (PQconnectPoll(connection->pg))
	{
		case PGRES_POLLING_READING:
			watch(connection, EV_READ);
			break;
		case PGRES_POLLING_WRITING:
			watch(connection, EV_WRITE);
			break;
		case PGRES_POLLING_OK:
			PQsetnonblocking(connection->pg, 1);
			set_state(connection, IDLE);
			watch(connection, EV_READ | EV_PERSIST);
			pool->has_failed = false;
			log_event("database_connected", ",\"pool\":\"%s\"", pool->settings.name);
			serve(pool);
			break;
		default:
			if (!pool->has_failed)
				log_event("database_unavailable", ",\"pool\":\"%s\"",
				          pool->settings.name);
			pool->has_failed = true;
			close_connection(connection, true);
			serve(pool);
	}
}

/* Appends a text as an element of an array's literal. */
static void
append_element(struct evbuffer *array, const char *text)
{
	evbuffer_add(array, evbuffer_get_length(array) == 0 ? "{\"" : ",\"", 2);
	while (*text != '\0')
	{
		size_t plain = strcspn(text, "\"\\");

		evbuffer_add(array, text, plain);
		text += plain;
		if (*text != '\0')
			evbuffer_add_printf(array, "\\%c", *text++);
	}
	evbuffer_add(array, "\"", 1);
}

/* Takes what may go together off the queue. */
static Call *
take_batch(Pool *pool)
{
	Call *batch = pool->first, *last = batch;
	int count = 1;

	while (!last->alone && last->next != NULL && !last->next->alone &&
	       count < pool->settings.batch)
	{
		last = last->next;
		count++;
	}
	pool->first = last->next;
	if (pool->first == NULL)
		pool->last = &pool->first;
	last->next = NULL;
	pool->waiting -= count;
	pool->under_way += count;
	return batch;
}

static bool
send_batch(Connection *connection, Call *batch)
{
	struct evbuffer *arrays[3] = {evbuffer_new(), evbuffer_new(), evbuffer_new()};
	const char *parameters[3];
	bool post = batch->body != NULL;
	int sent;

	for (Call *call = batch; call != NULL; call = call->next)
	{
		append_element(arrays[0], call->target);
		append_element(arrays[1], call->headers);
		if (post)
			append_element(arrays[2], call->body);
	}
	for (int i = 0; i < 3; i++)
	{
		evbuffer_add(arrays[i], "}", 2);
		parameters[i] = (const char *) evbuffer_pullup(arrays[i], -1);
	}
	sent = PQsendQueryParams(connection->pg, post ? post_query : get_query, post ? 3 : 2,
	                         NULL, parameters, NULL, NULL, 0);
	for (int i = 0; i < 3; i++)
		evbuffer_free(arrays[i]);
	return sent == 1 && PQflush(connection->pg) >= 0;
}

/* While libpq could not send all at once, the socket is watched for that too. */
static void
begin(Connection *connection)
{
	set_state(connection, BUSY);
	if (PQflush(connection->pg) > 0)
		watch(connection, EV_READ | EV_WRITE);
}

/* Gives idle connections what waits. */
static void
serve(Pool *pool)
{
	for (int i = 0; i < pool->settings.connections; i++)
	{
		Connection *connection = &pool->connections[i];
		const char *parameters[1] = {pool->parameter};

		if (connection->state != IDLE)
			continue;
		if (pool->query != NULL && pool->parameter != NULL)
		{
			bool under_way = false;

			for (int j = 0; j < pool->settings.connections; j++)
				under_way |= pool->connections[j].querying;
			if (!under_way)
			{
				connection->querying = true;
				if (PQsendQueryParams(connection->pg, pool->query, 1, NULL, parameters,
				                      NULL, NULL, 0) == 1)
					begin(connection);
				else
					close_connection(connection, true);
				continue;
			}
		}
		if (pool->first == NULL)
			continue;
		connection->batch = take_batch(pool);
		if (send_batch(connection, connection->batch))
			begin(connection);
		else
			close_connection(connection, true);
	}
	/* away: waiting would be in vain */
	if (pool->has_failed && !pool_is_up(pool))
		while (pool->first != NULL)
		{
			Call *call = pool->first;

			pool->first = call->next;
			if (pool->first == NULL)
				pool->last = &pool->first;
			pool->waiting--;
			finish(call, 0, NULL, NULL, 0);
		}
}

static Call *
take_call(Connection *connection, long number)
{
	Call **place = &connection->batch;

	/* n counts the calls of the batch as it was sent: the ones that are done stay as
	 * holes, with nobody to call */
	for (; *place != NULL && number > 1; number--)
		place = &(*place)->next;
	return *place;
}

/* Hands the rows of the batch out. */
static void
take_rows(Connection *connection, PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
	{
		Call *call = take_call(connection, atol(PQgetvalue(result, row, 0)));

		if (call == NULL || call->done == NULL)
			continue;
		call->done(call, atoi(PQgetvalue(result, row, 1)), PQgetvalue(result, row, 2),
		           PQgetvalue(result, row, 3), PQgetlength(result, row, 3));
		call->done = NULL;
	}
}

/* The batch is over: who had no answer is sent again, alone, or told so. */
static void
end_batch(Connection *connection)
{
	Pool *pool = connection->pool;
	Call *call = connection->batch, *next;
	bool single = call != NULL && call->next == NULL;

	connection->batch = NULL;
	for (; call != NULL; call = next)
	{
		next = call->next;
		pool->under_way--;
		if (call->done != NULL && !single)
		{
			call->alone = true;
			enqueue(pool, call);
			continue;
		}
		finish(call, 0, NULL, NULL, 0);
	}
}

static void
take_result(Connection *connection, PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		log_event("statement_failed", ",\"pool\":\"%s\",\"sqlstate\":\"%s\"",
		          connection->pool->settings.name,
		          PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL
		              ? ""
		              : PQresultErrorField(result, PG_DIAG_SQLSTATE));
	else if (!connection->querying)
		take_rows(connection, result);
	else
	{
		for (int row = 0; row < PQntuples(result); row++)
			connection->pool->row(connection->pool->argument, PQgetvalue(result, row, 0),
			                      PQgetvalue(result, row, 1));
		end_query(connection, true);
	}
	PQclear(result);
}

static void
on_ready(evutil_socket_t fd, short what, void *argument)
{
	Connection *connection = argument;
	PGresult *result;

	(void) fd;
	if (connection->state == CONNECTING)
	{
		go_on_connecting(connection);
		return;
	}
	if ((what & EV_READ) != 0 && PQconsumeInput(connection->pg) == 0)
	{
		log_event("database_lost", ",\"pool\":\"%s\"", connection->pool->settings.name);
		close_connection(connection, true);
		begin_connect(connection);
		serve(connection->pool);
		return;
	}
	if ((what & EV_WRITE) != 0 && PQflush(connection->pg) == 0)
		watch(connection, EV_READ | EV_PERSIST);
	else if ((what & EV_WRITE) != 0)
		watch(connection, EV_READ | EV_WRITE);
	while (connection->state == BUSY && !PQisBusy(connection->pg))
	{
		result = PQgetResult(connection->pg);
		if (result != NULL)
		{
			take_result(connection, result);
			continue;
		}
		/* a server that ends takes its connection with it */
		if (PQstatus(connection->pg) == CONNECTION_BAD)
		{
			close_connection(connection, true);
			begin_connect(connection);
		}
		else
		{
			if (connection->querying)
				end_query(connection, false);
			end_batch(connection);
			set_state(connection, IDLE);
		}
		serve(connection->pool);
	}
}

/* Gives up what takes too long, and connects again. */
static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	Pool *pool = argument;
	long long now = now_ms();

	(void) fd;
	(void) what;
	for (int i = 0; i < pool->settings.connections; i++)
	{
		Connection *connection = &pool->connections[i];
		long long age = now - connection->since;

		if (connection->state == CLOSED && age >= RECONNECT_MS)
			begin_connect(connection);
		else if ((connection->state == BUSY || connection->state == CONNECTING) &&
		         age >= pool->settings.timeout)
		{
			pool->has_failed |= connection->state == CONNECTING;
			close_connection(connection, false);
		}
	}
	/* half of the time for waiting: with a statement's whole it is still in time */
	while (pool->first != NULL && now - pool->first->since >= pool->settings.timeout / 2)
	{
		Call *call = pool->first;

		pool->first = call->next;
		if (pool->first == NULL)
			pool->last = &pool->first;
		pool->waiting--;
		finish(call, 0, NULL, NULL, 0);
	}
	serve(pool);
}

Pool *
pool_create(struct event_base *base, const PoolSettings *settings)
{
	Pool *pool = calloc(1, sizeof(Pool) + sizeof(Connection) * settings->connections);
	struct timeval tick = {0, TICK_MS * 1000};

	pool->base = base;
	pool->settings = *settings;
	pool->last = &pool->first;
	for (int i = 0; i < settings->connections; i++)
	{
		pool->connections[i].pool = pool;
		begin_connect(&pool->connections[i]);
	}
	pool->tick = event_new(base, -1, EV_PERSIST, on_tick, pool);
	event_add(pool->tick, &tick);
	return pool;
}

void
pool_send(Pool *pool, Call *call)
{
	if (pool->waiting >= pool->settings.queue)
	{
		finish(call, 0, NULL, NULL, 0);
		return;
	}
	call->since = now_ms();
	enqueue(pool, call);
	serve(pool);
}

bool
pool_query(Pool *pool, const char *query, const char *parameter, PoolRow row, PoolEnd end,
           void *argument)
{
	if (pool->query != NULL || !pool_is_up(pool))
		return false;
	pool->query = (char *) query;
	pool->parameter = strdup(parameter);
	pool->row = row;
	pool->end = end;
	pool->argument = argument;
	serve(pool);
	return true;
}

bool
pool_is_up(const Pool *pool)
{
	for (int i = 0; i < pool->settings.connections; i++)
		if (pool->connections[i].state >= IDLE)
			return true;
	return false;
}

int
pool_pending(const Pool *pool)
{
	return pool->waiting + pool->under_way;
}
