/*
 * A feature context: one way in which a flag can be answered, its variants in the order
 * of their buckets.  It is an environment's default, a segment's override or an
 * identity's.
 */
#ifndef FLAGSMITH_FEATURE_H
#define FLAGSMITH_FEATURE_H

#include "json.h"
#include "value.h"

typedef struct Variant
{
	Str key;             /* JSON text; "null" for a variant without key */
	Str value;           /* JSON text */
	Str weight;          /* as Python prints it, for the reason */
	double start, limit; /* its bucket: start <= percentage < limit */
} Variant;

typedef struct FeatureContext
{
	Str name;
	Str name_json; /* the name as JSON text */
	Str key;       /* what variants are hashed with; data == NULL if it has none */
	bool enabled;
	Str value; /* JSON text */
	uint32 nvariants;
	Variant *variants;
	Str metadata;          /* JSON text; length 0 if there is none worth showing */
	ContextValue priority; /* VALUE_NULL: none given, the weakest */
	Str attributes; /* JSON text of the member "attributes": the engine hands it through to
					 * its caller; length 0 if there is none */
	void *answers;  /* the caller's, for what it prepares; the engine leaves it alone */
} FeatureContext;

/* Which variant a flag has: an index into variants, or one of these. */
#define VARIANT_NONE (-1)
#define VARIANT_CONTROL (-2)

/*
 * Compiles one feature context.  All that it keeps is copied into the current memory
 * context.  Returns false and fills in *error if json is malformed.
 */
extern bool feature_compile(const JsonValue *json, const Path *path,
                            FeatureContext *feature, EngineError *error);

/* The metadata of a feature or a segment as its JSON text, a piece of json's; length 0 if
 * it is missing or what Python calls false. */
extern Str feature_metadata(const JsonValue *json);

/* Orders by priority, the strongest first: <0, 0 or >0. */
extern int feature_compare_priority(const FeatureContext *a, const FeatureContext *b);

/* Whether an override takes precedence over the one held so far (NULL: none): of equal
 * priorities the first wins. */
static inline bool
feature_wins(const FeatureContext *candidate, const FeatureContext *incumbent)
{
	return incumbent == NULL || feature_compare_priority(candidate, incumbent) < 0;
}

/* The variant of the identity whose key this is; identity_key.data may be NULL. */
extern int feature_choose_variant(const FeatureContext *feature, Str identity_key);

/* The value of the flag under that variant, as JSON text. */
extern Str feature_value(const FeatureContext *feature, int variant);

/* The variant's name as JSON text: "null", "\"control\"" or the variant's key. */
extern Str feature_variant_key(const FeatureContext *feature, int variant);

#endif
