/*
 * A segment: rules over conditions, and the overrides that it brings to flags.
 */
#ifndef FLAGSMITH_SEGMENT_H
#define FLAGSMITH_SEGMENT_H

#include "feature.h"
#include "operator.h"
#include "property.h"

/*
 * How deep rules may be nested.  Flagsmith's dashboard makes 2 levels; Python's engine
 * gives up at about 300.
 */
#define RULE_MAX_DEPTH 500

typedef enum RuleType
{
	RULE_ALL,
	RULE_ANY,
	RULE_NONE,
	RULE_UNKNOWN /* the engine raises: never matches, unless it has nothing to match */
} RuleType;

typedef struct Condition
{
	const Operator *operator; /* NULL: unknown, never matches */
	Property property;
	Operand operand;
} Condition;

typedef struct Rule
{
	RuleType type;
	uint32 nconditions;
	Condition *conditions;
	uint32 nrules;
	struct Rule *rules;
} Rule;

typedef struct SegmentOverride
{
	uint32 flag; /* the number of the flag's name */
	FeatureContext feature;
} SegmentOverride;

typedef struct Segment
{
	Str name;
	Str name_json;    /* the name as JSON text */
	Str key;          /* what percentage splits are hashed with */
	Str metadata;     /* JSON text; length 0 if there is none worth showing */
	bool reads_flags; /* or may do so: its match can depend on other segments */
	uint32 nrules;
	Rule *rules;
	uint32 noverrides;
	SegmentOverride *overrides;
} Segment;

/* What the compiler of segments knows of their surroundings. */
typedef struct SegmentScope
{
	const JsonValue *root; /* the evaluation context */
	StrTable *traits;      /* names of the traits that conditions read */
	StrTable *flags;       /* names of flags */
	bool needs_root;       /* set when a condition reads the context by a query */
} SegmentScope;

/*
 * Compiles a segment of an evaluation context.  All that it keeps is in the current
 * memory context, but for regular expressions: *segment is to be given to
 * segment_release(), after an error too.  Returns false and fills in *error if json is
 * malformed.
 */
extern bool segment_compile(const JsonValue *json, const Path *path, SegmentScope *scope,
                            Segment *segment, EngineError *error);

extern void segment_release(Segment *segment);

/*
 * Checks a list of rules as a table or a document holds them, more strictly than an
 * evaluation does, which answers whatever it is given: an unknown operator or rule type
 * is an error here.
 */
extern bool segment_check_rules(const JsonValue *rules, const Path *path,
                                EngineError *error);

#endif
