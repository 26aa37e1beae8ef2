/*
 * A state machine driven by libevent: connecting, probing, then free or busy.
 */
#include "link.h"

#include "clock.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

/* To connect and to answer the probe must not take longer than this together. */
#define CONNECT_MS 2000

static void on_socket(evutil_socket_t fd, short what, void *argument);

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

void
link_start(Link *link, Statement *statement)
{
	link->statement = statement;
	link->state = LINK_BUSY;
	link->deadline = statement->deadline;
	link->pool->counts->statements++;
	pool_set_tick(link->pool);
	if (!send_statement(link) || !flush(link))
		link_lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
}

/* ---- losing and opening ---- */

static void
finish(Link *link, StatementOutcome outcome, PGresult *result)
{
	Statement *statement = link->statement;

	link->statement = NULL;
	if (statement != NULL)
		statement->done(statement, outcome, result);
	PQclear(result);
}

void
link_shut(Link *link)
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

void
link_lose(Link *link, StatementOutcome outcome, const char *why)
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
	else
		hosts_turn(&pool->hosts);
	link_shut(link);
	pool_note_presence(pool, reason);
	pool_set_tick(pool);
	finish(link, outcome, result);
}

void
link_open(Link *link)
{
	const Hosts *hosts = &link->pool->hosts;
	const char *const names[] = {"dbname",
	                             "fallback_application_name",
	                             "client_encoding",
	                             "host",
	                             "hostaddr",
	                             "port",
	                             "target_session_attrs",
	                             NULL};
	const char *const values[] = {link->pool->dsn,
	                              "flagsmith-api",
	                              "UTF8",
	                              hosts->host,
	                              hosts->hostaddr,
	                              hosts->port,
	                              hosts->must_write ? "any" : NULL,
	                              NULL};

	link->connection = PQconnectStartParams(names, values, 1);
	link->deadline = clock_ms() + CONNECT_MS;
	link->state = LINK_CONNECTING;
	if (link->connection == NULL || PQstatus(link->connection) == CONNECTION_BAD)
		link_lose(link, STATEMENT_UNSENT,
		          link->connection != NULL ? PQerrorMessage(link->connection)
		                                   : "no memory");
	else
		watch(link, EV_WRITE);
}

static void
ignore_notice(void *argument, const PGresult *result)
{
	(void) argument;
	(void) result;
}

/* The connection is there: is the database behind it, and does it take writes? */
static void
probe(Link *link)
{
	PQsetnonblocking(link->connection, 1);
	PQsetNoticeReceiver(link->connection, ignore_notice, NULL);
	watch(link, EV_READ);
	link->state = LINK_PROBING;
	if (!PQsendQuery(link->connection, "SHOW transaction_read_only") || !flush(link))
		link_lose(link, STATEMENT_UNSENT, PQerrorMessage(link->connection));
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
			link_lose(link, STATEMENT_UNSENT, PQerrorMessage(link->connection));
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

/* The statement is prepared: executes it. */
static void
execute(Link *link)
{
	is_prepared(link, link->statement->name, true);
	if (!send_statement(link) || !flush(link))
		link_lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
}

/* Whether the probe has found a server that takes no writes where one must. */
static bool
is_wrong_server(const Link *link)
{
	return link->state == LINK_PROBING && link->pool->hosts.must_write &&
	       PQntuples(link->result) == 1 &&
	       strcmp(PQgetvalue(link->result, 0, 0), "on") == 0;
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
		link_lose(link, outcome == STATEMENT_DONE ? STATEMENT_LOST : outcome, reason);
		return;
	}
	if (is_wrong_server(link))
	{
		link_lose(link, STATEMENT_UNSENT, "the server takes no writes");
		return;
	}
	link->result = NULL;
	if (link->is_preparing && outcome == STATEMENT_DONE)
	{
		PQclear(result);
		execute(link);
		return;
	}
	/* first free, so that what the answer brings about can travel at once */
	link->state = LINK_FREE;
	finish(link, outcome, result);
	if (link->state == LINK_FREE)
		pool_employ(link);
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

		link_lose(link, is_error ? classify(link->result, &is_link_bad) : STATEMENT_LOST,
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
		link_lose(link, STATEMENT_LOST, PQerrorMessage(link->connection));
}
