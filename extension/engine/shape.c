/*
 * Checks of a JSON document's shape.
 */
#include "shape.h"

#include "lib/stringinfo.h"

/* "a string", "a string or null", "an array, an object or null" */
static char *
expected_types(int types)
{
	static const JsonType order[] = {JSON_BOOL,  JSON_NUMBER, JSON_STRING,
	                                 JSON_ARRAY, JSON_OBJECT, JSON_NULL};
	StringInfoData text;
	int left = 0;

	for (size_t i = 0; i < lengthof(order); i++)
		left += (types & SHAPE(order[i])) != 0;
	initStringInfo(&text);
	for (size_t i = 0; i < lengthof(order); i++)
	{
		if ((types & SHAPE(order[i])) == 0)
			continue;
		left--;
		appendStringInfo(&text, "%s%s", json_type_name(order[i]),
		                 left == 0 ? "" : (left == 1 ? " or " : ", "));
	}
	return text.data;
}

bool
shape_check(const JsonValue *value, int types, const Path *path, EngineError *error)
{
	if (types & SHAPE(value->type))
		return true;
	return engine_error(error, ENGINE_MALFORMED, path, "expected %s, found %s",
	                    expected_types(types), json_type_name(value->type));
}

bool
shape_optional(const JsonValue *object, Str name, int types, const Path *path,
               const JsonValue **member, EngineError *error)
{
	Path step = path_member(path, name);

	*member = json_get(object, name);
	return *member == NULL || shape_check(*member, types, &step, error);
}

bool
shape_required(const JsonValue *object, Str name, int types, const Path *path,
               const JsonValue **member, EngineError *error)
{
	if (!shape_optional(object, name, types, path, member, error))
		return false;
	if (*member == NULL)
		return engine_error(error, ENGINE_MALFORMED, path, "member \"%.*s\" is missing",
		                    (int) name.len, name.data);
	return true;
}
