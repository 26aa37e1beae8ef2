/*
 * HTTP messages: reading a request's target and headers, writing a response.
 */
#ifndef FLAGSMITH_HTTP_MESSAGE_H
#define FLAGSMITH_HTTP_MESSAGE_H

#include "http.h"

/* A header of the request, its surrounding blanks cut off; "" if it is missing. */
extern Str http_header(const HttpRequest *request, const char *name);

/*
 * A parameter of the query, decoded as forms are ('+' is a space, what is no UTF-8 becomes
 * U+FFFD); the last of a name counts.  Returns false if it is missing.
 */
extern bool http_parameter(const HttpRequest *request, const char *name, Str *value);

/* Decodes percent escapes; a bad one stays as it is.  New in the current context. */
extern Str http_decode(Str text, bool plus_is_space);

/* Begins a response of JSON that caches must not keep. */
extern void http_begin(HttpResponse *response);

/* Adds a header; the value is a C string. */
extern void http_add_header(HttpResponse *response, const char *name, const char *value);

/* Replaces the status, and the body by {"detail": ...}. */
extern void http_error(HttpResponse *response, int status, const char *detail);

/* Replaces the status and the body. */
extern void http_answer(HttpResponse *response, int status, const char *body);

/* Tells the version of the environment: X-Flagsmith-Document-Updated-At. */
extern void http_add_updated_at(HttpResponse *response, const OpenEnvironment *open);

/*
 * Lets the client revalidate with this opaque tag instead of forbidding caches.  Returns
 * true if the client has the very same: then the response is a 304.
 */
extern bool http_add_etag(const HttpRequest *request, HttpResponse *response, uint64 tag);

/* A point in time as HTTP writes it, in a buffer of this size. */
#define HTTP_TIME_SIZE 40
extern void http_format_time(TimestampTz moment, char *buffer);

/* The time of a header in whole seconds since 1970, UTC; false if it is none.  Reads "GMT"
 * and, as one edge proxy writes, "+0000". */
extern bool http_parse_time(Str text, int64 *seconds);

/* Whole seconds since 1970. */
extern int64 http_epoch(TimestampTz moment);

#endif
