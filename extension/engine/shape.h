/*
 * Checks of a JSON document's shape: what a member must be, and an error that names the
 * path where it is not.
 */
#ifndef FLAGSMITH_SHAPE_H
#define FLAGSMITH_SHAPE_H

#include "json.h"

/* Sets of JsonType. */
#define SHAPE(type) (1 << (type))
#define SHAPE_ANY (~0)
#define SHAPE_OR_NULL(type) (SHAPE(type) | SHAPE(JSON_NULL))

/*
 * Finds the member `name` of object, which must be of one of the types.  *member is NULL
 * if it is missing; where it is required that is an error too.
 */
extern bool shape_optional(const JsonValue *object, Str name, int types, const Path *path,
                           const JsonValue **member, EngineError *error);
extern bool shape_required(const JsonValue *object, Str name, int types, const Path *path,
                           const JsonValue **member, EngineError *error);

/* Whether value is of one of the types. */
extern bool shape_check(const JsonValue *value, int types, const Path *path,
                        EngineError *error);

#endif
