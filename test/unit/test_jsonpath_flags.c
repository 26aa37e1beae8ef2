/*
 * How JSONPath queries read flags, which come to be by being read.
 */
#include "queried.h"

#include "lib/stringinfo.h"

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
		queried_document(psprintf("{\"name\":\"%.*s\",\"on\":%s}", (int) name.len,
	                              name.data, name.data[0] == 'y' ? "true" : "false"));
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
	JsonValue root = queried_document("{\"a\":[1,2],\"flags\":{},\"z\":{\"on\":7}}");

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

	ck_assert_int_eq(queried_parse(flag_reads[_i].query, &path), JSONPATH_OK);
	node = jsonpath_first(&path, &root);
	ck_assert_msg(strcmp(recorder.reads.data, flag_reads[_i].reads) == 0, "%s reads %s",
	              flag_reads[_i].query, recorder.reads.data);
	if (flag_reads[_i].expected == NULL)
		ck_assert_msg(node == NULL, "%s finds something", flag_reads[_i].query);
	else
		ck_assert_msg(node != NULL &&
		                  str_equal(node->raw, support_text(flag_reads[_i].expected)),
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
	JsonValue root = queried_document("{\"flags\":{}}");
	Chain chain = {{chain_get, chain_at, 0}, NULL, &root, 0};
	JsonPath path;

	root.members[0].value.type = JSON_FLAGS;
	root.members[0].value.flags = &chain.flags;
	ck_assert_int_eq(
		queried_parse(psprintf("$[?%svalue($.flags.a)]", support_repeat("!", 100)),
	                  &path),
		JSONPATH_OK);
	chain.path = &path;
	jsonpath_first(&path, &root);
	/* the levels of all queries are counted together */
	ck_assert_int_gt(chain.reads, 1);
	ck_assert_int_lt(chain.reads, 20);
	ck_assert_int_eq(chain.flags.recursion, 0);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("jsonpath_flags");

	tcase_add_loop_test(tcase, test_flag_reads, 0, lengthof(flag_reads));
	tcase_add_test(tcase, test_flag_chain);
	return support_run("jsonpath_flags", tcase);
}
