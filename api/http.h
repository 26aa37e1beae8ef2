/*
 * The protocol: from bytes to a request.
 */
#ifndef HTTP_H
#define HTTP_H

#include "connection.h"

typedef enum HttpState
{
	HTTP_PARTIAL,  /* all bytes are used, and the request goes on */
	HTTP_COMPLETE, /* it is there; bytes may be left */
	HTTP_REFUSED   /* it was answered, or nobody is there any more */
} HttpState;

/* Finds a new request under way; false if there is no memory for one. */
bool http_begin(Connection *connection);

/* Reads on in the request under way; tells how many bytes were its own. */
HttpState http_read(Connection *connection, const char *data, size_t length,
                    size_t *used);

/* Answers what cannot be read as a request; what follows it cannot either. */
void http_refuse(Connection *connection, int status, const char *method);

#endif
