/*
 * Errors and the paths that they name.
 */
#include "support.h"

#include "engine/error.h"

/* 64 bytes, as much of a name as is shown. */
#define LONGEST "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"

static const Path root = {NULL, {NULL, 0}, 0};

START_TEST(test_root)
{
	ck_assert_str_eq(path_text(&root), "$");
}
END_TEST

/* A member's name, and how a path shows it. */
static const struct
{
	const char *name;
	const char *step;
} names[] = {
	{"a", ".a"},
	{"_a1", "._a1"},
	{"A9_", ".A9_"},
	{"caf\xc3\xa9", ".caf\xc3\xa9"},
	{"\xe3\x82\xb5\xe3\x82\xa4\xe3\x82\xba", ".\xe3\x82\xb5\xe3\x82\xa4\xe3\x82\xba"},
	{"", "['']"},
	{"1a", "['1a']"},
	{"42", "['42']"},
	{"a b", "['a b']"},
	{"a.b", "['a.b']"},
	{"a-b", "['a-b']"},
	{"[0]", "['[0]']"},
	{LONGEST, "." LONGEST},
	{LONGEST "m", "['" LONGEST "...']"},
	/* never half a character */
	{"a" LONGEST "\xc3\xa9",
     "['aabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk...']"},
	{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\xc3\xa9",
     "['abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk...']"},
	{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij\xf0\x9f\x98\x80",
     "['abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij...']"},
	{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij\xc3\xa9",
     ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij\xc3\xa9"},
};

START_TEST(test_name)
{
	Path path = path_member(&root, support_text(names[_i].name));
	Path element = path_element(&path, 3);
	char *text = path_text(&path);

	ck_assert_int_eq(text[0], '$');
	ck_assert_str_eq(text + 1, names[_i].step);
	ck_assert_str_eq(path_text(&element) + 1, psprintf("%s[3]", names[_i].step));
}
END_TEST

START_TEST(test_long_path)
{
	Path features = path_member(&root, STR("features"));
	Path feature = path_member(&features, STR("a b"));
	Path variants = path_member(&feature, STR("variants"));
	Path variant = path_element(&variants, 0);
	Path last = path_element(&variant, PG_UINT32_MAX);

	ck_assert_str_eq(path_text(&last), "$.features['a b'].variants[0][4294967295]");
	ck_assert_str_eq(path_text(&features), "$.features");
}
END_TEST

START_TEST(test_deep_path)
{
	int depth = 10000;
	Path *path = malloc(sizeof(Path) * (depth + 1));

	path[0] = root;
	for (int i = 0; i < depth; i++)
		path[i + 1] =
			i % 2 == 0 ? path_member(&path[i], STR("a")) : path_element(&path[i], 7);
	ck_assert_str_eq(path_text(&path[depth]),
	                 psprintf("$%s", support_repeat(".a[7]", depth / 2)));
}
END_TEST

START_TEST(test_error_is_filled)
{
	EngineError error;
	Path path = path_member(&root, STR("name"));

	memset(&error, 0x7f, sizeof(error));
	ck_assert(!engine_error(&error, ENGINE_TOO_LARGE, &path, "%d of %s", 3, "them"));
	support_check_error(&error, ENGINE_TOO_LARGE, "$.name", "3 of them");
	ck_assert(!engine_error(&error, ENGINE_TOO_DEEP, NULL, "100%%"));
	support_check_error(&error, ENGINE_TOO_DEEP, NULL, "100%");
}
END_TEST

/* Longer than any buffer begins with. */
START_TEST(test_long_message)
{
	EngineError error;
	char *text = support_repeat("0123456789", 100000);

	engine_error(&error, ENGINE_MALFORMED, NULL, "<%s> %d", text, 7);
	ck_assert_str_eq(error.message, psprintf("<%s> 7", text));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("error");

	tcase_add_test(tcase, test_root);
	tcase_add_loop_test(tcase, test_name, 0, lengthof(names));
	tcase_add_test(tcase, test_long_path);
	tcase_add_test(tcase, test_deep_path);
	tcase_add_test(tcase, test_error_is_filled);
	tcase_add_test(tcase, test_long_message);
	return support_run("error", tcase);
}
