/*
 * What the unit tests share.
 *
 * JSON in tests is written with ' for ", which C need not escape.
 */
#ifndef FLAGSMITH_TEST_SUPPORT_H
#define FLAGSMITH_TEST_SUPPORT_H

#include "engine/platform.h"

#include <check.h>

#include "engine/json.h"

/* A copy that ends where it ends: ASan sees a step beyond. */
extern Str support_text(const char *text);

/* The same, each ' a ". */
extern Str support_quote(const char *json);

/* The tree of a JSON text with ' for "; a test fails if it is none. */
extern JsonValue support_parse(const char *json);

/* The text as a C string. */
extern char *support_cstring(Str text);

/* Overwrites all that a parsed tree consists of: whoever has kept a part of it is found out. */
extern void support_wipe(JsonValue *value);

/* A chain of count copies of part. */
extern char *support_repeat(const char *part, int count);

/* Fails unless the error is just this one; path may be NULL. */
extern void support_check_error(const EngineError *error, EngineErrorCode code,
								const char *path, const char *message);

/* Runs a suite of one case and returns the status to exit with. */
extern int support_run(const char *name, TCase *tcase);

#endif
