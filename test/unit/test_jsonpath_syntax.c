/*
 * What is no JSONPath, what is refused, and queries that are made to do harm.
 */
#include "queried.h"

static const char *const no_queries[] = {
	"",
	"a",
	" $",
	"$ ",
	"$.a ",
	"$a",
	"$.",
	"$..",
	"$. a",
	"$.. a",
	"$...a",
	"$.1",
	"$.-a",
	"$.a.",
	"$.\xF0\x9D\x92\xB3", /* beyond U+FFFF */
	"$.a\xF0\x9D\x92\xB3",
	"$.a\x0B",
	"$.a\xC2\xA0.b.",
	"$[",
	"$]",
	"$[]",
	"$[a]",
	"$['a'",
	"$['a]",
	"$['a',]",
	"$[,'a']",
	"$['a' 'b']",
	"$[01]",
	"$[-0]",
	"$[-01]",
	"$[- 1]",
	"$[1.0]",
	"$[1e0]",
	"$[01:]",
	"$[:-0]",
	"$[::00]",
	"$[1:2:3:4]",
	"$['\\x']",
	"$['\\\"']",
	"$[\"\\'\"]",
	"$['\\",
	"$['\\u12']",
	"$['\\u123']",
	"$['\\u12G4']",
	"$['\\u12\xC3\xA9']",
	"$['\\u0000']",
	"$['\\u001F']",
	"$['\x1F']",
	"$['\n']",
	"$['\\uD835']",
	"$['\\uD835\\u0041']",
	"$['\\uD835x\\uDCB3']",
	"$['\\uDCB3']",
	"$['\\uD835\\uDCB']",
	"$[?]",
	"$[?@",
	"$[?1]",
	"$[?'a']",
	"$[?true]",
	"$[?(1)]",
	"$[?@.a && 1]",
	"$[?1 || @.a]",
	"$[?@.a = 1]",
	"$[?@.a & @.b]",
	"$[?@.a ==]",
	"$[?== 1]",
	"$[?@.a @.b]",
	"$[?(@.a @.b)]",
	"$[?(@.a]",
	"$[?@.a)]",
	"$[?()]",
	"$[?.a]",
	"$[?a]",
	"$[?True]",
	"$[?@.a == 01]",
	"$[?@.a == 00.5]",
	"$[?@.a == 0e1]",
	"$[?@.a == 0e-1]",
	"$[?@.a == 1.]",
	"$[?@.a == .5]",
	"$[?@.a == +1]",
	"$[?@.a == :1.5]",
	"$[?@.a == [1]]",
	"$[?length (@)==1]",
	"$[?length(@ @)==1]",
	"$[?length(!@)==1]",
	"$[?length((@))==1]",
	"$[?count(@[?@.a,1])>0]", /* the comma counts as one between arguments */
	"$[?count(@[?@.a,.b])>0]",
	/* cut as a whole before anything is refused */
	"$[99999999999999999999",
	"$[99999999999999999999]x",
	"$[?foo(@)].",
	"$[?@.* == 1]['\\x']",
	/* before what would be refused */
	"$['\\u0000',99999999999999999999]",
	"$[?1 && @.a || @.* == 1]",
	"$[99999999999999999999:01]",
};

START_TEST(test_no_queries)
{
	JsonPath path;

	ck_assert_msg(queried_parse(no_queries[_i], &path) == JSONPATH_SYNTAX, "%s",
	              no_queries[_i]);
}
END_TEST

static const char *const refused[] = {
	"$[9007199254740992]",
	"$[-9007199254740992]",
	"$[99999999999999999999999999999999]",
	"$[9007199254740992:]",
	"$[:-9007199254740992]",
	"$[::9007199254740992]",
	"$[?@.a == 1e400]",
	"$[?@.* == 1]",
	"$[?1 == @..a]",
	"$[?@[0,1] == 1]",
	"$[?@[0:1] == 1]",
	"$[?length(@)]",
	"$[?(value(@.a))]",
	"$[?count(@.*)]",
	"$[?match(@,'a') == true]",
	"$[?foo(@)]",
	"$[?foo()]",
	"$[?length()==1]",
	"$[?length(@,@)==1]",
	"$[?length(@.*)==1]",
	"$[?length(match(@,'a'))==1]",
	"$[?length(1==1)==1]",
	"$[?count(1)==1]",
	"$[?count(value(@))==1]",
	"$[?match(@)]",
	"$[?match(@.*,'a')]",
	"$[?search('a',@..a)]",
	/* before what would be no JSONPath */
	"$[99999999999999999999,'\\u0000']",
	"$[?@.* == 1 && 1]",
	"$[?foo(@) == 01]",
	"$[?1 && $[99999999999999999999]]",
	"$[?(@.a ! $[99999999999999999999])]",
	"$[?1 && 1 && @.* == 1]",
	"$[?1 && @[99999999999999999999]]",
};

START_TEST(test_refused)
{
	JsonPath path;

	ck_assert_msg(queried_parse(refused[_i], &path) == JSONPATH_REFUSED, "%s",
	              refused[_i]);
}
END_TEST

START_TEST(test_digits)
{
	JsonPath path;
	const char *digits = support_repeat("9", 400);

	ck_assert_int_eq(queried_parse(psprintf("$[%s]", digits), &path), JSONPATH_REFUSED);
	ck_assert_int_eq(queried_parse(psprintf("$[-%s:]", digits), &path), JSONPATH_REFUSED);
	ck_assert_int_eq(queried_parse(psprintf("$[%s:01]", digits), &path), JSONPATH_SYNTAX);
	ck_assert_int_eq(queried_parse(psprintf("$[?@ == %s]", digits), &path),
	                 JSONPATH_REFUSED);
	ck_assert_int_eq(queried_parse(psprintf("$[?@ == %s.0]", digits), &path),
	                 JSONPATH_OK);
	/* so many that Python reads on no further */
	ck_assert_int_eq(
		queried_parse(psprintf("$[%s:01]", support_repeat("1", 4301)), &path),
		JSONPATH_REFUSED);
	ck_assert_int_eq(
		queried_parse(psprintf("$[%s:01]", support_repeat("1", 4300)), &path),
		JSONPATH_SYNTAX);
}
END_TEST

static const struct
{
	const char *query;
	bool expected;
} singular[] = {
	{"$", true},           {"$.a[0]['b']", true}, {"$.a.*", false},   {"$..a", false},
	{"$['a','b']", false}, {"$[0:1]", false},     {"$[?@.a]", false},
};

START_TEST(test_singular)
{
	JsonPath path;

	ck_assert_int_eq(queried_parse(singular[_i].query, &path), JSONPATH_OK);
	ck_assert_int_eq(jsonpath_is_singular(&path), singular[_i].expected);
}
END_TEST

static const struct
{
	const char *begin;
	const char *left;
	const char *middle;
	const char *right;
	const char *end;
	int accepted;
	int refused;
} nestings[] = {
	{"$[?", "(", "@", ")", "]", 440, 100000},
	{"$[?", "!", "@", "", "]", 440, 100000},
	{"$[?", "", "@", "&&@", "]", 440, 100000},
	{"$[?", "", "@", "==1", "]", 440, 100000},
	{"$", "[?@", "", "]", "", 145, 100000},
	{"$", "[?$", "", "]", "", 145, 100000},
	{"$[?", "length(", "@", ")", "==1]", 890, 100000},
};

START_TEST(test_nesting)
{
	JsonPath path;
	JsonValue root = queried_document("[[[[1]]]]");

	for (int refuse = 0; refuse < 2; refuse++)
	{
		int depth = refuse ? nestings[_i].refused : nestings[_i].accepted;
		const char *query =
			psprintf("%s%s%s%s%s", nestings[_i].begin,
		             support_repeat(nestings[_i].left, depth), nestings[_i].middle,
		             support_repeat(nestings[_i].right, depth), nestings[_i].end);

		ck_assert_int_eq(queried_parse(query, &path),
		                 refuse ? JSONPATH_REFUSED : JSONPATH_OK);
		if (!refuse)
			jsonpath_first(&path, &root);
	}
}
END_TEST

START_TEST(test_unbalanced)
{
	JsonPath path;

	ck_assert_int_eq(queried_parse(psprintf("$%s", support_repeat("[", 300000)), &path),
	                 JSONPATH_SYNTAX);
	ck_assert_int_eq(queried_parse(psprintf("$%s", support_repeat("[?(", 300000)), &path),
	                 JSONPATH_SYNTAX);
	ck_assert_int_eq(
		queried_parse(psprintf("$[?%s", support_repeat("f(", 300000)), &path),
		JSONPATH_SYNTAX);
	ck_assert_int_eq(queried_parse(psprintf("$%s", support_repeat(".a", 300000)), &path),
	                 JSONPATH_OK);
	ck_assert_int_eq(
		queried_parse(psprintf("$[0%s]", support_repeat(",0", 300000)), &path),
		JSONPATH_OK);
	/* too long to be one */
	ck_assert_int_eq(queried_parse(psprintf("$%s", support_repeat(".a", 600000)), &path),
	                 JSONPATH_REFUSED);
}
END_TEST

/* Every prefix of a query, and every byte of it replaced: it must end, and read no more. */
START_TEST(test_mutilated)
{
	static const char query[] = "$.a['\\ud835\\udcb3',-1:2:1][?length(@.b)>=1.5e-3 && "
								"!(match($..c,\"[a-c]{1,2}\\u0041\")||@==null)]..*";
	JsonValue root = queried_document("{\"a\":[{\"b\":\"x\"},{\"c\":[]}]}");
	JsonPath path;

	for (size_t len = 0; len < sizeof(query); len++)
	{
		const char *prefix = pnstrdup(query, len);

		if (queried_parse(prefix, &path) == JSONPATH_OK)
			jsonpath_first(&path, &root);
		for (const char *byte = "$[]()'\"\\?.*,:01-e@! \n"; *byte != '\0'; byte++)
		{
			char *changed = pstrdup(query);

			changed[len] = len < sizeof(query) - 1 ? *byte : '\0';
			if (queried_parse(changed, &path) == JSONPATH_OK)
				jsonpath_first(&path, &root);
		}
	}
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("jsonpath_syntax");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, test_no_queries, 0, lengthof(no_queries));
	tcase_add_loop_test(tcase, test_refused, 0, lengthof(refused));
	tcase_add_test(tcase, test_digits);
	tcase_add_loop_test(tcase, test_singular, 0, lengthof(singular));
	tcase_add_loop_test(tcase, test_nesting, 0, lengthof(nestings));
	tcase_add_test(tcase, test_unbalanced);
	tcase_add_test(tcase, test_mutilated);
	return support_run("jsonpath_syntax", tcase);
}
