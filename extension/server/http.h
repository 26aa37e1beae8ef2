/*
 * Flagsmith's SDK API and OFREP, from the request to the answer.
 *
 * A handler reads the request and writes the response.  What a client gets wrong is a
 * status with a JSON body, never an SQL error, so that many requests can share one
 * statement.
 */
#ifndef FLAGSMITH_HTTP_H
#define FLAGSMITH_HTTP_H

#include "lib/stringinfo.h"

#include "cache.h"

typedef enum HttpMethod
{
	HTTP_GET = 1,
	HTTP_POST = 2
} HttpMethod;

typedef struct HttpRequest
{
	HttpMethod method;
	Str path;          /* as it came, percent-encoded */
	Str query;         /* likewise, without the '?' */
	Str rest;          /* of a path that begins with a route's: what follows, decoded */
	JsonValue headers; /* an object, names in lower case */
	Str text;          /* the body as it came */
	JsonValue body;    /* of a POST: parsed; an object if the route wants one */
	OpenEnvironment open;
} HttpRequest;

typedef struct HttpResponse
{
	int status;
	StringInfoData headers; /* a JSON object that is not closed yet */
	StringInfoData body;    /* a text that is not ended yet (argument_begin_text) */
	Str resource; /* of which the request counts as one use; data == NULL: of none */
} HttpResponse;

typedef void (*HttpHandler)(HttpRequest *request, HttpResponse *response);

/* The handlers, one a route and method. */
extern void http_get_flags(HttpRequest *request, HttpResponse *response);
extern void http_get_identity(HttpRequest *request, HttpResponse *response);
extern void http_post_identity(HttpRequest *request, HttpResponse *response);
extern void http_post_trait(HttpRequest *request, HttpResponse *response);
extern void http_post_traits(HttpRequest *request, HttpResponse *response);
extern void http_increment_trait(HttpRequest *request, HttpResponse *response);
extern void http_get_document(HttpRequest *request, HttpResponse *response);
extern void http_post_analytics(HttpRequest *request, HttpResponse *response);
extern void http_post_analytics_v2(HttpRequest *request, HttpResponse *response);
extern void http_ofrep_flags(HttpRequest *request, HttpResponse *response);
extern void http_ofrep_flag(HttpRequest *request, HttpResponse *response);

/* Whether requests are counted as uses of what has this name. */
extern bool http_is_resource(Str name);

/* Makes what has been written visible to the queries that follow. */
extern void http_see_writes(void);

#endif
