/*
 * What counts have in common that clients and API tiers send: a number, and of whom.
 */
#ifndef FLAGSMITH_HTTP_COUNT_H
#define FLAGSMITH_HTTP_COUNT_H

#include "http.h"

/* A count that can be added: a positive integer that is no absurd one; else 0. */
extern int64 http_count_read(const JsonValue *value);

/* What the client says of itself in a request's headers: labels, as a JSON object. */
extern Str http_count_labels(const HttpRequest *request);

#endif
