/*
 * Compiling properties.
 */
#include "property.h"

/* The name that the segment selects, if that is all it does; else data == NULL. */
static Str
only_name(const JsonPath *path, int segment)
{
	const JsonPathSegment *step;

	if (segment >= path->nsegments)
		return (Str){NULL, 0};
	step = &path->segments[segment];
	if (step->descendant || step->nselectors != 1 ||
	    step->selectors[0].type != SELECTOR_NAME)
		return (Str){NULL, 0};
	return step->selectors[0].name;
}

static bool
is_name(Str name, const char *expected)
{
	return name.data != NULL && str_equal(name, str_make(expected, strlen(expected)));
}

static bool
find_flag_member(Str name, FlagMember *member)
{
	static const char *const names[] = {
		[FLAG_ENABLED] = "enabled", [FLAG_VALUE] = "value", [FLAG_VARIANT] = "variant",
		[FLAG_REASON] = "reason",   [FLAG_NAME] = "name",
	};

	for (size_t i = 0; i < lengthof(names); i++)
		if (is_name(name, names[i]))
		{
			*member = (FlagMember) i;
			return true;
		}
	return false;
}

static bool
has_filter(const JsonPath *path)
{
	for (int i = 0; i < path->nsegments; i++)
		for (int j = 0; j < path->segments[i].nselectors; j++)
			if (path->segments[i].selectors[j].type == SELECTOR_FILTER)
				return true;
	return false;
}

/* Whether walking the path may read a flag: if in doubt, yes. */
static bool
may_read_flags(const JsonPath *path)
{
	Str first = only_name(path, 0);

	return first.data == NULL || is_name(first, "flags") || has_filter(path);
}

static bool
compile_identity(const JsonPath *path, StrTable *traits, Property *property)
{
	if (path->nsegments == 2 && is_name(only_name(path, 1), "identifier"))
		property->kind = PROPERTY_IDENTIFIER;
	else if (path->nsegments == 2 && is_name(only_name(path, 1), "key"))
		property->kind = PROPERTY_IDENTITY_KEY;
	else if (path->nsegments == 3 && is_name(only_name(path, 1), "traits") &&
	         only_name(path, 2).data != NULL)
	{
		property->kind = PROPERTY_TRAIT_PATH;
		property->path_trait = strtable_add(traits, only_name(path, 2));
	}
	else
		return false;
	return true;
}

static bool
compile_flag(const JsonPath *path, StrTable *flags, Property *property)
{
	FlagMember member;
	Str name = only_name(path, 1);

	if (path->nsegments != 3 || name.data == NULL ||
	    !find_flag_member(only_name(path, 2), &member))
		return false;
	property->kind = PROPERTY_FLAG;
	property->reads_flags = true;
	property->flag = strtable_add(flags, name);
	property->member = member;
	return true;
}

static void
compile_constant(const JsonPath *path, const JsonValue *root, Property *property)
{
	const JsonValue *node = jsonpath_first(path, root);

	property->kind = PROPERTY_CONSTANT;
	property->constant = NULL_VALUE;
	if (node != NULL && node->type != JSON_ARRAY && node->type != JSON_OBJECT)
		property->constant = value_copy(value_coerce(value_from_json(node)));
}

static void
compile_path(JsonPath *path, const JsonValue *root, StrTable *traits, StrTable *flags,
             Property *property)
{
	Str first = only_name(path, 0);

	if (is_name(first, "identity"))
	{
		if (compile_identity(path, traits, property))
			return;
	}
	else if (is_name(first, "flags"))
	{
		if (compile_flag(path, flags, property))
			return;
	}
	else if (first.data != NULL && jsonpath_is_singular(path))
	{
		compile_constant(path, root, property);
		return;
	}
	property->kind = PROPERTY_PATH;
	property->reads_flags = may_read_flags(path);
	property->path = path;
}

Property
property_compile(Str text, const JsonValue *root, StrTable *traits, StrTable *flags)
{
	Property property = {.kind = PROPERTY_TRAIT};
	JsonPath *path;

	property.trait = strtable_add(traits, str_copy(text));
	if (text.len < 2 || memcmp(text.data, "$.", 2) != 0)
		return property;

	path = palloc0(sizeof(JsonPath));
	switch (jsonpath_parse(text, path))
	{
		case JSONPATH_SYNTAX:
			break;
		case JSONPATH_REFUSED:
			property.kind = PROPERTY_REFUSED;
			break;
		case JSONPATH_OK:
			compile_path(path, root, traits, flags, &property);
			break;
	}
	return property;
}
