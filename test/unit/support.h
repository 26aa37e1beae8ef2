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

/* Up to eight texts with commas between. */
#define LIST_1(a) a
#define LIST_2(a, ...) a "," LIST_1(__VA_ARGS__)
#define LIST_3(a, ...) a "," LIST_2(__VA_ARGS__)
#define LIST_4(a, ...) a "," LIST_3(__VA_ARGS__)
#define LIST_5(a, ...) a "," LIST_4(__VA_ARGS__)
#define LIST_6(a, ...) a "," LIST_5(__VA_ARGS__)
#define LIST_7(a, ...) a "," LIST_6(__VA_ARGS__)
#define LIST_8(a, ...) a "," LIST_7(__VA_ARGS__)
#define LIST_NAME(a, b, c, d, e, f, g, h, name, ...) name
#define LIST(...)                                                                        \
	LIST_NAME(__VA_ARGS__, LIST_8, LIST_7, LIST_6, LIST_5, LIST_4, LIST_3, LIST_2,       \
	          LIST_1, )                                                                  \
	(__VA_ARGS__)

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
