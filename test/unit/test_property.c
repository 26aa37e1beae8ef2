/*
 * Compiling the properties of conditions.
 */
#include "support.h"

#include "engine/property.h"

static const char context[] =
	"{'environment': {'key': 'e', 'name': '007', 'list': [1, '2.50', 'x'], 'nothing': "
	"null,"
	" 'big': 98765432109876543210, 'on': true, 'deep': {'a b': {'c': 1e2}}},"
	" 'features': {'f': {'enabled': false}},"
	" 'identity': {'identifier': 'i', 'key': 'k', 'traits': {'plan': 'pro'}},"
	" 'flags': {'f': {'enabled': true}}}";

typedef struct Compiled
{
	StrTable *traits;
	StrTable *flags;
	Property property;
} Compiled;

static Compiled
compile(const char *text)
{
	JsonValue root = support_parse(context);
	Str property = support_text(text);
	Compiled compiled = {.traits = strtable_create(1), .flags = strtable_create(1)};

	/* so that a number is none by chance */
	strtable_add(compiled.traits, STR("first"));
	strtable_add(compiled.flags, STR("first"));
	compiled.property =
		property_compile(property, &root, compiled.traits, compiled.flags);
	memset(unconstify(char *, property.data), 'x', property.len);
	support_wipe(&root);
	return compiled;
}

static const struct
{
	const char *text;
	PropertyKind kind;
	bool reads_flags;
} kinds[] = {
	/* names of traits, and what is no JSONPath */
	{"", PROPERTY_TRAIT, false},
	{"plan", PROPERTY_TRAIT, false},
	{"a.b", PROPERTY_TRAIT, false},
	{"$", PROPERTY_TRAIT, false},
	{"$.", PROPERTY_TRAIT, false},
	{"$x", PROPERTY_TRAIT, false},
	{"$['flags'].a.enabled", PROPERTY_TRAIT, false},
	{" $.identity.key", PROPERTY_TRAIT, false},
	{"$.identity.", PROPERTY_TRAIT, false},
	{"$.identity.key ", PROPERTY_TRAIT, false},
	{"$.a b", PROPERTY_TRAIT, false},
	{"$.1a", PROPERTY_TRAIT, false},
	{"$.flags.a[", PROPERTY_TRAIT, false},
	{"identity.key", PROPERTY_TRAIT, false},
	/* the identity */
	{"$.identity.identifier", PROPERTY_IDENTIFIER, false},
	{"$.identity['identifier']", PROPERTY_IDENTIFIER, false},
	{"$.identity.key", PROPERTY_IDENTITY_KEY, false},
	{"$.identity [\"key\"]", PROPERTY_IDENTITY_KEY, false},
	{"$.identity.traits.plan", PROPERTY_TRAIT_PATH, false},
	{"$.identity['traits']['the plan']", PROPERTY_TRAIT_PATH, false},
	{"$.identity.traits.foo-bar", PROPERTY_TRAIT_PATH, false},
	{"$.identity", PROPERTY_PATH, false},
	{"$.identity.traits", PROPERTY_PATH, false},
	{"$.identity.other", PROPERTY_PATH, false},
	{"$.identity.traits.plan.name", PROPERTY_PATH, false},
	{"$.identity.key.x", PROPERTY_PATH, false},
	{"$.identity.traits[0]", PROPERTY_PATH, false},
	{"$.identity.traits.*", PROPERTY_PATH, false},
	{"$.identity['key', 'identifier']", PROPERTY_PATH, false},
	{"$.identity..key", PROPERTY_PATH, false},
	/* flags */
	{"$.flags.f.enabled", PROPERTY_FLAG, true},
	{"$.flags.f.value", PROPERTY_FLAG, true},
	{"$.flags.f.variant", PROPERTY_FLAG, true},
	{"$.flags.f.reason", PROPERTY_FLAG, true},
	{"$.flags.f.name", PROPERTY_FLAG, true},
	{"$.flags['f']['enabled']", PROPERTY_FLAG, true},
	{"$.flags.no_such_flag.enabled", PROPERTY_FLAG, true},
	{"$.flags", PROPERTY_PATH, true},
	{"$.flags.f", PROPERTY_PATH, true},
	{"$.flags.f.metadata", PROPERTY_PATH, true},
	{"$.flags.f.value.x", PROPERTY_PATH, true},
	{"$.flags.*.enabled", PROPERTY_PATH, true},
	{"$.flags..enabled", PROPERTY_PATH, true},
	{"$.flags.f['enabled', 'value']", PROPERTY_PATH, true},
	{"$..enabled", PROPERTY_PATH, true},
	{"$.*", PROPERTY_PATH, true},
	{"$.*.f.enabled", PROPERTY_PATH, true},
	{"$.environment.list[?@ == $.flags.f.value]", PROPERTY_PATH, true},
	{"$.identity.traits[?@ == 1]", PROPERTY_PATH, true},
	/* what is the same for all identities, and what may find several nodes */
	{"$.environment", PROPERTY_CONSTANT, false},
	{"$.environment.name", PROPERTY_CONSTANT, false},
	{"$.features.f.enabled", PROPERTY_CONSTANT, false},
	{"$.segments.s.name", PROPERTY_CONSTANT, false},
	{"$.nothing", PROPERTY_CONSTANT, false},
	{"$.features.*.enabled", PROPERTY_PATH, false},
	{"$.environment.list[0:1]", PROPERTY_PATH, false},
	{"$.environment..c", PROPERTY_PATH, false},
	/* where the engine raises */
	{"$.environment.list[9007199254740992]", PROPERTY_REFUSED, false},
	{"$.environment.list[?no_such_function(@)]", PROPERTY_REFUSED, false},
	{"$.environment.list[?length(@.*) == 1]", PROPERTY_REFUSED, false},
};

/* Whatever else it is, the trait of that very name comes first. */
START_TEST(test_kind)
{
	Compiled compiled = compile(kinds[_i].text);

	ck_assert_int_eq(compiled.property.kind, kinds[_i].kind);
	ck_assert(compiled.property.reads_flags == kinds[_i].reads_flags);
	ck_assert_uint_eq(compiled.property.trait, 1);
	ck_assert_int_eq(strtable_find(compiled.traits, support_text(kinds[_i].text)), 1);
}
END_TEST

/* A property, and the trait that it also reads. */
START_TEST(test_trait_path)
{
	Compiled compiled = compile("$.identity.traits['the plan']");

	ck_assert_uint_eq(compiled.property.path_trait, 2);
	ck_assert_int_eq(strtable_find(compiled.traits, STR("the plan")), 2);
	ck_assert_uint_eq(strtable_count(compiled.traits), 3);

	compiled = compile("$.identity.traits.first");
	ck_assert_uint_eq(compiled.property.path_trait, 0);
	ck_assert_uint_eq(strtable_count(compiled.traits), 2);
}
END_TEST

static const struct
{
	const char *text;
	const char *flag;
	FlagMember member;
} flags[] = {
	{"$.flags.first.enabled", "first", FLAG_ENABLED},
	{"$.flags.f.value", "f", FLAG_VALUE},
	{"$.flags.f.variant", "f", FLAG_VARIANT},
	{"$.flags['the flag'].reason", "the flag", FLAG_REASON},
	{"$.flags['enabled'].name", "enabled", FLAG_NAME},
};

START_TEST(test_flag)
{
	Compiled compiled = compile(flags[_i].text);

	ck_assert_int_eq(compiled.property.member, flags[_i].member);
	ck_assert_uint_eq(compiled.property.flag,
	                  strtable_find(compiled.flags, support_text(flags[_i].flag)));
	ck_assert_uint_eq(strtable_count(compiled.flags), _i == 0 ? 1 : 2);
}
END_TEST

/* Only flags that are read by name are numbered. */
START_TEST(test_no_flag)
{
	ck_assert_uint_eq(strtable_count(compile("$.flags.*.enabled").flags), 1);
	ck_assert_uint_eq(strtable_count(compile("plan").flags), 1);
}
END_TEST

/* Constants are what conditions see: coerced, and null where it is no scalar. */
static const struct
{
	const char *text;
	ValueType type;
	const char *value;
} constants[] = {
	{"$.environment.key", VALUE_STRING, "e"},
	{"$.environment.name", VALUE_INT, "7"},
	{"$.environment['name']", VALUE_INT, "7"},
	{"$.environment.on", VALUE_BOOL, "True"},
	{"$.environment.nothing", VALUE_NULL, "None"},
	{"$.environment.no_such_member", VALUE_NULL, "None"},
	{"$.environment.list", VALUE_NULL, "None"},
	{"$.environment.list[0]", VALUE_INT, "1"},
	{"$.environment.list[1]", VALUE_FLOAT, "2.5"},
	{"$.environment.list[-1]", VALUE_STRING, "x"},
	{"$.environment.list[3]", VALUE_NULL, "None"},
	{"$.environment.big", VALUE_INT, "98765432109876543210"},
	{"$.environment.deep", VALUE_NULL, "None"},
	{"$.environment.deep['a b'].c", VALUE_FLOAT, "100.0"},
	{"$.features.f.enabled", VALUE_BOOL, "False"},
	{"$.no_such_member", VALUE_NULL, "None"},
};

START_TEST(test_constant)
{
	Compiled compiled = compile(constants[_i].text);
	char buffer[VALUE_TEXT_MAX];

	ck_assert_int_eq(compiled.property.kind, PROPERTY_CONSTANT);
	ck_assert_int_eq(compiled.property.constant.type, constants[_i].type);
	ck_assert_str_eq(support_cstring(value_text(&compiled.property.constant, buffer)),
	                 constants[_i].value);
}
END_TEST

/* The query of a path is the one that was written. */
START_TEST(test_path)
{
	Compiled compiled = compile("$.identity.traits.plan.name");
	JsonValue root =
		support_parse("{'identity': {'traits': {'plan': {'name': 'pro', 'x': 1}}}}");
	const JsonValue *node = jsonpath_first(compiled.property.path, &root);

	ck_assert_ptr_nonnull(node);
	ck_assert_str_eq(support_cstring(node->string), "pro");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("property");

	tcase_add_loop_test(tcase, test_kind, 0, lengthof(kinds));
	tcase_add_test(tcase, test_trait_path);
	tcase_add_loop_test(tcase, test_flag, 0, lengthof(flags));
	tcase_add_test(tcase, test_no_flag);
	tcase_add_loop_test(tcase, test_constant, 0, lengthof(constants));
	tcase_add_test(tcase, test_path);
	return support_run("property", tcase);
}
