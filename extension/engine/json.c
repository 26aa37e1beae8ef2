/*
 * JSON as a tree: what PostgreSQL's parser reports is collected here.
 *
 * All values that are not in their container yet lie on one stack, `pending`, a container
 * below its children; when it ends, its children move into an array of just their number.
 * The same stack tells the path of an error.
 */
#include "json.h"

#include "common/jsonapi.h"

/* Up to so many members, a search for equal names one by one is cheapest. */
#define FEW_MEMBERS 8

typedef struct Builder
{
	JsonLexContext *lex;
	JsonMember *pending; /* [0] is the root, under no name */
	uint32 npending;
	uint32 pending_size;
	uint32 *open; /* of each open container, the index of its first child in pending */
	uint32 depth;
	uint32 open_size;
} Builder;

/* Checks the nesting beforehand: the parser itself recurses as deep as its input. */
static bool
check_depth(Str text, EngineError *error)
{
	int depth = 0;
	bool in_string = false;

	for (uint32 i = 0; i < text.len; i++)
	{
		char c = text.data[i];

		if (in_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		}
		else if (c == '"')
			in_string = true;
		else if (c == '[' || c == '{')
		{
			if (++depth > JSON_MAX_DEPTH)
				return engine_error(error, ENGINE_TOO_DEEP, NULL,
				                    "JSON is nested deeper than %d levels",
				                    JSON_MAX_DEPTH);
		}
		else if (c == ']' || c == '}')
			depth--;
	}
	return true;
}

/* Puts a value that begins at the current token on the stack. */
static void
push_pending(Builder *builder, Str name)
{
	JsonMember *member;

	engine_check_interrupts();
	if (builder->npending == builder->pending_size)
	{
		builder->pending_size *= 2;
		builder->pending = repalloc_huge(
			builder->pending, sizeof(JsonMember) * (Size) builder->pending_size);
	}
	member = &builder->pending[builder->npending++];
	memset(member, 0, sizeof(*member));
	member->name = name;
	member->value.raw.data = builder->lex->token_start;
}

static JsonValue *
top_pending(Builder *builder)
{
	return &builder->pending[builder->npending - 1].value;
}

/* Ends the text of the value on top: it is all that the parser has left behind. */
static void
end_raw(Builder *builder)
{
	Str *raw = &top_pending(builder)->raw;

	raw->len = builder->lex->prev_token_terminator - raw->data;
}

static JSON_ACTION_RESULT
begin_container(void *state)
{
	Builder *builder = state;

	if (builder->depth == builder->open_size)
	{
		builder->open_size *= 2;
		builder->open = repalloc(builder->open, sizeof(uint32) * builder->open_size);
	}
	if (builder->depth == 0)
		builder->pending[0].value.raw.data = builder->lex->token_start;
	builder->open[builder->depth++] = builder->npending;
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
begin_member(void *state, char *name, bool isnull)
{
	push_pending(state, str_make(name, strlen(name)));
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
begin_element(void *state, bool isnull)
{
	push_pending(state, STR(""));
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
end_member(void *state, char *name, bool isnull)
{
	end_raw(state);
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
end_element(void *state, bool isnull)
{
	end_raw(state);
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
end_array(void *state)
{
	Builder *builder = state;
	uint32 first = builder->open[--builder->depth];
	uint32 count = builder->npending - first;
	JsonValue *array;
	JsonValue *elements =
		palloc_extended(sizeof(JsonValue) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < count; i++)
		elements[i] = builder->pending[first + i].value;
	builder->npending = first;
	array = top_pending(builder);
	array->type = JSON_ARRAY;
	array->count = count;
	array->elements = elements;
	end_raw(builder);
	JSON_ACTION_DONE;
}

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

static uint32
remove_repeated(JsonMember *members, uint32 count)
{
	uint32 kept = 0;

	if (!may_repeat(members, count) || !merge_equal_names(members, count))
		return count;
	for (uint32 i = 0; i < count; i++)
		if (members[i].name.data != NULL)
			members[kept++] = members[i];
	return kept;
}

static JSON_ACTION_RESULT
end_object(void *state)
{
	Builder *builder = state;
	uint32 first = builder->open[--builder->depth];
	uint32 count = builder->npending - first;
	JsonMember *members =
		palloc_extended(sizeof(JsonMember) * Max(count, 1), MCXT_ALLOC_HUGE);
	JsonValue *object;

	memcpy(members, &builder->pending[first], sizeof(JsonMember) * count);
	builder->npending = first;
	object = top_pending(builder);
	object->type = JSON_OBJECT;
	object->count = remove_repeated(members, count);
	object->members = members;
	end_raw(builder);
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
add_scalar(void *state, char *token, JsonTokenType type)
{
	JsonValue *value = top_pending(state);

	if (type == JSON_TOKEN_STRING)
	{
		value->type = JSON_STRING;
		value->string = str_make(token, strlen(token));
		JSON_ACTION_DONE;
	}
	if (type == JSON_TOKEN_NUMBER)
		value->type = JSON_NUMBER;
	else if (type == JSON_TOKEN_NULL)
		value->type = JSON_NULL;
	else
	{
		value->type = JSON_BOOL;
		value->boolean = type == JSON_TOKEN_TRUE;
	}
	pfree(token);
	JSON_ACTION_DONE;
}

/* The path of the innermost value that was begun and not ended. */
static const Path *
error_path(const Builder *builder)
{
	Path *path = palloc0(sizeof(Path) * (builder->depth + 1));

	for (uint32 level = 0; level < builder->depth; level++)
	{
		uint32 first = builder->open[level];
		uint32 child = level + 1 < builder->depth ? builder->open[level + 1] - 1
		                                          : builder->npending - 1;
		const JsonMember *member = &builder->pending[child];

		/* the innermost container may be between two children */
		if (child < first || (level + 1 == builder->depth && member->value.raw.len > 0))
			return &path[level];
		path[level + 1] = builder->pending[first - 1].value.raw.data[0] == '['
		                      ? path_element(&path[level], child - first)
		                      : path_member(&path[level], member->name);
	}
	return &path[builder->depth];
}

static bool
report_error(const Builder *builder, JsonParseErrorType result, EngineError *error)
{
	const Path *path = error_path(builder);

	switch (result)
	{
		case JSON_UNICODE_CODE_POINT_ZERO:
			return engine_error(error, ENGINE_INVALID_JSON, path,
			                    "the escape \\u0000 cannot be converted to text");
		case JSON_UNICODE_HIGH_SURROGATE:
		case JSON_UNICODE_LOW_SURROGATE:
			return engine_error(error, ENGINE_INVALID_JSON, path,
			                    "a Unicode surrogate escape lacks its other half");
		default:
			return engine_error(error, ENGINE_INVALID_JSON, path, "invalid JSON");
	}
}

/* The text of a lone scalar: the parser reports no start for it. */
static Str
trim(Str text)
{
	while (text.len > 0 && strchr(" \t\n\r", text.data[text.len - 1]) != NULL)
		text.len--;
	while (text.len > 0 && strchr(" \t\n\r", text.data[0]) != NULL)
		text = str_make(text.data + 1, text.len - 1);
	return text;
}

bool
json_parse(Str text, JsonValue *value, EngineError *error)
{
	Builder builder = {.pending_size = 64, .open_size = 16};
	JsonSemAction actions = {
		.semstate = &builder,
		.object_start = begin_container,
		.object_end = end_object,
		.array_start = begin_container,
		.array_end = end_array,
		.object_field_start = begin_member,
		.object_field_end = end_member,
		.array_element_start = begin_element,
		.array_element_end = end_element,
		.scalar = add_scalar,
	};
	JsonParseErrorType result;

	if (!check_depth(text, error))
		return false;
	builder.lex = compat_json_lexer(text.data, text.len);
	builder.pending = palloc(sizeof(JsonMember) * builder.pending_size);
	builder.open = palloc(sizeof(uint32) * builder.open_size);
	builder.pending[0] = (JsonMember){.name = STR("")};
	builder.npending = 1;

	result = pg_parse_json(builder.lex, &actions);
	if (result != JSON_SUCCESS)
		return report_error(&builder, result, error);

	*value = builder.pending[0].value;
	if (value->type != JSON_ARRAY && value->type != JSON_OBJECT)
		value->raw = trim(text);
	pfree(builder.pending);
	pfree(builder.open);
	return true;
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
