/*
 * Finding the nodes of a JSONPath query.
 *
 * The query's segments are walked depth first: a node that one segment selects goes
 * through all that follow before the next one is looked for.  So nodes come in the
 * query's order, nothing is read that is not needed for the first one, and no list of
 * nodes is ever held.
 *
 * Where Python raises an exception there is no answer: evaluation->failed is set and the
 * walk ends.  It differs from Python's in two limits that no real document meets: a chain
 * of names and indexes may be of any length, where Python stops at some 980; and what is
 * nested beyond JSONPATH_MAX_RECURSION fails, where Python counts its own stack.
 */
#include "jsonpath_internal.h"

typedef struct Walk
{
	JsonPathEvaluation *evaluation;
	const JsonPath *path;
	const JsonValue *root;
	bool first_only;
	JsonPathNodes *nodes;
} Walk;

/* The children of a value, in order; those of a scalar are none. */
typedef struct Children
{
	const JsonValue *parent;
	uint32 next;
	uint32 count;
} Children;

static bool walk(Walk *this, const JsonValue *node, int segment);

uint32
jsonpath_object_count(const JsonValue *object)
{
	uint32 count = 0;

	if (object->type != JSON_FLAGS)
		return object->count;
	while (object->flags->at(object->flags, count) != NULL)
		count++;
	return count;
}

static bool
is_container(const JsonValue *value)
{
	return value->type == JSON_ARRAY || value->type == JSON_OBJECT ||
	       value->type == JSON_FLAGS;
}

static Children
children_of(const JsonValue *value)
{
	Children children = {value, 0,
	                     is_container(value) ? jsonpath_object_count(value) : 0};

	return children;
}

/*
 * Returns the next child, or NULL.  As Python refuses to go on through a dict that has
 * grown, flags that were resolved since the first child make the evaluation fail.
 */
static const JsonValue *
next_child(JsonPathEvaluation *evaluation, Children *children)
{
	const JsonValue *parent = children->parent;
	uint32 index = children->next;

	engine_check_interrupts();
	if (parent->type == JSON_FLAGS &&
	    parent->flags->at(parent->flags, children->count) != NULL)
		evaluation->failed = true;
	if (evaluation->failed || index >= children->count)
		return NULL;
	children->next++;
	switch (parent->type)
	{
		case JSON_ARRAY:
			return &parent->elements[index];
		case JSON_OBJECT:
			return &parent->members[index].value;
		default:
			return parent->flags->at(parent->flags, index);
	}
}

/* Reads a flag, of which any name has one.  That may evaluate further queries. */
static const JsonValue *
get_flag(JsonPathEvaluation *evaluation, JsonFlags *flags, Str name)
{
	static const JsonValue null_value = {.type = JSON_NULL, .raw = STR_INIT("null")};
	const JsonValue *flag;

	if (flags->recursion + evaluation->recursion > JSONPATH_MAX_RECURSION)
	{
		evaluation->failed = true;
		return NULL;
	}
	flags->recursion += evaluation->recursion;
	flag = flags->get(flags, name);
	flags->recursion -= evaluation->recursion;
	return flag != NULL ? flag : &null_value;
}

static const JsonValue *
get_element(const JsonValue *array, int64 index)
{
	if (array->type != JSON_ARRAY)
		return NULL;
	if (index < 0)
		index += array->count;
	return index >= 0 && index < array->count ? &array->elements[index] : NULL;
}

static bool
is_single(const JsonPathSelector *selector)
{
	return selector->type == SELECTOR_NAME || selector->type == SELECTOR_INDEX;
}

/* What a selector of one name or index finds, or NULL. */
static const JsonValue *
select_single(JsonPathEvaluation *evaluation, const JsonPathSelector *selector,
              const JsonValue *node)
{
	if (selector->type == SELECTOR_INDEX)
		return get_element(node, selector->index);
	if (node->type == JSON_FLAGS)
		return get_flag(evaluation, node->flags, selector->name);
	return json_get(node, selector->name);
}

/* Brings a bound of a slice, negative if counted from the end, into the array's range. */
static int64
clamp_bound(int64 bound, int64 count, bool backwards)
{
	int64 lowest = backwards ? -1 : 0;
	int64 highest = backwards ? count - 1 : count;

	if (bound < 0)
		bound += count;
	return Max(lowest, Min(bound, highest));
}

/* The functions below return false when the walk is to end. */

static bool
walk_slice(Walk *this, const JsonValue *array, const JsonPathSelector *slice, int segment)
{
	int64 count = array->count;
	int64 step = slice->has_step ? slice->step : 1;
	bool backwards = step < 0;
	int64 start = backwards ? count - 1 : 0;
	int64 stop = backwards ? -1 : count;

	if (array->type != JSON_ARRAY || step == 0)
		return true;
	if (slice->has_start)
		start = clamp_bound(slice->start, count, backwards);
	if (slice->has_stop)
		stop = clamp_bound(slice->stop, count, backwards);
	for (int64 i = start; backwards ? i > stop : i < stop; i += step)
	{
		engine_check_interrupts();
		if (!walk(this, &array->elements[i], segment))
			return false;
	}
	return true;
}

/* Walks on with each child, or with each that passes the filter. */
static bool
walk_children(Walk *this, const JsonValue *node, const JsonPathFilter *filter,
              int segment)
{
	Children children = children_of(node);
	const JsonValue *child;

	while ((child = next_child(this->evaluation, &children)) != NULL)
	{
		if (filter != NULL &&
		    !jsonpath_filter_passes(this->evaluation, filter, child, this->root))
			continue;
		if (!walk(this, child, segment))
			return false;
	}
	return !this->evaluation->failed;
}

/* Walks on with what each selector of the segment finds in node. */
static bool
walk_selectors(Walk *this, const JsonValue *node, int segment)
{
	const JsonPathSegment *selection = &this->path->segments[segment];

	for (int i = 0; i < selection->nselectors; i++)
	{
		const JsonPathSelector *selector = &selection->selectors[i];
		const JsonValue *child;
		bool go_on = true;

		switch (selector->type)
		{
			case SELECTOR_NAME:
			case SELECTOR_INDEX:
				child = select_single(this->evaluation, selector, node);
				go_on = child == NULL || walk(this, child, segment + 1);
				break;
			case SELECTOR_SLICE:
				go_on = walk_slice(this, node, selector, segment + 1);
				break;
			case SELECTOR_WILDCARD:
			case SELECTOR_FILTER:
				go_on = walk_children(this, node, selector->filter, segment + 1);
				break;
		}
		if (!go_on || this->evaluation->failed)
			return false;
	}
	return true;
}

/* Walks on from node and from all below it that have children, in the order of the text. */
static bool
walk_descendants(Walk *this, const JsonValue *node, int segment, int level)
{
	Children children;
	const JsonValue *child;

	if (level > JSONPATH_MAX_DESCENT)
		this->evaluation->failed = true;
	if (!jsonpath_enter(this->evaluation))
		return false;
	if (!walk_selectors(this, node, segment))
		return false;
	children = children_of(node);
	while ((child = next_child(this->evaluation, &children)) != NULL)
	{
		if (is_container(child) && !walk_descendants(this, child, segment, level + 1))
			return false;
	}
	jsonpath_leave(this->evaluation);
	return !this->evaluation->failed;
}

/* Walks on from node through the segments from the given one on. */
static bool
walk(Walk *this, const JsonValue *node, int segment)
{
	const JsonPathSegment *segments = this->path->segments;
	bool go_on;

	/* most queries need no more than this loop */
	for (; segment < this->path->nsegments; segment++)
	{
		if (segments[segment].descendant || segments[segment].nselectors != 1 ||
		    !is_single(&segments[segment].selectors[0]))
			break;
		node = select_single(this->evaluation, &segments[segment].selectors[0], node);
		if (node == NULL)
			return !this->evaluation->failed;
	}
	if (segment == this->path->nsegments)
	{
		if (this->nodes->count++ == 0)
			this->nodes->first = node;
		return !this->first_only;
	}
	if (segments[segment].descendant)
		return walk_descendants(this, node, segment, 1);
	if (!jsonpath_enter(this->evaluation))
		return false;
	go_on = walk_selectors(this, node, segment);
	jsonpath_leave(this->evaluation);
	return go_on;
}

void
jsonpath_find(JsonPathEvaluation *evaluation, const JsonPath *path, const JsonValue *root,
              bool first_only, JsonPathNodes *nodes)
{
	Walk this = {evaluation, path, root, first_only, nodes};

	nodes->count = 0;
	nodes->first = NULL;
	walk(&this, root, 0);
}

const JsonValue *
jsonpath_first(const JsonPath *path, const JsonValue *root)
{
	JsonPathEvaluation evaluation = {0};
	JsonPathNodes nodes;

	jsonpath_find(&evaluation, path, root, true, &nodes);
	return evaluation.failed ? NULL : nodes.first;
}
