/*
 * Answers to requests.
 *
 * Each carries the headers of CORS, a date, and says how its body is to be cached.  An
 * answer ends its request: nobody may use it afterwards.
 */
#ifndef REPLY_H
#define REPLY_H

#include "headers.h"
#include "request.h"

/* Sends an answer with these headers, compressed if that is worth it. */
void reply_send(Request *request, int status, Lines headers, const char *body,
                size_t length);

/* Sends JSON, or a text of another type, of the program's own: not to be cached. */
void reply_json(Request *request, int status, const char *json);
void reply_text(Request *request, const char *type, const char *text, size_t length);

/* Sends an error as the API in question says it: Flagsmith's, or OFREP's. */
void reply_error(Request *request, int status, const char *detail);
void reply_method_not_allowed(Request *request);

/* Answers a CORS preflight, whatever it asks for. */
void reply_preflight(Request *request);

/* Begins an answer whose body has no end yet, and goes on with it. */
void reply_begin_stream(Request *request);
void reply_continue_stream(Request *request, const char *text);
void reply_end_stream(Request *request);

/* Answers what could not be read as a request. */
void reply_refusal(Request *request, int status);

/* Tells a client that there are too many. */
void reply_refuse_connection(int fd);

#endif
