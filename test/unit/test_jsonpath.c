/*
 * What JSONPath queries find: the RFC's own examples, and where the engine leaves the RFC.
 */
#include "queried.h"

typedef struct Example
{
	const char *query;
	const char *json;
	const char *expected;
} Example;

static void
assert_example(const Example *example)
{
	queried_assert(example->query, example->json, example->expected);
}

/* RFC 9535, figure 1 */
static const char *const store =
	"{\"store\":{\"book\":["
	"{\"category\":\"reference\",\"author\":\"Nigel Rees\",\"title\":\"Sayings of the "
	"Century\",\"price\":8.95},"
	"{\"category\":\"fiction\",\"author\":\"Evelyn Waugh\",\"title\":\"Sword of "
	"Honour\",\"price\":12.99},"
	"{\"category\":\"fiction\",\"author\":\"Herman Melville\",\"title\":\"Moby "
	"Dick\",\"isbn\":\"0-553-21311-3\",\"price\":8.99},"
	"{\"category\":\"fiction\",\"author\":\"J. R. R. Tolkien\",\"title\":\"The Lord of "
	"the "
	"Rings\",\"isbn\":\"0-395-19395-8\",\"price\":22.99}],"
	"\"bicycle\":{\"color\":\"red\",\"price\":399}}}";

static const Example rfc_store[] = {
	{"$.store.book[*].author", NULL, "\"Nigel Rees\""},
	{"$..author", NULL, "\"Nigel Rees\""},
	{"$.store.*[3].title", NULL, "\"The Lord of the Rings\""},
	{"$.store..price", NULL, "8.95"},
	{"$..book[2].title", NULL, "\"Moby Dick\""},
	{"$..book[2].publisher", NULL, NULL},
	{"$..book[-1].title", NULL, "\"The Lord of the Rings\""},
	{"$..book[1,0].author", NULL, "\"Evelyn Waugh\""},
	{"$..book[:2].author", NULL, "\"Nigel Rees\""},
	{"$..book[?@.isbn].title", NULL, "\"Moby Dick\""},
	{"$..book[?@.price<10].title", NULL, "\"Sayings of the Century\""},
	{"$..book[?@.price>10 && @.category=='fiction'].price", NULL, "12.99"},
	{"$.store.bicycle['color']", NULL, "\"red\""},
	{"$['store']['bicycle'][\"price\"]", NULL, "399"},
};

START_TEST(test_rfc_store)
{
	queried_assert(rfc_store[_i].query, store, rfc_store[_i].expected);
}
END_TEST

static const char *const comparisons = "{\"obj\":{\"x\":\"y\"},\"arr\":[2,3]}";

/* RFC 9535, table 11: comparisons that are true, and some that are not */
static const struct
{
	const char *comparison;
	bool expected;
} rfc_comparisons[] = {
	{"$.absent1 == $.absent2", true},
	{"$.absent1 <= $.absent2", true},
	{"$.absent == 'g'", false},
	{"$.absent1 != $.absent2", false},
	{"$.absent != 'g'", true},
	{"1 <= 2", true},
	{"1 > 2", false},
	{"13 == '13'", false},
	{"'a' <= 'b'", true},
	{"'a' > 'b'", false},
	{"$.obj == $.arr", false},
	{"$.obj != $.arr", true},
	{"$.obj == $.obj", true},
	{"$.obj != $.obj", false},
	{"$.arr == $.arr", true},
	{"$.arr != $.arr", false},
	{"$.obj == 17", false},
	{"$.obj != 17", true},
	{"$.obj <= $.arr", false},
	{"$.obj < $.arr", false},
	{"$.obj <= $.obj", true},
	{"$.arr <= $.arr", true},
	{"1 <= $.arr", false},
	{"1 >= $.arr", false},
	{"1 > $.arr", false},
	{"1 < $.arr", false},
	{"true <= true", true},
	{"true > true", false},
	/* those of Python */
	{"true == 1", false},
	{"false < 1", true},
	{"false <= true", true},
	{"true >= 1", false},
	{"true > 0.5", true},
	{"null == null", true},
	{"null <= null", true},
	{"null < 1", false},
	{"1 == 1.0", true},
	{"-0 == 0", true},
	{"1e2 == 100", true},
	{"9007199254740993 == 9007199254740992", true},
	{"1.0e400 > 1e300", true},
	{"'\xEF\xBF\xBD' < '\xF0\x9D\x92\xB3'", true},
	{"'ab' < 'b'", true},
	{"'' < 'a'", true},
	{"1 == 2 == 3", false},
	{"1 == 1 == true", false}, /* 1 == (1 == true) */
	{"true == 1 == 1", true},
};

START_TEST(test_rfc_comparisons)
{
	const char *query = psprintf("$[?%s]", rfc_comparisons[_i].comparison);

	queried_assert(query, comparisons,
	               rfc_comparisons[_i].expected ? "{\"x\":\"y\"}" : NULL);
}
END_TEST

static const Example examples[] = {
	/* names */
	{"$", "[1]", "[1]"},
	{"$.a", "{\"a\":null}", "null"},
	{"$.a", "[1]", NULL},
	{"$.foo-bar", "{\"foo-bar\":1}", "1"},
	{"$.\xE3\x82\xB5", "{\"\xE3\x82\xB5\":1}", "1"},
	{"$['\xF0\x9D\x92\xB3']", "{\"\xF0\x9D\x92\xB3\":1}", "1"},
	{"$['']", "{\"\":1}", "1"},
	{"$ .a", "{\"a\":1}", "1"},
	{"$\t\r\n [ 'a' ]", "{\"a\":1}", "1"},
	{"$['[$.the.size$]']", "{\"[$.the.size$]\":1}", "1"},
	/* strings */
	{"$['\\'\"']", "{\"'\\\"\":1}", "1"},
	{"$[\"'\\\"\"]", "{\"'\\\"\":1}", "1"},
	{"$['\\b\\f\\n\\r\\t\\/\\\\']", "{\"\\b\\f\\n\\r\\t\\/\\\\\":1}", "1"},
	{"$['\\\\\"']", "{\"\\\\\\\"\":1}", "1"},
	{"$['\\u00e9\\u20AC']", "{\"\xC3\xA9\xE2\x82\xAC\":1}", "1"},
	{"$['\\uD835\\uDCB3']", "{\"\xF0\x9D\x92\xB3\":1}", "1"},
	{"$['a\\u0041']", "{\"aA\":1}", "1"},
	{"$['\x7F']", "{\"\x7F\":1}", "1"},
	/* indexes and slices */
	{"$[1]", "[1,2,3]", "2"},
	{"$[-3]", "[1,2,3]", "1"},
	{"$[-4]", "[1,2,3]", NULL},
	{"$[3]", "[1,2,3]", NULL},
	{"$[0]", "{\"0\":1}", NULL},
	{"$[9007199254740991]", "[1]", NULL},
	{"$[-9007199254740991]", "[1]", NULL},
	{"$[1:]", "[1,2,3]", "2"},
	{"$[:]", "[1,2,3]", "1"},
	{"$[::-1]", "[1,2,3]", "3"},
	{"$[::0]", "[1,2,3]", NULL},
	{"$[5::-2]", "[1,2,3]", "3"},
	{"$[-2::-1]", "[1,2,3]", "2"},
	{"$[1:1]", "[1,2,3]", NULL},
	{"$[0:3:-1]", "[1,2,3]", NULL},
	{"$[-9007199254740991:9007199254740991:9007199254740991]", "[1,2]", "1"},
	{"$[9007199254740991:-9007199254740991:-9007199254740991]", "[1,2]", "2"},
	{"$[:1 -1]", "[1,2,3]", "3"}, /* the second colon may be missing */
	{"$[1 : 3 2]", "[1,2,3]", "2"},
	{"$[0:1]", "{\"a\":1}", NULL},
	{"$[-1,0]", "[1,2]", "2"},
	{"$[5,'a',0]", "[1,2]", "1"},
	/* wildcards and descendants: the value itself first, in the order of the text */
	{"$.*", "{\"b\":1,\"a\":2}", "1"},
	{"$.*", "1", NULL},
	{"$..a", "{\"b\":{\"a\":1},\"a\":2}", "2"},
	{"$..[0]", "[[1],2]", "[1]"},
	{"$..*", "{\"b\":{\"a\":1},\"a\":2}", "{\"a\":1}"},
	{"$..a..b", "[{\"b\":0,\"a\":{\"c\":{\"b\":1}}},{\"a\":{\"b\":2}}]", "1"},
	{"$[*].a", "[{\"b\":1},1,{\"a\":2}]", "2"},
	/* what a filter takes for true */
	{"$[?@]", "[0,\"\",false,null]", "null"},
	{"$[?@]", "[0.0,0,-0,1]", "1"},
	{"$[?@]", "[[],1]", "[]"},
	{"$[?@.a]", "[{},{\"a\":false}]", "{\"a\":false}"},
	{"$[?!@.a]", "[{\"a\":false},{}]", "{}"},
	{"$[?value(@.*) && @]", "[[[]],[0],[\"\"],[null]]", "[null]"},
	{"$[?!0 && !'']", "[1]", "1"},
	{"$[?!null]", "[1]", NULL},
	{"$[?!@.a==1]", "[{\"a\":1},{\"a\":2}]", NULL}, /* (!@.a) == 1 */
	{"$[?!@.a==false]", "[{\"b\":1},{\"a\":1}]", "{\"a\":1}"},
	{"$[?!(@.a==1)]", "[{\"a\":1},{\"a\":2}]", "{\"a\":2}"},
	/* precedence */
	{"$[?@.a && @.b || @.c]", "[{\"a\":1},{\"c\":1}]", "{\"c\":1}"},
	{"$[?@.c || @.a && @.b]", "[{\"b\":1},{\"c\":1}]", "{\"c\":1}"},
	{"$[?@.a && (@.b || @.c)]", "[{\"c\":1},{\"a\":1,\"c\":1}]", "{\"a\":1,\"c\":1}"},
	{"$[?@.a==1 && @.b<2]", "[{\"a\":1,\"b\":2},{\"a\":1,\"b\":1}]", "{\"a\":1,\"b\":1}"},
	/* on objects, nested, and from the root */
	{"$[?@>1]", "{\"a\":1,\"b\":2}", "2"},
	{"$.l[?@==$.x]", "{\"l\":[1,2],\"x\":2}", "2"},
	{"$[?@[?@>2]]", "[[1,2],[3]]", "[3]"},
	{"$[?@[?@==$.x]]", "{\"x\":1,\"l\":{\"x\":1,\"m\":1}}", "{\"x\":1,\"m\":1}"},
	/* `$` in a filter is where the query around it began, not the document */
	{"$.l[?@.m[?@==$.x]]", "{\"x\":1,\"l\":[{\"m\":[1],\"x\":2},{\"m\":[2],\"x\":2}]}",
     "{\"m\":[2],\"x\":2}"},
	{"$.l[?$.m[?@==$.x]]", "{\"x\":1,\"l\":[7],\"m\":[1]}", "7"},
	/* equality of containers is Python's */
	{"$[?@.a==@.b]", "[{\"a\":[true,{\"x\":1.0}],\"b\":[1,{\"x\":1}]}]",
     "{\"a\":[true,{\"x\":1.0}],\"b\":[1,{\"x\":1}]}"},
	{"$[?@.a==@.b]", "[{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":2,\"x\":1}}]",
     "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":2,\"x\":1}}"},
	{"$[?@.a==@.b]",
     "[{\"a\":[1,2],\"b\":[2,1]},{\"a\":[],\"b\":{}},{\"a\":[0],\"b\":[null]},"
     "{\"a\":[[]],\"b\":[{}]},{\"a\":{\"x\":1},\"b\":{\"y\":1}}]",
     NULL},
	{"$[?@.a==@.b]", "[{\"a\":[1],\"b\":[1,2]},{\"a\":[1,2],\"b\":[1]}]", NULL},
	{"$[?@.a==@.b]", "[{\"a\":{\"x\":1},\"b\":{\"x\":1,\"y\":2}}]", NULL},
	{"$[?@==100000000000000000000]", "[99999999999999999999,100000000000000000000]",
     "100000000000000000000"},
	{"$[?@>9007199254740992]", "[9007199254740992,9007199254740993]", "9007199254740993"},
	/* functions */
	{"$[?length(@)==2]", "[\"a\",\"\xC3\xA9\xF0\x9D\x92\xB3\"]",
     "\"\xC3\xA9\xF0\x9D\x92\xB3\""},
	{"$[?length(@)==2]", "[[1],{\"a\":1,\"b\":2}]", "{\"a\":1,\"b\":2}"},
	{"$[?length(@.a)==@.x]", "[{\"a\":1},{\"a\":null,\"x\":1}]", "{\"a\":1}"},
	{"$[?length('abc')==3]", "[1]", "1"},
	{"$[?length(@,)==1]", "[[5]]", "[5]"}, /* a trailing comma is no argument */
	{"$[?count(@.*)>1]", "[[1],[1,2]]", "[1,2]"},
	{"$[?count(@..*)==3]", "[[1],[[1,2]]]", "[[1,2]]"},
	{"$[?count(@)==3]", "[\"ab\",\"abc\"]", "\"abc\""},
	{"$[?count(@)>0]", "[1,[]]", NULL}, /* Python fails on a number */
	{"$[?count(@)==1]", "[[],1]", "[]"},
	{"$[?value(@..a)==1]", "[{\"a\":1,\"b\":{\"a\":1}},{\"b\":{\"a\":1}}]",
     "{\"b\":{\"a\":1}}"},
	{"$[?value(@)==value(@.x)]", "[\"ab\"]", "\"ab\""},
	{"$[?value(@)==value(@.x)]", "[\"a\",\"ab\"]", NULL},
	{"$[?match(@,'a.c')]", "[\"xabc\",\"abcx\",\"a\\nc\",\"a\\rc\",\"a\\u0085c\"]",
     "\"a\\u0085c\""},
	{"$[?search(@,'b.')]", "[\"ab\",\"xbcx\"]", "\"xbcx\""},
	{"$[?match(@,'\\\\p{Lu}[^a-c-]')]", "[\"aa\",\"A-\",\"\xC3\x89\xE3\x82\xB5\"]",
     "\"\xC3\x89\xE3\x82\xB5\""},
	{"$[?match(@,'a{2,3}|b+')]", "[\"a\",\"aaaa\",\"bbbb\"]", "\"bbbb\""},
	{"$[?match(@,'(a|b)*c?')]", "[\"abd\",\"abbac\"]", "\"abbac\""},
	{"$[?match(@,'[:alpha:]')]", "[\"b\",\"l\"]", "\"l\""},
	{"$[?search(@,'^a$')]", "[\"ba\",\"ab\",\"a\\n\"]", "\"a\\n\""},
	{"$[?match(@,'\\\\.')]", "[\"a\",\".\"]", "\".\""},
	/* no I-Regexp, no text */
	{"$[?match(@,'a{10}')]", "[\"aaaaaaaaaa\"]", NULL},
	{"$[?search(@,'\\\\d')]", "[\"1\"]", NULL},
	{"$[?search(@,'(?i)A')]", "[\"a\"]", NULL},
	{"$[?search(@,'a*?')]", "[\"a\"]", NULL},
	{"$[?search(@,'(a')]", "[\"a\"]", NULL},
	{"$[?search(@,'a)')]", "[\"a)\"]", NULL},
	{"$[?search(@,'[')]", "[\"[\"]", NULL},
	{"$[?search(@,'[]')]", "[\"]\"]", NULL},
	{"$[?search(@,'[z-a]')]", "[\"z\"]", NULL},
	{"$[?search(@,'a{2,1}')]", "[\"aa\"]", NULL},
	{"$[?search(@,'\\\\p{Xx}')]", "[\"a\"]", NULL},
	{"$[?search(@,'\\\\')]", "[\"\\\\\"]", NULL},
	{"$[?search(@,1)]", "[\"1\"]", NULL},
	{"$[?match(@,'1')]", "[1]", NULL},
	{"$[?search(@.a,@.b)]", "[{\"a\":\"x\"},{\"a\":\"xy\",\"b\":\"y\"}]",
     "{\"a\":\"xy\",\"b\":\"y\"}"},
	/* an argument may be a whole expression, and a nested filter keeps its commas */
	{"$[?count(@[?@.a,.*])==2]", "[[{\"b\":1},{\"c\":1}]]", "[{\"b\":1},{\"c\":1}]"},
};

START_TEST(test_examples)
{
	assert_example(&examples[_i]);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("jsonpath");

	tcase_add_loop_test(tcase, test_rfc_store, 0, lengthof(rfc_store));
	tcase_add_loop_test(tcase, test_rfc_comparisons, 0, lengthof(rfc_comparisons));
	tcase_add_loop_test(tcase, test_examples, 0, lengthof(examples));
	return support_run("jsonpath", tcase);
}
