/*
 * The headers of the database's answers: from a JSON object to lines of HTTP.
 */
#ifndef HEADERS_H
#define HEADERS_H

#include "job.h"

typedef struct Lines
{
	const char *data;
	size_t length;
} Lines;

/*
 * Returns the lines of such an object; they are good until the next call.  What is not a
 * text, or could end a line, is left out.  One header is not for the client: of what the
 * request counts as a use; empty if it is not there.
 */
Lines headers_from_json(const char *json, size_t length, Piece *resource);

#endif
