/*
 * The sockets that the program listens on, and all connections of clients.
 */
#ifndef SERVER_H
#define SERVER_H

#include "connection.h"

#include <event2/event.h>

TAILQ_HEAD(ConnectionList, Connection);
TAILQ_HEAD(ListenerList, Listener);

typedef struct Server
{
	struct event_base *base;
	void (*handle)(Request *request); /* what answers requests */
	bool is_draining;
	int count; /* of connections */
	struct ConnectionList connections;
	struct ConnectionList buried; /* closed, to be freed */
	struct event *burial;
	struct event *clock;
	struct ListenerList listeners;
} Server;

/* Listens where the settings say; false, and a line in the log, if it cannot. */
bool server_open(Server *server, struct event_base *base, void (*handle)(Request *));

/* Takes what has been accepted, then accepts nothing more and ends idle connections. */
void server_drain(Server *server);

/* Frees a closed connection as soon as nobody can be using it. */
void server_bury(Server *server, Connection *connection);

/* Closes everything. */
void server_close(Server *server);

#endif
