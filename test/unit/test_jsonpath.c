/*
 * JSONPath: the RFC's own examples, where the engine leaves the RFC, what is no JSONPath
 * and what is refused, how flags are read, and input that is made to do harm.
 */
#include "engine/jsonpath.h"

#include <check.h>

#include "lib/stringinfo.h"

static Str
text_of(const char *text)
{
	return str_make(text, strlen(text));
}

/* A copy without a NUL behind it, so that a sanitizer sees a read beyond the end. */
static Str
exact(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(Max(len, 1));

	memcpy(copy, text, len);
	return str_make(copy, len);
}

static JsonValue
document(const char *text)
{
	JsonValue value;
	EngineError error;

	ck_assert_msg(json_parse(text_of(text), &value, &error), "%s is JSON", text);
	return value;
}

static JsonPathStatus
parse(const char *text, JsonPath *path)
{
	Str copy = exact(text);
	JsonPathStatus status = jsonpath_parse(copy, path);

	/* nothing of it may be kept */
	memset(unconstify(char *, copy.data), 'x', copy.len);
	free(unconstify(char *, copy.data));
	return status;
}

/* Asserts what the query finds first, as JSON text; NULL if nothing. */
static void
assert_finds(const char *query, const char *json, const char *expected)
{
	JsonValue root = document(json);
	JsonPath path;
	const JsonValue *node;

	ck_assert_msg(parse(query, &path) == JSONPATH_OK, "%s is a query", query);
	node = jsonpath_first(&path, &root);
	if (expected == NULL)
		ck_assert_msg(node == NULL, "%s in %s finds %.*s", query, json,
		              (int) node->raw.len, node->raw.data);
	else
	{
		ck_assert_msg(node != NULL, "%s in %s finds nothing", query, json);
		ck_assert_msg(str_equal(node->raw, text_of(expected)), "%s in %s finds %.*s",
		              query, json, (int) node->raw.len, node->raw.data);
	}
}

/* The text repeated. */
static const char *
repeat(const char *text, int times)
{
	StringInfoData result;

	initStringInfo(&result);
	for (int i = 0; i < times; i++)
		appendStringInfoString(&result, text);
	return result.data;
}

typedef struct Example
{
	const char *query;
	const char *json;
	const char *expected;
} Example;

static void
assert_example(const Example *example)
{
	assert_finds(example->query, example->json, example->expected);
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
	assert_finds(rfc_store[_i].query, store, rfc_store[_i].expected);
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

	assert_finds(query, comparisons,
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

	ck_assert_msg(parse(no_queries[_i], &path) == JSONPATH_SYNTAX, "%s", no_queries[_i]);
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

	ck_assert_msg(parse(refused[_i], &path) == JSONPATH_REFUSED, "%s", refused[_i]);
}
END_TEST

START_TEST(test_digits)
{
	JsonPath path;
	const char *digits = repeat("9", 400);

	ck_assert_int_eq(parse(psprintf("$[%s]", digits), &path), JSONPATH_REFUSED);
	ck_assert_int_eq(parse(psprintf("$[-%s:]", digits), &path), JSONPATH_REFUSED);
	ck_assert_int_eq(parse(psprintf("$[%s:01]", digits), &path), JSONPATH_SYNTAX);
	ck_assert_int_eq(parse(psprintf("$[?@ == %s]", digits), &path), JSONPATH_REFUSED);
	ck_assert_int_eq(parse(psprintf("$[?@ == %s.0]", digits), &path), JSONPATH_OK);
	/* so many that Python reads on no further */
	ck_assert_int_eq(parse(psprintf("$[%s:01]", repeat("1", 4301)), &path),
	                 JSONPATH_REFUSED);
	ck_assert_int_eq(parse(psprintf("$[%s:01]", repeat("1", 4300)), &path),
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

	ck_assert_int_eq(parse(singular[_i].query, &path), JSONPATH_OK);
	ck_assert_int_eq(jsonpath_is_singular(&path), singular[_i].expected);
}
END_TEST

/*
 * Flags that write down what is asked of them.  A name that begins with "no" is of no
 * flag; the others become objects, in the order in which they are first read.
 */
typedef struct Recorder
{
	JsonFlags flags; /* first, so that a JsonFlags is a Recorder */
	StringInfoData reads;
	uint32 count;
	Str names[10];
	JsonValue values[10];
} Recorder;

static const JsonValue *
record_get(JsonFlags *flags, Str name)
{
	Recorder *recorder = (Recorder *) flags;

	appendStringInfo(&recorder->reads, "%.*s ", (int) name.len, name.data);
	for (uint32 i = 0; i < recorder->count; i++)
	{
		if (str_equal(recorder->names[i], name))
			return &recorder->values[i];
	}
	if (name.len >= 2 && memcmp(name.data, "no", 2) == 0)
		return NULL;
	ck_assert_uint_lt(recorder->count, lengthof(recorder->values));
	recorder->names[recorder->count] = str_copy(name);
	recorder->values[recorder->count] =
		document(psprintf("{\"name\":\"%.*s\",\"on\":%s}", (int) name.len, name.data,
	                      name.data[0] == 'y' ? "true" : "false"));
	return &recorder->values[recorder->count++];
}

static const JsonValue *
record_at(JsonFlags *flags, uint32 index)
{
	Recorder *recorder = (Recorder *) flags;

	return index < recorder->count ? &recorder->values[index] : NULL;
}

/* A context with those flags already read. */
static JsonValue
record(Recorder *recorder, const char *read)
{
	JsonValue root = document("{\"a\":[1,2],\"flags\":{},\"z\":{\"on\":7}}");

	memset(recorder, 0, sizeof(*recorder));
	recorder->flags.get = record_get;
	recorder->flags.at = record_at;
	initStringInfo(&recorder->reads);
	for (const char *name = read; *name != '\0'; name++)
		record_get(&recorder->flags, str_make(name, 1));
	resetStringInfo(&recorder->reads);
	root.members[1].value.type = JSON_FLAGS;
	root.members[1].value.flags = &recorder->flags;
	return root;
}

static const struct
{
	const char *query;
	const char *before; /* flags that have been read, one letter each */
	const char *reads;
	const char *expected;
} flag_reads[] = {
	{"$.flags.y1.on", "", "y1 ", "true"},
	{"$.flags['y1']['name']", "", "y1 ", "\"y1\""},
	{"$.flags.none", "", "none ", "null"},
	{"$.flags.none.on", "", "none ", NULL},
	{"$.flags[0]", "x", "", NULL},
	{"$.a.flags.y1", "", "", NULL},
	/* only as far as needed, and in the query's order */
	{"$.flags['y1','y2'].on", "", "y1 ", "true"},
	{"$.flags['none','y2'].on", "", "none y2 ", "true"},
	{"$['flags','z'].on", "", "on ", "{\"name\":\"on\",\"on\":false}"},
	{"$.*.y1", "", "y1 ", "{\"name\":\"y1\",\"on\":true}"},
	{"$..on", "", "on ", "{\"name\":\"on\",\"on\":false}"},
	/* what iterates sees those that have been read */
	{"$.flags.*", "", "", NULL},
	{"$.flags.*.name", "xy", "", "\"x\""},
	{"$.flags[?@.on==true].name", "xy", "", "\"y\""},
	{"$.flags..name", "yx", "name ", "{\"name\":\"name\",\"on\":false}"},
	{"$.a[?length($.flags)==2]", "xy", "", "1"},
	{"$.a[?count($.flags.*)==2]", "xy", "", "1"},
	{"$.a[?$.flags==$.flags]", "x", "", "1"},
	{"$.a[?!value($.flags)]", "", "", "1"},
	{"$.a[?!value($.flags)]", "x", "", NULL},
	/* filters: both operands, always */
	{"$.a[?$.flags.y1.on==false && $.flags.y2.on==true]", "", "y1 y2 y1 y2 ", NULL},
	{"$.a[?$.flags.y1.on==true || $.flags.y2.on==true]", "", "y1 y2 ", "1"},
	{"$.a[?$.flags.none]", "", "none ", "1"},
	{"$.a[?$.flags.none==null]", "", "none ", "1"},
	{"$.a[?$.flags['y1','y2'].on]", "", "y1 y2 ", "1"},
	/* going on through flags that have become more is an error in Python */
	{"$.flags[?$.flags.y1.on==false]", "x", "y1 ", NULL},
	{"$.flags[?$.flags.y1.on==true].name", "x", "y1 ", "\"x\""},
	{"$.flags[?$.flags.x.on==true]", "xz", "x x ", NULL},
	{"$.flags[?$.flags.none==1]", "xz", "none none ", NULL},
	{"$['flags','a'][?$.flags.y1.on==false || @==2]", "x", "y1 ", NULL},
	{"$.a[?count($.flags[?$.flags.y1.on])>0 || $.flags.y2]", "x", "y1 ", NULL},
};

START_TEST(test_flag_reads)
{
	Recorder recorder;
	JsonValue root = record(&recorder, flag_reads[_i].before);
	JsonPath path;
	const JsonValue *node;

	ck_assert_int_eq(parse(flag_reads[_i].query, &path), JSONPATH_OK);
	node = jsonpath_first(&path, &root);
	ck_assert_msg(strcmp(recorder.reads.data, flag_reads[_i].reads) == 0, "%s reads %s",
	              flag_reads[_i].query, recorder.reads.data);
	if (flag_reads[_i].expected == NULL)
		ck_assert_msg(node == NULL, "%s finds something", flag_reads[_i].query);
	else
		ck_assert_msg(node != NULL &&
		                  str_equal(node->raw, text_of(flag_reads[_i].expected)),
		              "%s", flag_reads[_i].query);
	ck_assert_int_eq(recorder.flags.recursion, 0);
}
END_TEST

/* Flags whose reading runs a query that reads the next one, and so on without an end. */
typedef struct Chain
{
	JsonFlags flags;
	const JsonPath *path;
	const JsonValue *root;
	int reads;
} Chain;

static const JsonValue *
chain_get(JsonFlags *flags, Str name pg_attribute_unused())
{
	Chain *chain = (Chain *) flags;

	chain->reads++;
	return jsonpath_first(chain->path, chain->root);
}

static const JsonValue *
chain_at(JsonFlags *flags pg_attribute_unused(), uint32 index pg_attribute_unused())
{
	return NULL;
}

START_TEST(test_flag_chain)
{
	JsonValue root = document("{\"flags\":{}}");
	Chain chain = {{chain_get, chain_at, 0}, NULL, &root, 0};
	JsonPath path;

	root.members[0].value.type = JSON_FLAGS;
	root.members[0].value.flags = &chain.flags;
	ck_assert_int_eq(parse(psprintf("$[?%svalue($.flags.a)]", repeat("!", 100)), &path),
	                 JSONPATH_OK);
	chain.path = &path;
	jsonpath_first(&path, &root);
	/* the levels of all queries are counted together */
	ck_assert_int_gt(chain.reads, 1);
	ck_assert_int_lt(chain.reads, 20);
	ck_assert_int_eq(chain.flags.recursion, 0);
}
END_TEST

/* `..` goes 100 levels down, the first value included; what is found before counts. */
START_TEST(test_descent)
{
	const char *reachable = psprintf("%s{\"a\":1}%s", repeat("[", 99), repeat("]", 99));
	const char *beyond = psprintf("%s{\"a\":1}%s", repeat("[", 100), repeat("]", 100));

	assert_finds("$..a", reachable, "1");
	assert_finds("$..a", beyond, NULL);
	assert_finds("$..*..a", beyond, "1");
	assert_finds("$..[1]", psprintf("[%s,2]", beyond), "2");
	assert_finds("$..b", psprintf("{\"x\":%s,\"b\":2}", beyond), "2");
	assert_finds("$[1,0]..a", psprintf("[%s,{\"a\":2}]", beyond), "2");
	/* the error of a filter is that of the whole query */
	assert_finds("$[?@..b || @==1]", psprintf("[%s,1]", reachable), "1");
	assert_finds("$[?@..b || @==1]", psprintf("[%s,1]", beyond), NULL);
	assert_finds("$[?@..b || @==1]", psprintf("[1,%s]", beyond), "1");
}
END_TEST

START_TEST(test_deep_documents)
{
	int depth = JSON_MAX_DEPTH - 1;
	const char *deep = psprintf("%s1%s", repeat("[", depth), repeat("]", depth));
	const char *one;
	const char *other;

	assert_finds(psprintf("$%s", repeat("[0]", depth)), deep, "1");
	assert_finds(psprintf("$%s", repeat("[*]", depth)), deep, NULL);
	assert_finds(psprintf("$%s", repeat("[*]", 900)), deep,
	             psprintf("%s1%s", repeat("[", depth - 900), repeat("]", depth - 900)));
	assert_finds(psprintf("$%s", repeat("..*", 10000)), deep, NULL);
	/* equality goes all the way down */
	depth -= 1;
	one = psprintf("%s1%s", repeat("[", depth), repeat("]", depth));
	other = psprintf("%s2%s", repeat("[", depth), repeat("]", depth));
	assert_finds("$[?@==$[2]]", psprintf("[%s,%s ,%s]", other, one, one), one);
	assert_finds("$[?@==$.x]", psprintf("[%s]", one), NULL);
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
	JsonValue root = document("[[[[1]]]]");

	for (int refuse = 0; refuse < 2; refuse++)
	{
		int depth = refuse ? nestings[_i].refused : nestings[_i].accepted;
		const char *query = psprintf(
			"%s%s%s%s%s", nestings[_i].begin, repeat(nestings[_i].left, depth),
			nestings[_i].middle, repeat(nestings[_i].right, depth), nestings[_i].end);

		ck_assert_int_eq(parse(query, &path), refuse ? JSONPATH_REFUSED : JSONPATH_OK);
		if (!refuse)
			jsonpath_first(&path, &root);
	}
}
END_TEST

START_TEST(test_unbalanced)
{
	JsonPath path;

	ck_assert_int_eq(parse(psprintf("$%s", repeat("[", 300000)), &path), JSONPATH_SYNTAX);
	ck_assert_int_eq(parse(psprintf("$%s", repeat("[?(", 300000)), &path),
	                 JSONPATH_SYNTAX);
	ck_assert_int_eq(parse(psprintf("$[?%s", repeat("f(", 300000)), &path),
	                 JSONPATH_SYNTAX);
	ck_assert_int_eq(parse(psprintf("$%s", repeat(".a", 300000)), &path), JSONPATH_OK);
	ck_assert_int_eq(parse(psprintf("$[0%s]", repeat(",0", 300000)), &path), JSONPATH_OK);
	/* too long to be one */
	ck_assert_int_eq(parse(psprintf("$%s", repeat(".a", 600000)), &path),
	                 JSONPATH_REFUSED);
}
END_TEST

/* Every prefix of a query, and every byte of it replaced: it must end, and read no more. */
START_TEST(test_mutilated)
{
	static const char query[] = "$.a['\\ud835\\udcb3',-1:2:1][?length(@.b)>=1.5e-3 && "
								"!(match($..c,\"[a-c]{1,2}\\u0041\")||@==null)]..*";
	JsonValue root = document("{\"a\":[{\"b\":\"x\"},{\"c\":[]}]}");
	JsonPath path;

	for (size_t len = 0; len < sizeof(query); len++)
	{
		const char *prefix = pnstrdup(query, len);

		if (parse(prefix, &path) == JSONPATH_OK)
			jsonpath_first(&path, &root);
		for (const char *byte = "$[]()'\"\\?.*,:01-e@! \n"; *byte != '\0'; byte++)
		{
			char *changed = pstrdup(query);

			changed[len] = len < sizeof(query) - 1 ? *byte : '\0';
			if (parse(changed, &path) == JSONPATH_OK)
				jsonpath_first(&path, &root);
		}
	}
}
END_TEST

/* Patterns that take exponential or quadratic time give up, in well under the timeout. */
START_TEST(test_costly_patterns)
{
	const char *text = psprintf("\"%s\"", repeat("a", 1000000));
	const char *json = psprintf("[%s]", text);

	assert_finds("$[?match(@,'(a*)*[bc]')]", json, NULL);
	assert_finds("$[?search(@,'(a|aa)+[bc]')]", json, NULL);
	assert_finds("$[?search(@,'a*[bc]')]", json, NULL);
	assert_finds("$[?match(@,'a*')]", json, text);
	assert_finds(psprintf("$[?match(@,'%sa%s')]", repeat("(", 10000), repeat(")", 10000)),
	             "[\"a\"]", NULL);
	assert_finds(psprintf("$[?match(@,'%s')]", repeat("(a|b){9}", 10000)), "[\"a\"]",
	             NULL);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("jsonpath");
	TCase *tests = tcase_create("jsonpath");

	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, test_rfc_store, 0, lengthof(rfc_store));
	tcase_add_loop_test(tests, test_rfc_comparisons, 0, lengthof(rfc_comparisons));
	tcase_add_loop_test(tests, test_examples, 0, lengthof(examples));
	tcase_add_loop_test(tests, test_no_queries, 0, lengthof(no_queries));
	tcase_add_loop_test(tests, test_refused, 0, lengthof(refused));
	tcase_add_test(tests, test_digits);
	tcase_add_loop_test(tests, test_singular, 0, lengthof(singular));
	tcase_add_loop_test(tests, test_flag_reads, 0, lengthof(flag_reads));
	tcase_add_test(tests, test_flag_chain);
	tcase_add_test(tests, test_descent);
	tcase_add_test(tests, test_deep_documents);
	tcase_add_loop_test(tests, test_nesting, 0, lengthof(nestings));
	tcase_add_test(tests, test_unbalanced);
	tcase_add_test(tests, test_mutilated);
	tcase_add_test(tests, test_costly_patterns);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
