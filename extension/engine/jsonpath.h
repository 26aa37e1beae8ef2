/*
 * JSONPath, RFC 9535, as Flagsmith's engine uses it: a condition's property that starts
 * with "$." names the first node that the query finds in the evaluation context.
 *
 * The behaviour is that of the Python package jsonpath-rfc9535 0.2.0, filters and their
 * functions included.
 */
#ifndef FLAGSMITH_JSONPATH_H
#define FLAGSMITH_JSONPATH_H

#include "json.h"

typedef enum JsonPathStatus
{
	JSONPATH_OK,
	JSONPATH_SYNTAX, /* no JSONPath: the property is a trait's name */
	JSONPATH_REFUSED /* well-formed, but an index, a type or a function is wrong: Python
					  * raises, so the condition is false whatever its operator */
} JsonPathStatus;

typedef enum JsonPathSelectorType
{
	SELECTOR_NAME,
	SELECTOR_INDEX,
	SELECTOR_SLICE,
	SELECTOR_WILDCARD,
	SELECTOR_FILTER
} JsonPathSelectorType;

typedef struct JsonPathSelector
{
	JsonPathSelectorType type;
	Str name;                           /* SELECTOR_NAME, decoded */
	int64 index;                        /* SELECTOR_INDEX */
	bool has_start, has_stop, has_step; /* SELECTOR_SLICE */
	int64 start, stop, step;
	struct JsonPathFilter *filter; /* SELECTOR_FILTER, opaque */
} JsonPathSelector;

typedef struct JsonPathSegment
{
	bool descendant; /* `..` */
	int nselectors;
	JsonPathSelector *selectors;
} JsonPathSegment;

typedef struct JsonPath
{
	int nsegments;
	JsonPathSegment *segments;
} JsonPath;

/*
 * Parses text into *path, all of it in the current memory context (text is not kept).
 * Regular expressions inside filters are compiled when they are used.
 */
extern JsonPathStatus jsonpath_parse(Str text, JsonPath *path);

/* Whether the query can find one node at most: names and indexes only, no `..`. */
extern bool jsonpath_is_singular(const JsonPath *path);

/*
 * The `flags` member of the context: an object whose members are made when a name
 * selector first reads them.  Both functions return NULL for "none"; what they return
 * must live as long as the evaluation.
 */
typedef struct JsonFlags
{
	/* The flag of that name, resolved now if need be; NULL reads as a null node. */
	const JsonValue *(*get)(struct JsonFlags *flags, Str name);
	/* The index-th (from 0) of those resolved so far, or NULL when there are no more. */
	const JsonValue *(*at)(struct JsonFlags *flags, uint32 index);
	/* Levels of recursion of those queries that get() is called from, directly or not: 0 at
	 * first, kept by jsonpath_first(). */
	int recursion;
} JsonFlags;

/*
 * The first node that path finds in root, or NULL if it finds none (or descends deeper
 * than the 100 levels that the Python package allows).  A name selector on a JSON_FLAGS
 * value always finds a node.  Nodes are visited strictly in the query's order and only as
 * far as needed, because reading a flag has effects.
 */
extern const JsonValue *jsonpath_first(const JsonPath *path, const JsonValue *root);

#endif
