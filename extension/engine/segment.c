/*
 * Compiling segments.
 */
#include "segment.h"

#include "pystr.h"
#include "shape.h"

static uint32
count_of(const JsonValue *list)
{
	return list == NULL || list->type != JSON_ARRAY ? 0 : list->count;
}

static RuleType
find_rule_type(const JsonValue *name)
{
	if (name == NULL || name->type != JSON_STRING)
		return RULE_UNKNOWN;
	if (str_equal(name->string, STR("ALL")))
		return RULE_ALL;
	if (str_equal(name->string, STR("ANY")))
		return RULE_ANY;
	if (str_equal(name->string, STR("NONE")))
		return RULE_NONE;
	return RULE_UNKNOWN;
}

/*
 * The property of a condition.  Environment documents call it `property_`, and mean the
 * empty name by null; in a context anything but a string makes the engine raise.
 */
static const JsonValue *
find_property(const JsonValue *json)
{
	static const JsonValue empty = {.type = JSON_STRING, .string = STR_INIT("")};
	const JsonValue *property = json_get(json, STR("property"));

	if (property != NULL)
		return property;
	property = json_get(json, STR("property_"));
	return property != NULL && property->type == JSON_NULL ? &empty : property;
}

/* Compiles the property: a split without one takes the identity's key. */
static Property
compile_property(const JsonValue *property, bool is_split, SegmentScope *scope)
{
	if (property == NULL)
		return (Property){.kind = PROPERTY_REFUSED};
	if (is_split && !py_is_true(property))
		return (Property){.kind = PROPERTY_HASH_KEY};
	if (property->type != JSON_STRING)
		return (Property){.kind = PROPERTY_REFUSED};
	return property_compile(property->string, scope->root, scope->traits, scope->flags);
}

static bool
compile_condition(const JsonValue *json, const Path *path, SegmentScope *scope,
                  Condition *condition, EngineError *error)
{
	const JsonValue *operator;

	if (!shape_check(json, SHAPE(JSON_OBJECT), path, error))
		return false;

	operator= json_get(json, STR("operator"));
	/* without an operator the engine raises, before it reads any property */
	condition->property.kind = PROPERTY_REFUSED;
	if (operator== NULL)
		return true;
	if (operator->type == JSON_STRING)
		condition->operator= operator_find(operator->string);
	condition->property = compile_property(find_property(json),
	                                       operator_is_split(condition->operator), scope);
	scope->needs_root |= condition->property.kind == PROPERTY_PATH;
	if (condition->operator!= NULL && condition->operator->prepare != NULL)
		condition->operator->prepare(json_get(json, STR("value")), &condition->operand);
	return true;
}

static bool
compile_conditions(const JsonValue *list, const Path *path, SegmentScope *scope,
                   Rule *rule, EngineError *error)
{
	uint32 count = count_of(list);

	rule->conditions = palloc0(sizeof(Condition) * Max(count, 1));
	rule->nconditions = count;
	for (uint32 i = 0; i < count; i++)
	{
		Path step = path_element(path, i);

		engine_check_interrupts();
		if (!compile_condition(&list->elements[i], &step, scope, &rule->conditions[i],
		                       error))
			return false;
	}
	return true;
}

static bool compile_rules(const JsonValue *list, const Path *path, int depth,
                          SegmentScope *scope, uint32 *nrules, Rule **rules,
                          EngineError *error);

static bool
compile_rule(const JsonValue *json, const Path *path, int depth, SegmentScope *scope,
             Rule *rule, EngineError *error)
{
	const JsonValue *type, *conditions, *rules;
	Path conditions_path = path_member(path, STR("conditions"));
	Path rules_path = path_member(path, STR("rules"));

	if (depth > RULE_MAX_DEPTH)
		return engine_error(error, ENGINE_TOO_DEEP, NULL,
		                    "rules are nested deeper than %d levels", RULE_MAX_DEPTH);
	if (!shape_check(json, SHAPE(JSON_OBJECT), path, error) ||
	    !shape_optional(json, STR("type"), SHAPE_ANY, path, &type, error) ||
	    !shape_optional(json, STR("conditions"), SHAPE_OR_NULL(JSON_ARRAY), path,
	                    &conditions, error) ||
	    !shape_optional(json, STR("rules"), SHAPE_OR_NULL(JSON_ARRAY), path, &rules,
	                    error))
		return false;

	rule->type = find_rule_type(type);
	return compile_conditions(conditions, &conditions_path, scope, rule, error) &&
	       compile_rules(rules, &rules_path, depth + 1, scope, &rule->nrules,
	                     &rule->rules, error);
}

static bool
compile_rules(const JsonValue *list, const Path *path, int depth, SegmentScope *scope,
              uint32 *nrules, Rule **rules, EngineError *error)
{
	uint32 count = count_of(list);

	*rules = palloc0(sizeof(Rule) * Max(count, 1));
	*nrules = count;
	for (uint32 i = 0; i < count; i++)
	{
		Path step = path_element(path, i);

		if (!compile_rule(&list->elements[i], &step, depth, scope, &(*rules)[i], error))
			return false;
	}
	return true;
}

static bool
rules_read_flags(const Rule *rules, uint32 nrules)
{
	for (uint32 i = 0; i < nrules; i++)
	{
		for (uint32 j = 0; j < rules[i].nconditions; j++)
			if (rules[i].conditions[j].property.reads_flags)
				return true;
		if (rules_read_flags(rules[i].rules, rules[i].nrules))
			return true;
	}
	return false;
}

static bool
compile_overrides(const JsonValue *list, const Path *path, SegmentScope *scope,
                  Segment *segment, EngineError *error)
{
	uint32 count = count_of(list);

	segment->overrides = palloc0(sizeof(SegmentOverride) * Max(count, 1));
	segment->noverrides = count;
	for (uint32 i = 0; i < count; i++)
	{
		Path step = path_element(path, i);
		SegmentOverride *override = &segment->overrides[i];

		engine_check_interrupts();
		if (!feature_compile(&list->elements[i], &step, &override->feature, error))
			return false;
		override->flag = strtable_add(scope->flags, override->feature.name);
	}
	return true;
}

/* Copies the texts, which are pieces of the JSON so far. */
static void
copy_texts(Segment *segment)
{
	Str *texts[] = {&segment->name, &segment->name_json, &segment->key,
	                &segment->metadata};

	str_copy_all(texts, lengthof(texts));
}

bool
segment_compile(const JsonValue *json, const Path *path, SegmentScope *scope,
                Segment *segment, EngineError *error)
{
	const JsonValue *name, *key, *rules, *overrides;
	Path rules_path = path_member(path, STR("rules"));
	Path overrides_path = path_member(path, STR("overrides"));

	memset(segment, 0, sizeof(*segment));
	if (!shape_check(json, SHAPE(JSON_OBJECT), path, error) ||
	    !shape_required(json, STR("name"), SHAPE(JSON_STRING), path, &name, error) ||
	    !shape_required(json, STR("key"), SHAPE_ANY, path, &key, error) ||
	    !shape_required(json, STR("rules"), SHAPE_OR_NULL(JSON_ARRAY), path, &rules,
	                    error) ||
	    !shape_optional(json, STR("overrides"), SHAPE_OR_NULL(JSON_ARRAY), path,
	                    &overrides, error))
		return false;

	segment->name = name->string;
	segment->name_json = name->raw;
	segment->key = key->type == JSON_STRING ? key->string : py_str_text(key);
	segment->metadata = feature_metadata(json);
	copy_texts(segment);
	if (!compile_rules(rules, &rules_path, 1, scope, &segment->nrules, &segment->rules,
	                   error))
		return false;
	segment->reads_flags = rules_read_flags(segment->rules, segment->nrules);
	return compile_overrides(overrides, &overrides_path, scope, segment, error);
}

static void
release_rules(Rule *rules, uint32 nrules)
{
	for (uint32 i = 0; i < nrules; i++)
	{
		for (uint32 j = 0; j < rules[i].nconditions; j++)
			operator_release(
				rules[i].conditions[j].operator, & rules[i].conditions[j].operand);
		release_rules(rules[i].rules, rules[i].nrules);
	}
}

void
segment_release(Segment *segment)
{
	if (segment->rules != NULL)
		release_rules(segment->rules, segment->nrules);
}

/* Checks what compiling lets pass, because an evaluation answers even so. */
static bool
check_rule(const JsonValue *json, const Rule *rule, const Path *path, EngineError *error)
{
	Path conditions_path = path_member(path, STR("conditions"));
	Path rules_path = path_member(path, STR("rules"));
	const JsonValue *rules = json_get(json, STR("rules"));

	if (rule->type == RULE_UNKNOWN)
	{
		Path type_path = path_member(path, STR("type"));

		return engine_error(error, ENGINE_MALFORMED, &type_path,
		                    "a rule's type is one of ALL, ANY and NONE");
	}
	for (uint32 i = 0; i < rule->nconditions; i++)
	{
		Path step = path_element(&conditions_path, i);
		Path operator_path = path_member(&step, STR("operator"));

		if (rule->conditions[i].operator== NULL)
			return engine_error(error, ENGINE_MALFORMED, &operator_path,
			                    "unknown operator");
	}
	for (uint32 i = 0; i < rule->nrules; i++)
	{
		Path step = path_element(&rules_path, i);

		if (!check_rule(&rules->elements[i], &rule->rules[i], &step, error))
			return false;
	}
	return true;
}

bool
segment_check_rules(const JsonValue *rules, const Path *path, EngineError *error)
{
	JsonValue nothing = {.type = JSON_NULL};
	SegmentScope scope = {
		.root = &nothing, .traits = strtable_create(8), .flags = strtable_create(8)};
	uint32 nrules = 0;
	Rule *compiled = NULL;
	bool valid = shape_check(rules, SHAPE(JSON_ARRAY), path, error) &&
	             compile_rules(rules, path, 1, &scope, &nrules, &compiled, error);

	for (uint32 i = 0; valid && i < nrules; i++)
	{
		Path step = path_element(path, i);

		valid = check_rule(&rules->elements[i], &compiled[i], &step, error);
	}
	release_rules(compiled, compiled == NULL ? 0 : nrules);
	return valid;
}
