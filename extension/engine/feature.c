/*
 * Feature contexts: reading them, and choosing among their variants.
 */
#include "feature.h"

#include <math.h>

#include "hash.h"
#include "pynumber.h"
#include "pystr.h"
#include "shape.h"

/* A variant and what it is sorted by. */
typedef struct Candidate
{
	ContextValue priority;
	uint32 position;
	ContextValue weight;
	Variant variant;
} Candidate;

static double
to_double(const ContextValue *number)
{
	double result = 0;

	if (number->type == VALUE_FLOAT)
		return number->number;
	/* an int beyond every float makes a bucket without end */
	return py_int_to_float(number, &result) ? result : INFINITY;
}

static bool
read_variant(const JsonValue *json, const Path *path, Candidate *candidate,
             EngineError *error)
{
	const JsonValue *value, *weight, *priority, *key;

	if (!shape_check(json, SHAPE(JSON_OBJECT), path, error) ||
	    !shape_required(json, STR("value"), SHAPE_ANY, path, &value, error) ||
	    !shape_required(json, STR("weight"), SHAPE(JSON_NUMBER), path, &weight, error) ||
	    !shape_required(json, STR("priority"), SHAPE(JSON_NUMBER), path, &priority,
	                    error) ||
	    !shape_optional(json, STR("key"), SHAPE_OR_NULL(JSON_STRING), path, &key, error))
		return false;

	candidate->priority = value_from_json(priority);
	candidate->weight = value_from_json(weight);
	candidate->variant.weight = py_str_text(weight);
	candidate->variant.value = str_copy(value->raw);
	candidate->variant.key = key == NULL ? STR("null") : str_copy(key->raw);
	return true;
}

static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *left = a;
	const Candidate *right = b;
	int order = value_compare_numbers(&left->priority, &right->priority);

	/* stable, as Python's sort is */
	return order != 0 ? order : (left->position < right->position ? -1 : 1);
}

/* Sorts the candidates and lays out their buckets, adding up as the engine does. */
static void
lay_out(Candidate *candidates, FeatureContext *feature)
{
	double start = 0.0;

	qsort(candidates, feature->nvariants, sizeof(Candidate), compare_candidates);
	for (uint32 i = 0; i < feature->nvariants; i++)
	{
		Variant *variant = &feature->variants[i];

		*variant = candidates[i].variant;
		variant->start = start;
		variant->limit = to_double(&candidates[i].weight) + start;
		start = variant->limit;
	}
}

static bool
read_variants(const JsonValue *json, const Path *path, FeatureContext *feature,
              EngineError *error)
{
	Candidate *candidates;

	if (json == NULL || json->type == JSON_NULL || json->count == 0)
		return true;
	if (feature->key.data == NULL)
		return engine_error(error, ENGINE_MALFORMED, path->parent,
		                    "member \"key\" is missing");

	candidates = palloc(sizeof(Candidate) * json->count);
	for (uint32 i = 0; i < json->count; i++)
	{
		Path step = path_element(path, i);

		candidates[i].position = i;
		if (!read_variant(&json->elements[i], &step, &candidates[i], error))
			return false;
	}
	feature->nvariants = json->count;
	feature->variants = palloc(sizeof(Variant) * json->count);
	lay_out(candidates, feature);
	pfree(candidates);
	return true;
}

Str
feature_metadata(const JsonValue *json)
{
	const JsonValue *metadata = json_get(json, STR("metadata"));

	return metadata != NULL && py_is_true(metadata) ? metadata->raw : STR("");
}

/* Copies the texts, which are pieces of the JSON so far. */
static void
copy_texts(FeatureContext *feature)
{
	Str *texts[] = {&feature->name,  &feature->name_json, &feature->key,
	                &feature->value, &feature->metadata,  &feature->attributes};

	str_copy_all(texts, lengthof(texts));
}

bool
feature_compile(const JsonValue *json, const Path *path, FeatureContext *feature,
                EngineError *error)
{
	const JsonValue *name, *enabled, *value, *key, *variants, *priority, *attributes;
	Path variants_path = path_member(path, STR("variants"));

	memset(feature, 0, sizeof(*feature));
	if (!shape_check(json, SHAPE(JSON_OBJECT), path, error) ||
	    !shape_required(json, STR("name"), SHAPE(JSON_STRING), path, &name, error) ||
	    !shape_required(json, STR("enabled"), SHAPE(JSON_BOOL), path, &enabled, error) ||
	    !shape_required(json, STR("value"), SHAPE_ANY, path, &value, error) ||
	    !shape_optional(json, STR("key"), SHAPE_ANY, path, &key, error) ||
	    !shape_optional(json, STR("priority"), SHAPE_OR_NULL(JSON_NUMBER), path,
	                    &priority, error) ||
	    !shape_optional(json, STR("variants"), SHAPE_OR_NULL(JSON_ARRAY), path, &variants,
	                    error))
		return false;

	feature->name = name->string;
	feature->name_json = name->raw;
	feature->enabled = enabled->boolean;
	feature->value = value->raw;
	if (key != NULL)
		feature->key = key->type == JSON_STRING ? key->string : py_str_text(key);
	feature->priority =
		priority == NULL ? NULL_VALUE : value_copy(value_from_json(priority));
	feature->metadata = feature_metadata(json);
	attributes = json_get(json, STR("attributes"));
	feature->attributes = attributes == NULL ? STR("") : attributes->raw;
	copy_texts(feature);
	return read_variants(variants, &variants_path, feature, error);
}

int
feature_compare_priority(const FeatureContext *a, const FeatureContext *b)
{
	bool a_given = a->priority.type != VALUE_NULL;
	bool b_given = b->priority.type != VALUE_NULL;

	if (a_given && b_given)
		return value_compare_numbers(&a->priority, &b->priority);
	/* none given counts as infinity, which a huge float literal reaches too */
	if (a_given)
		return isinf(to_double(&a->priority)) && a->priority.type == VALUE_FLOAT &&
		               a->priority.number > 0
		           ? 0
		           : -1;
	if (b_given)
		return -feature_compare_priority(b, a);
	return 0;
}

int
feature_choose_variant(const FeatureContext *feature, Str identity_key)
{
	Str ids[2] = {feature->key, identity_key};
	double percentage;

	if (feature->nvariants == 0 || identity_key.data == NULL)
		return VARIANT_NONE;
	percentage = hash_percentage(ids, 2);
	for (uint32 i = 0; i < feature->nvariants; i++)
		if (feature->variants[i].start <= percentage &&
		    percentage < feature->variants[i].limit)
			return (int) i;
	return VARIANT_CONTROL;
}

Str
feature_value(const FeatureContext *feature, int variant)
{
	return variant >= 0 ? feature->variants[variant].value : feature->value;
}

Str
feature_variant_key(const FeatureContext *feature, int variant)
{
	if (variant == VARIANT_NONE)
		return STR("null");
	return variant == VARIANT_CONTROL ? STR("\"control\"")
	                                  : feature->variants[variant].key;
}
