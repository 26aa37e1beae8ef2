/*
 * Checks of a document's shape.
 */
#include "support.h"

#include "engine/shape.h"

static const char object_text[] =
	"{'null': null, 'bool': true, 'number': 1, 'string': 's',"
	" 'array': [], 'object': {}}";

static const Path root = {NULL, {NULL, 0}, 0};

/* The members of the object, each of the type of its name. */
static const struct
{
	const char *name;
	JsonType type;
} members[] = {
	{"null", JSON_NULL},     {"bool", JSON_BOOL},   {"number", JSON_NUMBER},
	{"string", JSON_STRING}, {"array", JSON_ARRAY}, {"object", JSON_OBJECT},
};

/* Each type against each. */
START_TEST(test_type)
{
	JsonValue object = support_parse(object_text);

	for (int i = 0; i < (int) lengthof(members); i++)
	{
		Str name = support_text(members[_i].name);
		int types = SHAPE(members[i].type);
		const JsonValue *member = NULL;
		EngineError error;
		bool found = shape_required(&object, name, types, &root, &member, &error);

		ck_assert(found == (i == _i));
		ck_assert(shape_optional(&object, name, types, &root, &member, &error) == found);
		if (!found)
		{
			ck_assert_str_eq(error.path, psprintf("$.%s", members[_i].name));
			ck_assert_int_eq(error.code, ENGINE_MALFORMED);
			continue;
		}
		ck_assert_ptr_eq(member, json_get(&object, name));
		ck_assert(shape_check(member, types, &root, &error));
	}
}
END_TEST

START_TEST(test_any_type)
{
	JsonValue object = support_parse(object_text);
	Str name = support_text(members[_i].name);
	const JsonValue *member;
	EngineError error;

	ck_assert(shape_required(&object, name, SHAPE_ANY, &root, &member, &error));
	ck_assert_int_eq(member->type, members[_i].type);
}
END_TEST

START_TEST(test_missing)
{
	JsonValue object = support_parse("{'a': 1}");
	Path path = path_element(&root, 2);
	const JsonValue *member = &object;
	EngineError error;

	ck_assert(shape_optional(&object, STR("b"), SHAPE_ANY, &path, &member, &error));
	ck_assert_ptr_null(member);
	ck_assert(!shape_required(&object, STR("b"), SHAPE_ANY, &path, &member, &error));
	/* the path is that of the object: the member has none */
	support_check_error(&error, ENGINE_MALFORMED, "$[2]", "member \"b\" is missing");
}
END_TEST

/* Null is a value: a required member may be null only where that is one of its types. */
START_TEST(test_null)
{
	JsonValue object = support_parse("{'a': null}");
	const JsonValue *member;
	EngineError error;

	ck_assert(shape_required(&object, STR("a"), SHAPE_OR_NULL(JSON_STRING), &root,
	                         &member, &error));
	ck_assert_int_eq(member->type, JSON_NULL);
	ck_assert(
		!shape_optional(&object, STR("a"), SHAPE(JSON_STRING), &root, &member, &error));
	support_check_error(&error, ENGINE_MALFORMED, "$.a", "expected a string, found null");
}
END_TEST

static const struct
{
	const char *json;
	int types;
	const char *message;
} messages[] = {
	{"1", SHAPE(JSON_OBJECT), "expected an object, found a number"},
	{"{}", SHAPE(JSON_ARRAY), "expected an array, found an object"},
	{"'s'", SHAPE(JSON_BOOL), "expected a boolean, found a string"},
	{"false", SHAPE(JSON_NULL), "expected null, found a boolean"},
	{"[]", SHAPE_OR_NULL(JSON_NUMBER), "expected a number or null, found an array"},
	{"[]", SHAPE(JSON_STRING) | SHAPE(JSON_NUMBER),
     "expected a number or a string, found an array"},
	{"[]", SHAPE_OR_NULL(JSON_STRING) | SHAPE(JSON_NUMBER) | SHAPE(JSON_BOOL),
     "expected a boolean, a number, a string or null, found an array"},
};

START_TEST(test_message)
{
	JsonValue value = support_parse(messages[_i].json);
	Path path = path_member(&root, STR("a"));
	EngineError error;

	ck_assert(!shape_check(&value, messages[_i].types, &path, &error));
	support_check_error(&error, ENGINE_MALFORMED, "$.a", messages[_i].message);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("shape");

	tcase_add_loop_test(tcase, test_type, 0, lengthof(members));
	tcase_add_loop_test(tcase, test_any_type, 0, lengthof(members));
	tcase_add_test(tcase, test_missing);
	tcase_add_test(tcase, test_null);
	tcase_add_loop_test(tcase, test_message, 0, lengthof(messages));
	return support_run("shape", tcase);
}
