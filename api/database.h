/*
 * The way to the database: requests that arrive together travel in one statement.
 *
 * A pool has a few connections.  While all are busy requests wait, and go together when
 * one is free.  Nothing here blocks.
 */
#ifndef FLAGSMITH_API_DATABASE_H
#define FLAGSMITH_API_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

/* A call of http_get() or http_post(), by whoever waits for the answer. */
typedef struct Call Call;

struct Call
{
	char *target;
	char *headers;
	char *body;      /* NULL: http_get() */
	bool repeatable; /* may be sent again if its fate is unknown */
	bool repeated;   /* has been */
	bool alone;      /* its batch failed: it is to have a statement of its own */
	long long since; /* when it arrived, in milliseconds */
	/* Takes the answer; status 0: there is none.  NULL: it has been given.  The call is
	 * freed by the pool. */
	void (*done)(Call *call, int status, const char *headers, const char *body,
	             size_t length);
	void *owner; /* done()'s own */
	Call *next;
};

typedef struct Pool Pool;

typedef struct PoolSettings
{
	const char *name, *target; /* of the log; a connection string */
	int connections, batch, queue, timeout;
} PoolSettings;

/* Makes a pool and begins to connect. */
extern Pool *pool_create(struct event_base *base, const PoolSettings *settings);

/* Sends the call, which the pool owns from now on; its done() may run at once. */
extern void pool_send(Pool *pool, Call *call);

/* Runs one statement with one text parameter; rows go to got() as texts, end is called
 * once, with false if it failed.  One at a time: false if the last is under way. */
typedef void (*PoolRow)(void *argument, const char *first, const char *second);
typedef void (*PoolEnd)(void *argument, bool succeeded);
extern bool pool_query(Pool *pool, const char *query, const char *parameter, PoolRow row,
                       PoolEnd end, void *argument);

/* Whether a connection is open. */
extern bool pool_is_up(const Pool *pool);

/* Calls that wait or are under way. */
extern int pool_pending(const Pool *pool);

extern long long now_ms(void);

#endif
