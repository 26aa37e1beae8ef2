/*
 * Parsing JSON: what PostgreSQL's parser reports is made a tree here.
 *
 * Names and strings are pieces of the text, but for the few that have escapes: the parser
 * leaves these alone, and each is decoded by itself.
 *
 * All values that are not in their container yet lie on one stack, `pending`, a container
 * below its children; when it ends, its children move into an array of just their number.
 * The same stack tells the path of an error.
 */
#include "json.h"

#include "common/jsonapi.h"
#include "lib/stringinfo.h"

typedef struct Builder
{
	JsonLexContext *lex;
	JsonMember *pending; /* [0] is the root, under no name */
	uint32 npending;
	uint32 pending_size;
	uint32 *open; /* of each open container, the index of its first child in pending */
	uint32 depth;
	uint32 open_size;
	bool failed; /* an escape is no character, as *error says */
	EngineError *error;
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

/*
 * The text that a JSON string stands for: a piece of it, if it has no escapes.  Where one
 * is no character the parser goes on, but all has failed.
 */
static Str
decode(Builder *builder, Str raw)
{
	Str text = str_make(raw.data + 1, raw.len - 2);
	JsonLexContext *lex;
	JsonParseErrorType result;

	if (memchr(text.data, '\\', text.len) == NULL)
		return text;
	lex = compat_json_lexer(raw.data, raw.len, true);
	result = json_lex(lex);
	if (result == JSON_SUCCESS)
		text = str_copy(str_make(lex->strval->data, lex->strval->len));
	else if (!builder->failed)
		builder->failed = !report_error(builder, result, builder->error);
	compat_json_lexer_free(lex);
	return text;
}

/* Whether an odd number of backslashes stands before the quote. */
static bool
is_escaped(const char *quote)
{
	const char *start = quote;

	while (start[-1] == '\\')
		start--;
	return (quote - start) % 2 == 1;
}

/* The name, as written, whose colon is the last token that the parser has left behind. */
static Str
last_name(const Builder *builder)
{
	const char *end = builder->lex->prev_token_terminator - 1;
	const char *start;

	while (end[-1] != '"')
		end--;
	start = end - 2;
	while (*start != '"' || is_escaped(start))
		start--;
	return str_make(start, end - start);
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
	JsonValue *value = top_pending(builder);

	value->raw.len = builder->lex->prev_token_terminator - value->raw.data;
	if (value->type == JSON_STRING)
		value->string = decode(builder, value->raw);
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
	builder->open[builder->depth++] = builder->npending;
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
begin_member(void *state, char *name, bool isnull)
{
	Builder *builder = state;

	push_pending(builder, decode(builder, last_name(builder)));
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
	object->count = json_merge_members(members, count);
	object->members = members;
	end_raw(builder);
	JSON_ACTION_DONE;
}

static JSON_ACTION_RESULT
add_scalar(void *state, char *token, JsonTokenType type)
{
	JsonValue *value = top_pending(state);

	if (type == JSON_TOKEN_STRING)
		value->type = JSON_STRING;
	else if (type == JSON_TOKEN_NUMBER)
		value->type = JSON_NUMBER;
	else if (type == JSON_TOKEN_NULL)
		value->type = JSON_NULL;
	else
	{
		value->type = JSON_BOOL;
		value->boolean = type == JSON_TOKEN_TRUE;
	}
	if (token != NULL)
		pfree(token);
	JSON_ACTION_DONE;
}

/* The text without white space around it. */
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
	Builder builder = {.pending_size = 64, .open_size = 16, .error = error};
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
	builder.lex = compat_json_lexer(text.data, text.len, false);
	builder.pending = palloc(sizeof(JsonMember) * builder.pending_size);
	builder.open = palloc(sizeof(uint32) * builder.open_size);
	builder.pending[0] = (JsonMember){.name = STR(""), .value.raw = trim(text)};
	builder.npending = 1;

	result = pg_parse_json(builder.lex, &actions);
	*value = builder.pending[0].value;
	if (result == JSON_SUCCESS && value->type == JSON_STRING)
		value->string = decode(&builder, value->raw);
	if (result != JSON_SUCCESS && !builder.failed)
		return report_error(&builder, result, error);
	if (builder.failed)
		return false;
	pfree(builder.pending);
	pfree(builder.open);
	return true;
}
