/*
 * A few connections to one database, none of which ever makes the program wait.
 *
 * A connection takes one statement at a time.  One that is lost is opened anew, at once and
 * then every quarter of a second; before it counts again it must have answered a probe,
 * because a pgbouncer takes connections even while its database is away.  If the connection
 * string names several hosts, one that is silent is passed over.
 */
#ifndef POOL_H
#define POOL_H

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define STATEMENT_PARAMETERS 3

typedef enum StatementOutcome
{
	STATEMENT_DONE,   /* there is a result */
	STATEMENT_FAILED, /* the database says why; nothing has changed in it */
	STATEMENT_LOST,   /* nobody knows whether it was executed */
	STATEMENT_UNSENT  /* it was not executed */
} StatementOutcome;

typedef struct Statement
{
	STAILQ_ENTRY(Statement) link;
	const char *name; /* to prepare it under */
	const char *sql;
	int count; /* of parameters, all in binary format, as is the result */
	Oid types[STATEMENT_PARAMETERS];
	const char *values[STATEMENT_PARAMETERS];
	int lengths[STATEMENT_PARAMETERS];
	int64_t deadline; /* when it counts as lost */

	/* Is called once; the result, also that of a failure, is good until it returns. */
	void (*done)(struct Statement *, StatementOutcome, const PGresult *);
} Statement;

typedef struct Pool Pool;

/* Opens a pool; on_free is called whenever a connection has nothing to do. */
Pool *pool_new(struct event_base *base, int number, const char *name, const char *dsn,
               int size, void (*on_free)(void *), void *argument);

/* How many connections have nothing to do. */
int pool_free_connections(const Pool *pool);

/* Whether the database has been away for so long that requests should be told. */
bool pool_is_away(const Pool *pool);

/* When the database last answered, by clock_ms(); 0: not yet. */
int64_t pool_last_answer(const Pool *pool);

/* Sends a statement on a connection that has nothing to do; there must be one. */
void pool_send(Pool *pool, Statement *statement);

/* Sends a statement now or as soon as a connection is free, before on_free is called. */
void pool_queue(Pool *pool, Statement *statement);

/* Opens all connections anew, each when it has nothing to do. */
void pool_renew(Pool *pool);

/* Closes all connections; every statement is told. */
void pool_end_statements(Pool *pool);
void pool_free(Pool *pool);

#endif
