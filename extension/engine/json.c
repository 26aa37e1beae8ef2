/*
 * JSON as a tree: looking at it, changing and copying it.
 */
#include "json.h"

/* Up to so many members, a search for equal names one by one is cheapest. */
#define FEW_MEMBERS 8

static int
compare_members(const void *a, const void *b)
{
	const JsonMember *left = *(const JsonMember *const *) a;
	const JsonMember *right = *(const JsonMember *const *) b;
	int order = str_compare(left->name, right->name);

	engine_check_interrupts();
	/* of equal names, the order of the text */
	return order != 0 ? order : (left < right ? -1 : left > right);
}

/* Marks members that an earlier one of the same name stands for, which gets the last's
 * value; a marked member has no name. */
static bool
merge_equal_names(JsonMember *members, uint32 count)
{
	JsonMember **sorted = palloc_extended(sizeof(JsonMember *) * count, MCXT_ALLOC_HUGE);
	bool merged = false;

	for (uint32 i = 0; i < count; i++)
		sorted[i] = &members[i];
	qsort(sorted, count, sizeof(JsonMember *), compare_members);
	for (uint32 i = 0, first = 0; i < count; i++)
	{
		if (!str_equal(sorted[first]->name, sorted[i]->name))
			first = i;
		if (first != i)
		{
			sorted[first]->value = sorted[i]->value;
			sorted[i]->name.data = NULL;
			merged = true;
		}
	}
	pfree(sorted);
	return merged;
}

/* Whether two members may have one name: surely not if this says no. */
static bool
may_repeat(const JsonMember *members, uint32 count)
{
	if (count > FEW_MEMBERS)
		return true;
	for (uint32 i = 1; i < count; i++)
		for (uint32 j = 0; j < i; j++)
			if (str_equal(members[i].name, members[j].name))
				return true;
	return false;
}

uint32
json_merge_members(JsonMember *members, uint32 count)
{
	uint32 kept = 0;

	if (!may_repeat(members, count) || !merge_equal_names(members, count))
		return count;
	for (uint32 i = 0; i < count; i++)
		if (members[i].name.data != NULL)
			members[kept++] = members[i];
	return kept;
}

const JsonValue *
json_get(const JsonValue *object, Str name)
{
	if (object->type != JSON_OBJECT)
		return NULL;
	for (uint32 i = 0; i < object->count; i++)
		if (str_equal(object->members[i].name, name))
			return &object->members[i].value;
	return NULL;
}

void
json_set(JsonValue *object, Str name, JsonValue value)
{
	uint32 place = 0;

	while (place < object->count && !str_equal(object->members[place].name, name))
		place++;
	if (place == object->count)
		object->members[object->count++].name = name;
	object->members[place].value = value;
}

/* Copies value; texts that lay at `from` lie at `to` now. */
static JsonValue
copy_value(const JsonValue *value, const char *from, const char *to)
{
	JsonValue copy = *value;

	copy.raw.data = to + (value->raw.data - from);
	if (value->type == JSON_STRING)
		copy.string = str_copy(value->string);
	else if (value->type == JSON_ARRAY)
	{
		copy.elements =
			palloc_extended(sizeof(JsonValue) * Max(value->count, 1), MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < value->count; i++)
			copy.elements[i] = copy_value(&value->elements[i], from, to);
	}
	else if (value->type == JSON_OBJECT)
	{
		copy.members =
			palloc_extended(sizeof(JsonMember) * Max(value->count, 1), MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < value->count; i++)
		{
			copy.members[i].name = str_copy(value->members[i].name);
			copy.members[i].value = copy_value(&value->members[i].value, from, to);
		}
	}
	return copy;
}

JsonValue
json_copy(const JsonValue *value)
{
	return copy_value(value, value->raw.data, str_copy(value->raw).data);
}

const char *
json_type_name(JsonType type)
{
	switch (type)
	{
		case JSON_NULL:
			return "null";
		case JSON_BOOL:
			return "a boolean";
		case JSON_NUMBER:
			return "a number";
		case JSON_STRING:
			return "a string";
		case JSON_ARRAY:
			return "an array";
		case JSON_OBJECT:
		case JSON_FLAGS:
			return "an object";
	}
	return "unknown";
}
