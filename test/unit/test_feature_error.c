/*
 * Feature contexts: the order of priorities, and what is malformed.
 */
#include "support.h"

#include "engine/feature.h"

static const Path root = {NULL, {NULL, 0}, 0};

static FeatureContext
with_priority(const char *priority)
{
	char *member =
		priority == NULL ? pstrdup("") : psprintf(", 'priority': %s", priority);
	JsonValue json =
		support_parse(psprintf("{'name': 'f', 'enabled': true, 'value': 1%s}", member));
	FeatureContext feature;
	EngineError error;

	ck_assert(feature_compile(&json, &root, &feature, &error));
	support_wipe(&json);
	return feature;
}

/* From the strongest to the weakest; what has the same rank is equally strong. */
static const struct
{
	const char *priority;
	int rank;
} priorities[] = {
	{"-1e400", 0},
	{"-98765432109876543210", 1},
	{"-1", 2},
	{"-0.5", 3},
	{"0", 4},
	{"-0.0", 4},
	{"1", 5},
	{"1.0", 5},
	{"10e-1", 5},
	{"1.5", 6},
	{"9007199254740992.0", 7},
	{"9007199254740993", 8},
	{"98765432109876543210", 9},
	{"98765432109876543211", 10},
	{"1e308", 11},
	/* none is infinity, which JSON can write as well */
	{NULL, 12},
	{"null", 12},
	{"1e999", 12},
};

START_TEST(test_priority)
{
	FeatureContext feature = with_priority(priorities[_i].priority);

	for (int i = 0; i < (int) lengthof(priorities); i++)
	{
		FeatureContext other = with_priority(priorities[i].priority);
		int order = feature_compare_priority(&feature, &other);
		int ranks = priorities[_i].rank - priorities[i].rank;

		ck_assert_msg((order > 0) - (order < 0) == (ranks > 0) - (ranks < 0), "%s and %s",
		              priorities[_i].priority, priorities[i].priority);
	}
}
END_TEST

/* An int that no float can hold is less than infinity even so. */
START_TEST(test_huge_priority)
{
	FeatureContext huge = with_priority(support_repeat("9", 400));
	FeatureContext least = with_priority(psprintf("-%s", support_repeat("9", 400)));
	FeatureContext none = with_priority(NULL);
	FeatureContext infinite = with_priority("1e999");

	ck_assert_int_lt(feature_compare_priority(&huge, &none), 0);
	ck_assert_int_gt(feature_compare_priority(&none, &huge), 0);
	ck_assert_int_lt(feature_compare_priority(&huge, &infinite), 0);
	ck_assert_int_lt(feature_compare_priority(&least, &huge), 0);
	ck_assert_int_lt(feature_compare_priority(&least, &none), 0);
}
END_TEST

#define FEATURE(members)                                                                 \
	"{'name': 'f', 'enabled': true, 'value': 1, 'key': 'k'" members "}"
#define VARIANTS(last)                                                                   \
	FEATURE(", 'variants': [{'value': 1, 'weight': 1, 'priority': 1}, " last "]")

static const struct
{
	const char *json;
	const char *path;
	const char *message;
} errors[] = {
	{"null", "$.features.f", "expected an object, found null"},
	{"[]", "$.features.f", "expected an object, found an array"},
	{"{}", "$.features.f", "member \"name\" is missing"},
	{"{'name': 'f', 'value': 1}", "$.features.f", "member \"enabled\" is missing"},
	{"{'name': 'f', 'enabled': true}", "$.features.f", "member \"value\" is missing"},
	{"{'name': null, 'enabled': true, 'value': 1}", "$.features.f.name",
     "expected a string, found null"},
	{"{'name': 1, 'enabled': true, 'value': 1}", "$.features.f.name",
     "expected a string, found a number"},
	{"{'name': 'f', 'enabled': null, 'value': 1}", "$.features.f.enabled",
     "expected a boolean, found null"},
	{"{'name': 'f', 'enabled': 1, 'value': 1}", "$.features.f.enabled",
     "expected a boolean, found a number"},
	{FEATURE(", 'priority': '1'"), "$.features.f.priority",
     "expected a number or null, found a string"},
	{FEATURE(", 'priority': true"), "$.features.f.priority",
     "expected a number or null, found a boolean"},
	{FEATURE(", 'variants': {}"), "$.features.f.variants",
     "expected an array or null, found an object"},
	{"{'name': 'f', 'enabled': true, 'value': 1, 'variants': [{}]}", "$.features.f",
     "member \"key\" is missing"},
	{VARIANTS("1"), "$.features.f.variants[1]", "expected an object, found a number"},
	{VARIANTS("{'weight': 1, 'priority': 1}"), "$.features.f.variants[1]",
     "member \"value\" is missing"},
	{VARIANTS("{'value': 1, 'priority': 1}"), "$.features.f.variants[1]",
     "member \"weight\" is missing"},
	{VARIANTS("{'value': 1, 'weight': 1}"), "$.features.f.variants[1]",
     "member \"priority\" is missing"},
	{VARIANTS("{'value': 1, 'weight': '1', 'priority': 1}"),
     "$.features.f.variants[1].weight", "expected a number, found a string"},
	{VARIANTS("{'value': 1, 'weight': 1, 'priority': null}"),
     "$.features.f.variants[1].priority", "expected a number, found null"},
	{VARIANTS("{'value': 1, 'weight': 1, 'priority': 1, 'key': 1}"),
     "$.features.f.variants[1].key", "expected a string or null, found a number"},
};

START_TEST(test_error)
{
	Path features = path_member(&root, STR("features"));
	Path path = path_member(&features, STR("f"));
	JsonValue json = support_parse(errors[_i].json);
	FeatureContext feature;
	EngineError error;

	ck_assert(!feature_compile(&json, &path, &feature, &error));
	support_check_error(&error, ENGINE_MALFORMED, errors[_i].path, errors[_i].message);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("feature_error");

	tcase_add_loop_test(tcase, test_priority, 0, lengthof(priorities));
	tcase_add_test(tcase, test_huge_priority);
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	return support_run("feature_error", tcase);
}
