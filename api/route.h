/*
 * Where a request goes: to the database, or to one of the few things that the program
 * answers itself.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "request.h"

/* Answers a complete request, now or later. */
void route_request(Request *request);

#endif
