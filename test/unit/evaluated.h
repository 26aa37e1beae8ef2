/*
 * A context, evaluated: for the tests of what makes an evaluation.
 *
 * The macros write contexts whose features are off and have the value 0.
 */
#ifndef FLAGSMITH_TEST_EVALUATED_H
#define FLAGSMITH_TEST_EVALUATED_H

#include "support.h"

#include "engine/context.h"

#define FEATURE(name) "'" name "': {'name': '" name "', 'enabled': false, 'value': 0}"

/* An override that is on; more are members that follow the value. */
#define OVERRIDE(name, value) "{'name': '" name "', 'enabled': true, 'value': " value "}"
#define OVERRIDE_AT(priority, name, value)                                               \
	"{'name': '" name "', 'enabled': true, 'value': " value ", 'priority': " priority "}"

/* A segment, and one of one rule, all of whose conditions are to match. */
#define SEGMENT_OF(name, rules, overrides)                                               \
	"'" name "': {'name': '" name "', 'key': '" name "', 'overrides': [" overrides "],"  \
	" 'rules': [" rules "]}"
#define SEGMENT(name, conditions, overrides)                                             \
	SEGMENT_OF(name, "{'type': 'ALL', 'conditions': [" conditions "]}", overrides)

#define CONDITION(property, operator, value)                                             \
	"{'property': '" property "', 'operator': '" operator"', 'value': '" value "'}"
#define ALWAYS CONDITION("always", "IS_NOT_SET", "")
#define NEVER CONDITION("always", "IS_SET", "")

/* Conditions that read a flag. */
#define IS_ON(flag) CONDITION("$.flags." flag ".enabled", "EQUAL", "true")
#define IS_OFF(flag) CONDITION("$.flags." flag ".enabled", "EQUAL", "false")
#define IS_UNKNOWN(flag) CONDITION("$.flags." flag ".enabled", "IS_NOT_SET", "")

#define CONTEXT(features, segments)                                                      \
	"{'environment': {'key': 'e', 'name': 'e'}, 'identity': {'identifier': 'i', 'key': " \
	"'k'},"                                                                              \
	" 'features': {" features "}, 'segments': {" segments "}}"

typedef struct Evaluated
{
	JsonValue context;
	Environment *environment;
	Identity identity;
	bool has_identity;
	EvaluationResult result;
} Evaluated;

/* Compiles a context and reads its identity; a test fails if it is malformed. */
extern Evaluated *evaluated_prepare(const char *json);

/* The same, and evaluates it. */
extern Evaluated *evaluated_run(const char *json);

/* The identity, NULL where the context has none. */
extern const Identity *evaluated_identity(const Evaluated *evaluated);

/* One flag of the result: "a on 1 STATIC", "a off \"x\" (\"variant\") SPLIT; weight=30". */
extern char *evaluated_flag(const FlagResult *flag);

/* The whole result: "a on 1 STATIC / b off 0 DEFAULT / in s, t". */
extern char *evaluated_summary(const EvaluationResult *result);

#endif
