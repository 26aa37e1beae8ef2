/*
 * One connection of a pool.
 */
#ifndef LINK_H
#define LINK_H

#include "hosts.h"
#include "metrics.h"
#include "pool.h"

/* Statements that a connection may have prepared. */
#define PREPARED_MAX 4

typedef enum LinkState
{
	LINK_DOWN,
	LINK_CONNECTING,
	LINK_PROBING,
	LINK_FREE,
	LINK_BUSY
} LinkState;

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
	const char *prepared[PREPARED_MAX]; /* names */
} Link;

struct Pool
{
	struct event_base *base;
	struct event *tick;
	const char *name;
	const char *dsn;
	Hosts hosts;
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

/* Opens it; what comes of that, the pool learns by the functions below. */
void link_open(Link *link);

/* Sends a statement on one that is free. */
void link_start(Link *link, Statement *statement);

/* Gives it up; its statement is told. */
void link_lose(Link *link, StatementOutcome outcome, const char *why);

/* Closes it; it has no statement. */
void link_shut(Link *link);

/* Makes the pool look at the time soon. */
void pool_set_tick(Pool *pool);

/* Makes the pool note whether there is a connection that can be used. */
void pool_note_presence(Pool *pool, const char *why);

/* Gives a connection that is free its next statement. */
void pool_employ(Link *link);

#endif
