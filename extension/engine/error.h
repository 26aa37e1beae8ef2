/*
 * How the engine reports what is wrong with its input: it fills in an EngineError and
 * returns false or NULL.  It never throws; the SQL entry points turn the error into
 * SQLSTATE, message, DETAIL and HINT.
 */
#ifndef FLAGSMITH_ERROR_H
#define FLAGSMITH_ERROR_H

#include "str.h"

typedef enum EngineErrorCode
{
	ENGINE_INVALID_JSON, /* not JSON, or JSON whose text PostgreSQL cannot hold */
	ENGINE_MALFORMED,    /* JSON of another shape than asked for */
	ENGINE_TOO_DEEP,     /* nested beyond a named limit */
	ENGINE_TOO_LARGE     /* longer or more than a named limit */
} EngineErrorCode;

typedef struct EngineError
{
	EngineErrorCode code;
	char *message; /* one line, no full stop; shows no trait value and no key */
	char *path;    /* where: "$.segments.s1.rules[0]"; NULL if nowhere in particular */
} EngineError;

/*
 * A place in a JSON document, as a list on the C stack from the innermost step outwards;
 * costs nothing until an error has to name it.
 */
typedef struct Path
{
	const struct Path *parent; /* NULL: this is the root, "$" */
	Str name;                  /* the member's name, or data == NULL for an element */
	uint32 index;              /* the element's number */
} Path;

/* The document itself. */
#define PATH_ROOT ((Path){NULL, {NULL, 0}, 0})

static inline Path
path_member(const Path *parent, Str name)
{
	return (Path){parent, name, 0};
}

static inline Path
path_element(const Path *parent, uint32 index)
{
	return (Path){parent, {NULL, 0}, index};
}

/* The path as text, in the current memory context: "$.features['a b'].variants[2]". */
extern char *path_text(const Path *path);

/* Fills in *error and returns false, for "return engine_error(...)". */
extern bool engine_error(EngineError *error, EngineErrorCode code, const Path *path,
                         const char *format, ...) pg_attribute_printf(4, 5);

#endif
