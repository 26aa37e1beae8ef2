/*
 * Whether a segment matches: rules, conditions, and the values that conditions read.
 *
 * The order is the engine's, left to right with its short circuits, because reading a
 * flag can have effects (flags.c).
 */
#include "evaluation_internal.h"

/* What a query found, as a condition sees it: arrays and objects are null. */
static ContextValue
value_of_node(const JsonValue *node)
{
	if (node == NULL || node->type == JSON_ARRAY || node->type == JSON_OBJECT ||
	    node->type == JSON_FLAGS)
		return NULL_VALUE;
	return value_coerce(value_from_json(node));
}

/* The trait of that number; buffer is for one that is read now. */
static const Trait *
find_trait(const Evaluation *evaluation, uint32 number, Trait *buffer)
{
	const Identity *identity = evaluation->identity;

	if (identity->traits != NULL)
		return &identity->traits[number];
	*buffer = identity->read_trait(identity->argument,
	                               evaluation->environment->trait_names[number]);
	return buffer;
}

static ContextValue
read_identity(const Evaluation *evaluation, const Property *property)
{
	const Identity *identity = evaluation->identity;
	const Trait *trait;
	Trait buffer;

	if (identity == NULL)
		return NULL_VALUE;
	if (property->kind == PROPERTY_IDENTIFIER)
		return value_coerce(identity->identifier);
	if (property->kind == PROPERTY_IDENTITY_KEY)
		return value_coerce(identity->key);
	trait = find_trait(evaluation, property->path_trait, &buffer);
	return trait->nested ? NULL_VALUE : trait->value;
}

/* What a condition finds where no trait is named like its property. */
static ContextValue
read_elsewhere(Evaluation *evaluation, const Property *property)
{
	const Identity *identity = evaluation->identity;

	switch (property->kind)
	{
		case PROPERTY_HASH_KEY:
			if (identity == NULL || identity->hash_key.data == NULL)
				return NULL_VALUE;
			return (ContextValue){.type = VALUE_STRING, .string = identity->hash_key};
		case PROPERTY_TRAIT_PATH:
		case PROPERTY_IDENTIFIER:
		case PROPERTY_IDENTITY_KEY:
			return read_identity(evaluation, property);
		case PROPERTY_FLAG:
			return flags_read_member(evaluation, property->flag, property->member);
		case PROPERTY_CONSTANT:
			return property->constant;
		case PROPERTY_PATH:
			return value_of_node(flags_query(evaluation, property->path));
		case PROPERTY_TRAIT:
		case PROPERTY_REFUSED:
			break;
	}
	return NULL_VALUE;
}

/* What a condition compares: the trait named like the property comes before any path.
 * buffer is for what is read now. */
static const ContextValue *
read_property(Evaluation *evaluation, const Property *property, Trait *buffer)
{
	const Identity *identity = evaluation->identity;

	if (identity != NULL && property->kind != PROPERTY_HASH_KEY)
	{
		const Trait *trait = find_trait(evaluation, property->trait, buffer);

		if (trait->value.type != VALUE_NULL)
			return &trait->value;
	}
	buffer->value = read_elsewhere(evaluation, property);
	return &buffer->value;
}

static bool
match_condition(Evaluation *evaluation, const Condition *condition, Str segment_key)
{
	const Operator *operator= condition->operator;
	const ContextValue *value;
	Trait buffer;

	engine_check_interrupts();
	if (condition->property.kind == PROPERTY_REFUSED)
		return false;
	value = read_property(evaluation, &condition->property, &buffer);
	if (operator== NULL || value->type ==
	    VALUE_UNREADABLE ||(value->type == VALUE_NULL && !operator->takes_null))
		return false;
	if (operator->prepare != NULL && !condition->operand.valid)
		return false;
	return operator->matches(operator, & condition->operand, value, segment_key);
}

/* Goes on while the outcome is open: ALL stops at the first miss, the others at the
 * first hit. */
static bool
match_conditions(Evaluation *evaluation, const Rule *rule, Str segment_key)
{
	bool stop_at = rule->type != RULE_ALL;

	if (rule->nconditions == 0)
		return true;
	if (rule->type == RULE_UNKNOWN)
		return false;
	for (uint32 i = 0; i < rule->nconditions; i++)
		if (match_condition(evaluation, &rule->conditions[i], segment_key) == stop_at)
			return rule->type == RULE_ANY;
	return rule->type != RULE_ANY;
}

static bool match_rule(Evaluation *evaluation, const Rule *rule, Str segment_key);

static bool
match_subrules(Evaluation *evaluation, const Rule *rule, Str segment_key)
{
	bool stop_at = rule->type != RULE_ALL;

	if (rule->nrules == 0)
		return true;
	if (rule->type == RULE_UNKNOWN)
		return false;
	for (uint32 i = 0; i < rule->nrules; i++)
		if (match_rule(evaluation, &rule->rules[i], segment_key) == stop_at)
			return rule->type == RULE_ANY;
	return rule->type != RULE_ANY;
}

static bool
match_rule(Evaluation *evaluation, const Rule *rule, Str segment_key)
{
	bool conditions, rules;

	if (evaluation->depth >= EVALUATION_MAX_DEPTH)
		return false;
	evaluation->depth++;
	conditions = match_conditions(evaluation, rule, segment_key);
	/* the engine evaluates the sub-rules even so, which shows only where flags are read */
	rules = (conditions || evaluation->environment->reads_flags) &&
	        match_subrules(evaluation, rule, segment_key);
	evaluation->depth--;
	return conditions && rules;
}

bool
match_segment(Evaluation *evaluation, const Segment *segment)
{
	for (uint32 i = 0; i < segment->nrules; i++)
		if (!match_rule(evaluation, &segment->rules[i], segment->key))
			return false;
	return segment->nrules > 0;
}
