/*
 * Uses of the API, counted for each key and client, and told to the primary from time to
 * time: so a read writes nothing, and may be answered by a replica.
 *
 * A use is told once.  If the database is away it is kept; if it is not known whether the
 * database has recorded it, it is dropped: rather lost than counted twice.
 */
#ifndef USAGE_H
#define USAGE_H

#include "request.h"

#include <event2/event.h>

/* Sets up; needs the databases. */
void usage_open(struct event_base *base);

/* Counts a request that the database has answered as a use of what it has named; the name
 * is empty if it is no use of anything. */
void usage_count(const Request *request, Piece resource);

/* Sends what is left, for the end; to be called until it returns true: there is no more, or
 * the database refuses it. */
bool usage_end(void);
void usage_close(void);

#endif
