/*
 * Feature contexts.  The expected buckets and choices are those of Flagsmith's engine.
 */
#include "support.h"

#include <math.h>

#include "engine/feature.h"
#include "engine/hash.h"

#define FEATURE(members) "{'name': 'f', 'enabled': true, 'value': 'default'" members "}"

/* Compiles a feature, and forgets what it was compiled of. */
static FeatureContext
compile(const char *json)
{
	Path root = {NULL, {NULL, 0}, 0};
	JsonValue value = support_parse(json);
	FeatureContext feature;
	EngineError error;

	if (!feature_compile(&value, &root, &feature, &error))
		ck_abort_msg("%s: %s", json, error.message);
	support_wipe(&value);
	return feature;
}

#define assert_text(text, expected) ck_assert_str_eq(support_cstring(text), expected)

START_TEST(test_members)
{
	FeatureContext feature = compile(
		"{'value': {'a': [1.50]}, 'key': 12, 'name': 'a\\u0041\\n', 'enabled': true,"
		" 'priority': 3, 'metadata': {'id': 1.0}, 'attributes': [{'x': null} ],"
		" 'variants': [{'key': 'k', 'value': ' v ', 'weight': 30.0, 'priority': 1}]}");

	assert_text(feature.name, "aA\n");
	assert_text(feature.name_json, "\"a\\u0041\\n\"");
	ck_assert(feature.enabled);
	assert_text(feature.value, "{\"a\": [1.50]}");
	assert_text(feature.key, "12");
	ck_assert_int_eq(feature.priority.type, VALUE_INT);
	ck_assert_int_eq(feature.priority.integer, 3);
	assert_text(feature.metadata, "{\"id\": 1.0}");
	assert_text(feature.attributes, "[{\"x\": null} ]");
	ck_assert_uint_eq(feature.nvariants, 1);
	assert_text(feature.variants[0].key, "\"k\"");
	assert_text(feature.variants[0].value, "\" v \"");
	assert_text(feature.variants[0].weight, "30.0");
}
END_TEST

START_TEST(test_only_what_is_required)
{
	FeatureContext feature = compile("{'name': 'f', 'enabled': false, 'value': null}");

	ck_assert(!feature.enabled);
	assert_text(feature.value, "null");
	ck_assert_ptr_null(feature.key.data);
	ck_assert_uint_eq(feature.nvariants, 0);
	ck_assert_int_eq(feature.priority.type, VALUE_NULL);
	ck_assert_uint_eq(feature.metadata.len, 0);
	ck_assert_uint_eq(feature.attributes.len, 0);
	ck_assert_int_eq(compile(FEATURE(", 'priority': null")).priority.type, VALUE_NULL);
	ck_assert_uint_eq(compile(FEATURE(", 'variants': null")).nvariants, 0);
	ck_assert_uint_eq(compile(FEATURE(", 'variants': []")).nvariants, 0);
}
END_TEST

/* What variants are hashed with is the key's text in Python. */
static const struct
{
	const char *json;
	const char *key;
} keys[] = {
	{"'12'", "12"},   {"12", "12"},
	{"12.0", "12.0"}, {"1e2", "100.0"},
	{"''", ""},       {"null", "None"},
	{"true", "True"}, {"['a', 1]", "['a', 1]"},
	{"'007'", "007"}, {"98765432109876543210", "98765432109876543210"},
};

START_TEST(test_key)
{
	assert_text(compile(psprintf(FEATURE(", 'key': %s"), keys[_i].json)).key,
	            keys[_i].key);
}
END_TEST

/* Metadata counts only where Python calls it true. */
static const struct
{
	const char *json;
	const char *shown;
} metadata[] = {
	{"null", ""},
	{"false", ""},
	{"0", ""},
	{"0.0", ""},
	{"-0.0", ""},
	{"''", ""},
	{"[]", ""},
	{"{ }", ""},
	{"0e5", ""},
	{"true", "true"},
	{"1", "1"},
	{"0.10", "0.10"},
	{"' '", "\" \""},
	{"[0]", "[0]"},
	{"{'': null}", "{\"\": null}"},
	{"{'id': 1 }", "{\"id\": 1 }"},
};

START_TEST(test_metadata)
{
	const char *json = psprintf("{'metadata': %s}", metadata[_i].json);
	JsonValue value = support_parse(json);

	assert_text(feature_metadata(&value), metadata[_i].shown);
	assert_text(
		compile(psprintf(FEATURE(", 'metadata': %s"), metadata[_i].json)).metadata,
		metadata[_i].shown);
}
END_TEST

static char *
variants_of(const char *const *priorities, int count)
{
	char *json =
		pstrdup("{'name': 'f', 'enabled': true, 'value': 1, 'key': '1', 'variants': [");

	for (int i = 0; i < count; i++)
		json = psprintf("%s%s{'value': %d, 'weight': 1, 'priority': %s}", json,
		                i == 0 ? "" : ", ", i, priorities[i]);
	return psprintf("%s]}", json);
}

/* Priorities of variants, and the variants in their order. */
static const struct
{
	const char *priorities[8];
	const char *order;
} sorts[] = {
	{{"1", "2", "3"}, "012"},
	{{"3", "2", "1"}, "210"},
	{{"2", "1", "2", "1", "2"}, "13024"},
	{{"0", "0", "0", "0", "0", "0", "0", "0"}, "01234567"},
	{{"0", "-1", "0.0", "-0.5", "-0"}, "13024"},
	{{"10", "9", "1e1", "8.5"}, "3102"},
	{{"98765432109876543211", "98765432109876543210", "9876543210987654321", "0"},
     "3210"},
	{{"98765432109876543210", "1e19", "-98765432109876543210", "98765432109876543210"},
     "2103"},
	{{"9223372036854775808", "9223372036854775807", "9223372036854775808.0"}, "102"},
	{{"1e400", "1", "1e308", "-1e400"}, "3120"},
};

START_TEST(test_sorted_by_priority)
{
	int count = strlen(sorts[_i].order);
	FeatureContext feature = compile(variants_of(sorts[_i].priorities, count));
	char *order = pstrdup("");

	ck_assert_uint_eq(feature.nvariants, count);
	for (int i = 0; i < count; i++)
		order = psprintf("%s%s", order, support_cstring(feature.variants[i].value));
	ck_assert_str_eq(order, sorts[_i].order);
}
END_TEST

/* Weights in their order, where the last bucket ends, and how the first is printed. */
static const struct
{
	const char *weights[4];
	double limits[4];
	const char *text;
} buckets[] = {
	{{"30", "70"}, {30, 100}, "30"},
	{{"30.0", "0", "20.5"}, {30, 30, 50.5}, "30.0"},
	{{"0.1", "0.2", "0.3"}, {0.1, 0.30000000000000004, 0.6000000000000001}, "0.1"},
	{{"33.333", "33.333", "33.334"}, {33.333, 66.666, 100.0}, "33.333"},
	{{"1e1", "5"}, {10, 15}, "10.0"},
	{{"1E-7", "5"}, {1e-7, 5.0000001}, "1e-07"},
	{{"9007199254740993", "1"},
     {9007199254740992.0, 9007199254740992.0 + 1},
     "9007199254740993"},
	{{"100000000000000000000", "1"}, {1e20, 1e20}, "100000000000000000000"},
	{{"-5", "10"}, {-5, 5}, "-5"},
	{{"1e400", "1"}, {INFINITY, INFINITY}, "inf"},
};

START_TEST(test_buckets)
{
	char *json =
		pstrdup("{'name': 'f', 'enabled': true, 'value': 1, 'key': '1', 'variants': [");
	FeatureContext feature;
	double start = 0;

	for (int i = 0; i < 4 && buckets[_i].weights[i] != NULL; i++)
		json = psprintf("%s%s{'value': 1, 'weight': %s, 'priority': 1}", json,
		                i == 0 ? "" : ", ", buckets[_i].weights[i]);
	feature = compile(psprintf("%s]}", json));
	for (uint32 i = 0; i < feature.nvariants; i++)
	{
		ck_assert_double_eq(feature.variants[i].start, start);
		ck_assert_double_eq(feature.variants[i].limit, buckets[_i].limits[i]);
		start = feature.variants[i].limit;
	}
	assert_text(feature.variants[0].weight, buckets[_i].text);
}
END_TEST

/* 12,93 is at 27.655531106221243, and 1,13139 at 0. */
static const struct
{
	const char *key;
	const char *identity;
	const char *weights[3];
	int chosen;
} choices[] = {
	{"12", "93", {"27", "1", "1"}, 1},
	{"12", "93", {"27.655531106221243", "1", "1"}, 1},
	{"12", "93", {"27.655531106221247", "1", "1"}, 0},
	{"12", "93", {"27.655531106221243", "0", "1"}, 2},
	{"12", "93", {"27.655531106221243", "0", "0"}, VARIANT_CONTROL},
	{"12", "93", {"10", "10", "7.65553110622125"}, 2},
	{"12", "93", {"10", "10", "7.655531106221241"}, VARIANT_CONTROL},
	{"12", "93", {"10", "10", "5"}, VARIANT_CONTROL},
	{"12", "93", {"0", "0", "0"}, VARIANT_CONTROL},
	{"12", "93", {"100", "0", "0"}, 0},
	{"12", "93", {"-10", "50", "0"}, 1},
	{"12", "93", {"40", "-20", "60"}, 0},
	{"12", "93", {"20", "-20", "60"}, 2},
	{"12", "93", {"1e400", "0", "0"}, 0},
	{"1", "13139", {"0", "5e-324", "1"}, 1},
	{"1", "13139", {"0", "0", "0"}, VARIANT_CONTROL},
	{"7", "", {"77.5755151030206", "1", "0"}, 1},
	{"7", "", {"77", "1", "0"}, 1},
};

START_TEST(test_choice)
{
	FeatureContext feature = compile(
		psprintf("{'name': 'f', 'enabled': true, 'value': 'd', 'key': '%s', 'variants': ["
	             "{'value': 0, 'weight': %s, 'priority': 1, 'key': 'zero'},"
	             "{'value': 1, 'weight': %s, 'priority': 2, 'key': null},"
	             "{'value': 2, 'weight': %s, 'priority': 3}]}",
	             choices[_i].key, choices[_i].weights[0], choices[_i].weights[1],
	             choices[_i].weights[2]));
	int chosen = feature_choose_variant(&feature, support_text(choices[_i].identity));

	ck_assert_int_eq(chosen, choices[_i].chosen);
	assert_text(feature_value(&feature, chosen),
	            chosen < 0 ? "\"d\"" : psprintf("%d", chosen));
	assert_text(feature_variant_key(&feature, chosen),
	            chosen == 0 ? "\"zero\"" : (chosen > 0 ? "null" : "\"control\""));
}
END_TEST

static int
bucket_of(double percentage)
{
	if (percentage < 20)
		return 0;
	if (percentage < 50)
		return 1;
	return percentage < 60 ? 2 : VARIANT_CONTROL;
}

START_TEST(test_every_identity_has_its_bucket)
{
	FeatureContext feature = compile(
		FEATURE(", 'key': 'k', 'variants': [{'value': 1, 'weight': 20, 'priority': 1},"
	            "{'value': 2, 'weight': 30, 'priority': 2},"
	            "{'value': 3, 'weight': 10, 'priority': 3}]"));
	int seen[4] = {0};

	for (int i = 0; i < 20000; i++)
	{
		Str ids[2] = {STR("k"), support_text(psprintf("%d", i))};
		int chosen = feature_choose_variant(&feature, ids[1]);

		ck_assert_int_eq(chosen, bucket_of(hash_percentage(ids, 2)));
		seen[chosen < 0 ? 3 : chosen]++;
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_gt(seen[i], 1000);
}
END_TEST

START_TEST(test_no_choice)
{
	FeatureContext plain = compile(FEATURE(", 'key': '12'"));
	FeatureContext split = compile(FEATURE(
		", 'key': '12', 'variants': [{'value': 1, 'weight': 100, 'priority': 1}]"));

	ck_assert_int_eq(feature_choose_variant(&plain, STR("93")), VARIANT_NONE);
	ck_assert_int_eq(feature_choose_variant(&split, (Str){NULL, 0}), VARIANT_NONE);
	ck_assert_int_eq(feature_choose_variant(&split, STR("")), 0);
	assert_text(feature_value(&split, VARIANT_NONE), "\"default\"");
	assert_text(feature_variant_key(&split, VARIANT_NONE), "null");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("feature");

	tcase_add_test(tcase, test_members);
	tcase_add_test(tcase, test_only_what_is_required);
	tcase_add_loop_test(tcase, test_key, 0, lengthof(keys));
	tcase_add_loop_test(tcase, test_metadata, 0, lengthof(metadata));
	tcase_add_loop_test(tcase, test_sorted_by_priority, 0, lengthof(sorts));
	tcase_add_loop_test(tcase, test_buckets, 0, lengthof(buckets));
	tcase_add_loop_test(tcase, test_choice, 0, lengthof(choices));
	tcase_add_test(tcase, test_every_identity_has_its_bucket);
	tcase_add_test(tcase, test_no_choice);
	return support_run("feature", tcase);
}
