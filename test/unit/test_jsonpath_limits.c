/*
 * How far JSONPath queries go: into deep documents, and with costly patterns.
 */
#include "queried.h"

/* `..` goes 100 levels down, the first value included; what is found before counts. */
START_TEST(test_descent)
{
	const char *reachable =
		psprintf("%s{\"a\":1}%s", support_repeat("[", 99), support_repeat("]", 99));
	const char *beyond =
		psprintf("%s{\"a\":1}%s", support_repeat("[", 100), support_repeat("]", 100));

	queried_assert("$..a", reachable, "1");
	queried_assert("$..a", beyond, NULL);
	queried_assert("$..*..a", beyond, "1");
	queried_assert("$..[1]", psprintf("[%s,2]", beyond), "2");
	queried_assert("$..b", psprintf("{\"x\":%s,\"b\":2}", beyond), "2");
	queried_assert("$[1,0]..a", psprintf("[%s,{\"a\":2}]", beyond), "2");
	/* the error of a filter is that of the whole query */
	queried_assert("$[?@..b || @==1]", psprintf("[%s,1]", reachable), "1");
	queried_assert("$[?@..b || @==1]", psprintf("[%s,1]", beyond), NULL);
	queried_assert("$[?@..b || @==1]", psprintf("[1,%s]", beyond), "1");
}
END_TEST

START_TEST(test_deep_documents)
{
	int depth = JSON_MAX_DEPTH - 1;
	const char *deep =
		psprintf("%s1%s", support_repeat("[", depth), support_repeat("]", depth));
	const char *one;
	const char *other;

	queried_assert(psprintf("$%s", support_repeat("[0]", depth)), deep, "1");
	queried_assert(psprintf("$%s", support_repeat("[*]", depth)), deep, NULL);
	queried_assert(psprintf("$%s", support_repeat("[*]", 900)), deep,
	               psprintf("%s1%s", support_repeat("[", depth - 900),
	                        support_repeat("]", depth - 900)));
	queried_assert(psprintf("$%s", support_repeat("..*", 10000)), deep, NULL);
	/* equality goes all the way down */
	depth -= 1;
	one = psprintf("%s1%s", support_repeat("[", depth), support_repeat("]", depth));
	other = psprintf("%s2%s", support_repeat("[", depth), support_repeat("]", depth));
	queried_assert("$[?@==$[2]]", psprintf("[%s,%s ,%s]", other, one, one), one);
	queried_assert("$[?@==$.x]", psprintf("[%s]", one), NULL);
}
END_TEST

/* Patterns that take exponential or quadratic time give up, in well under the timeout. */
START_TEST(test_costly_patterns)
{
	const char *text = psprintf("\"%s\"", support_repeat("a", 1000000));
	const char *json = psprintf("[%s]", text);

	queried_assert("$[?match(@,'(a*)*[bc]')]", json, NULL);
	queried_assert("$[?search(@,'(a|aa)+[bc]')]", json, NULL);
	queried_assert("$[?search(@,'a*[bc]')]", json, NULL);
	queried_assert("$[?match(@,'a*')]", json, text);
	queried_assert(psprintf("$[?match(@,'%sa%s')]", support_repeat("(", 10000),
	                        support_repeat(")", 10000)),
	               "[\"a\"]", NULL);
	queried_assert(psprintf("$[?match(@,'%s')]", support_repeat("(a|b){9}", 10000)),
	               "[\"a\"]", NULL);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("jsonpath_limits");

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, test_descent);
	tcase_add_test(tcase, test_deep_documents);
	tcase_add_test(tcase, test_costly_patterns);
	return support_run("jsonpath_limits", tcase);
}
