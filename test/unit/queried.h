/*
 * JSONPath queries, parsed and run.
 */
#ifndef FLAGSMITH_TEST_QUERIED_H
#define FLAGSMITH_TEST_QUERIED_H

#include "support.h"

#include "engine/jsonpath.h"

/* The tree of a JSON text, with ". */
extern JsonValue queried_document(const char *text);

/* Parses a query, of whose text nothing may be kept. */
extern JsonPathStatus queried_parse(const char *text, JsonPath *path);

/* Asserts what the query finds first, as JSON text; NULL if nothing. */
extern void queried_assert(const char *query, const char *json, const char *expected);

#endif
