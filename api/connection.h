/*
 * A client's connection: bytes in, requests out; the bytes of answers in, and out.
 *
 * One request at a time is under way on a connection; what a client sends meanwhile waits.
 * A connection never disappears under its users: when it is lost, what is sent to it goes
 * nowhere, and it is freed after its request has been answered.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "request.h"

#include <event2/event_struct.h>
#include <http_parser.h>
#include <sys/queue.h>
#include <sys/uio.h>

struct Server;

typedef enum ConnectionState
{
	CONNECTION_READING,   /* a request, or nothing yet */
	CONNECTION_WORKING,   /* its request is being answered */
	CONNECTION_STREAMING, /* an answer without an end */
	CONNECTION_FLUSHING,  /* the answer is complete, the socket is full */
	CONNECTION_LINGERING, /* said good-bye, and waits that the client does too */
	CONNECTION_DEAD       /* closed */
} ConnectionState;

typedef struct Connection
{
	TAILQ_ENTRY(Connection) link;
	struct Server *server;
	int fd;
	ConnectionState state;
	bool is_readable_added;
	bool close_after; /* the answer under way */
	bool has_head;    /* the request under way */
	int refusal;      /* the status to refuse the request with */
	http_parser parser;
	Request *request;
	struct event readable, writable;
	struct evbuffer *early;  /* bytes of later requests */
	struct evbuffer *unsent; /* bytes that the socket did not take */
	int64_t since;           /* when it last went on */
	void (*on_lost)(void *); /* of a stream */
	void *on_lost_argument;
} Connection;

/* Takes over an accepted socket; NULL if there is no memory. */
Connection *connection_new(struct Server *server, int fd);

/* Sends these bytes, or keeps those that the socket does not take. */
void connection_send(Connection *connection, struct iovec *parts, int count);

/* The answer is complete: goes on with the next request, or closes. */
void connection_end_answer(Connection *connection);

/* From now on the answer has no end until connection_end_answer(); tells of a loss. */
void connection_stream(Connection *connection, void (*on_lost)(void *), void *argument);

/* Whether answers are to be the last ones. */
bool connection_is_draining(const Connection *connection);

/* Whether nothing is under way on it. */
bool connection_is_idle(const Connection *connection);

/* Ends whatever took too long. */
void connection_check_time(Connection *connection, int64_t now);

/* Closes it; it is freed when the event loop comes round. */
void connection_close(Connection *connection);
void connection_free(Connection *connection);

#endif
