/*
 * Environment documents: each test changes one thing in a good one.
 */
#include "support.h"

#include "engine/document.h"
#include "engine/segment.h"

static const char good[] =
	"{'id': 1, 'api_key': 'env-key', 'name': 'Env', 'updated_at': "
	"'2024-02-29T12:00:00+00:00',"
	" 'hide_disabled_flags': null, 'hide_sensitive_data': false, 'allow_client_traits': "
	"true,"
	" 'use_identity_composite_key_for_hashing': true,"
	" 'use_identity_overrides_in_local_eval': true, 'webhooks': ['anything'], 'project': "
	"{"
	"  'id': 2, 'name': 'Project', 'organisation': {'id': 3}, 'hide_disabled_flags': "
	"false,"
	"  'server_key_only_feature_ids': [11, 12], 'segments': ["
	"   {'id': 4, 'name': 'seg', 'rules': [{'type': 'ALL', 'rules': [], 'conditions': ["
	"     {'operator': 'EQUAL', 'property_': 'plan', 'value': 'pro'}]}], "
	"'feature_states': ["
	"     {'enabled': true, 'feature_state_value': 'o', 'django_id': 21, "
	"'feature_segment':"
	"      {'priority': 5}, 'featurestate_uuid': 'u1', "
	"'multivariate_feature_state_values': [],"
	"      'feature': {'id': 11, 'name': 'beta', 'type': 'STANDARD'}}]},"
	"   {'id': 44, 'name': 'other', 'rules': []}]},"
	" 'feature_states': [  "
	"{'enabled': false, 'feature_state_value': null, 'django_id': 22, 'feature_segment': "
	"null,"
	"   'feature': {'id': 12, 'name': 'split', 'type': 'MULTIVARIATE'},"
	"   'multivariate_feature_state_values': ["
	"    {'id': 31, 'mv_fs_value_uuid': 'u2', 'percentage_allocation': 60.5,"
	"     'multivariate_feature_option': {'id': 41, 'value': 'v', 'key': 'big'}},"
	"    {'percentage_allocation': 39.5, 'multivariate_feature_option': {'value': 7}}]},"
	"  {'enabled': true, 'feature': {'name': 'plain'}}],"
	" 'identity_overrides': [{'identifier': 'alice', 'identity_features': ["
	"   {'enabled': true, 'feature_state_value': 1, 'feature': {'name': 'mine'}}]},"
	"  {'identifier': 'bob'}]}";

/* The document with `from`, which is in it once, as `to`. */
static JsonValue
change(const char *from, const char *to)
{
	const char *at = strstr(good, from);

	if (at == NULL || strstr(at + 1, from) != NULL)
		ck_abort_msg("%s is not in the document just once", from);
	return support_parse(
		psprintf("%.*s%s%s", (int) (at - good), good, to, at + strlen(from)));
}

START_TEST(test_good)
{
	JsonValue document = support_parse(good);
	EngineError error;

	ck_assert_msg(document_check(&document, &error), "%s", error.message);
}
END_TEST

START_TEST(test_smallest)
{
	JsonValue document =
		support_parse("{'api_key': 'k', 'name': '', 'feature_states': [], 'project':"
	                  " {'id': 0, 'name': '', 'segments': []}}");
	EngineError error;

	ck_assert(document_check(&document, &error));
}
END_TEST

typedef struct Change
{
	const char *from;
	const char *to;
} Change;

/* What is as good as it was. */
static const Change allowed[] = {
	{"'id': 1, ", ""},
	{"'id': 1, ", "'id': null, "},
	{"'id': 1, ", "'id': -1, "},
	{"'id': 1, ", "'id': 999999999999999999, "},
	{"'2024-02-29T12:00:00+00:00'", "null"},
	{"'2024-02-29T12:00:00+00:00'", "'2024-02-29'"},
	{"'2024-02-29T12:00:00+00:00'", "'2024-02-29 12:00:00.5Z'"},
	{"['anything']", "{'x': [null]}"},
	{"'hide_disabled_flags': null", "'hide_disabled_flags': true"},
	{"'hide_sensitive_data': false", "'hide_sensitive_data': null"},
	{"{'id': 3}", "null"},
	{"[11, 12]", "null"},
	{"[11, 12]", "[]"},
	{"'name': 'seg'", "'name': ''"},
	{"'value': 'pro'", "'value': [1, 2]"},
	{"'property_': 'plan'", "'property_': null"},
	{"'property_': 'plan'", "'property': 'plan'"},
	{"'feature_state_value': 'o'", "'feature_state_value': {'x': [1]}"},
	{"{'priority': 5}", "null"},
	{"{'priority': 5}", "{}"},
	{"{'priority': 5}", "{'priority': null}"},
	{"{'priority': 5}", "{'priority': -2147483648}"},
	{"{'priority': 5}", "{'priority': 2147483647}"},
	{"'multivariate_feature_state_values': [],",
     "'multivariate_feature_state_values': null,"},
	{"60.5", "60.500000001"},
	{"60.5", "0"},
	{"60.5", "-0.0"},
	{"'key': 'big'", "'key': null"},
	{"'value': 'v'", "'value': null"},
	{"'type': 'STANDARD'", "'type': null"},
	/* the same name in another list */
	{"'name': 'plain'", "'name': 'beta'"},
	{"'name': 'mine'", "'name': 'plain'"},
	{"'name': 'other'", "'name': 'seg'"},
	{"'identifier': 'bob'", "'identifier': 'Alice'"},
	{", 'identity_features': [", ", 'other': ["},
};

START_TEST(test_allowed)
{
	JsonValue document = change(allowed[_i].from, allowed[_i].to);
	EngineError error;

	if (!document_check(&document, &error))
		ck_abort_msg("%s: %s at %s", allowed[_i].to, error.message, error.path);
}
END_TEST

#define SEG "$.project.segments[0]"
#define STATE SEG ".feature_states[0]"
#define SHARES "$.feature_states[0].multivariate_feature_state_values"

#define STRING "expected a string, found a number"
#define STRING_OR_NULL "expected a string or null, found a number"
#define NUMBER_OR_NULL "expected a number or null, found a string"
#define BOOL_OR_NULL "expected a boolean or null, found a number"
#define ID "expected an integer id"
#define PRIORITY "expected an integer of 32 bits"
#define PERCENTAGE "expected a percentage from 0 to 100"
#define TIME "expected a date and time as ISO 8601 has it"
#define EMPTY "expected a string that is not empty"
#define MISSING(name) "member \"" name "\" is missing"

static const struct
{
	Change change;
	const char *path;
	const char *message;
} errors[] = {
	/* the environment */
	{{"'api_key': 'env-key', ", ""}, "$", MISSING("api_key")},
	{{"'env-key'", "1"}, "$.api_key", STRING},
	{{"'env-key'", "''"}, "$.api_key", EMPTY},
	{{"'name': 'Env', ", ""}, "$", MISSING("name")},
	{{"'Env'", "1"}, "$.name", STRING},
	{{"'id': 1, ", "'id': '1', "}, "$.id", NUMBER_OR_NULL},
	{{"'id': 1, ", "'id': 1.0, "}, "$.id", ID},
	{{"'id': 1, ", "'id': 1e0, "}, "$.id", ID},
	{{"'id': 1, ", "'id': 98765432109876543210, "}, "$.id", ID},
	{{"'2024-02-29T12:00:00+00:00'", "1"}, "$.updated_at", STRING_OR_NULL},
	{{"'2024-02-29T12:00:00+00:00'", "''"}, "$.updated_at", TIME},
	{{"'2024-02-29T12:00:00+00:00'", "'2024-02-2'"}, "$.updated_at", TIME},
	{{"'2024-02-29T12:00:00+00:00'", "'2024/02/29'"}, "$.updated_at", TIME},
	{{"'2024-02-29T12:00:00+00:00'", "'infinity'"}, "$.updated_at", TIME},
	{{"'hide_disabled_flags': null", "'hide_disabled_flags': 1"},
     "$.hide_disabled_flags",
     BOOL_OR_NULL},
	{{"'hide_sensitive_data': false", "'hide_sensitive_data': 0"},
     "$.hide_sensitive_data",
     BOOL_OR_NULL},
	{{"'allow_client_traits': true", "'allow_client_traits': 1"},
     "$.allow_client_traits",
     BOOL_OR_NULL},
	{{"'use_identity_composite_key_for_hashing': true",
      "'use_identity_composite_key_for_hashing': 1"},
     "$.use_identity_composite_key_for_hashing",
     BOOL_OR_NULL},
	{{"'use_identity_overrides_in_local_eval': true",
      "'use_identity_overrides_in_local_eval': 1"},
     "$.use_identity_overrides_in_local_eval",
     BOOL_OR_NULL},
	/* the project */
	{{"'project': {", "'project': null, 'other': {"},
     "$.project",
     "expected an object, found null"},
	{{"'project': {", "'other': {"}, "$", MISSING("project")},
	{{"'id': 2, ", ""}, "$.project", MISSING("id")},
	{{"'id': 2, ", "'id': null, "}, "$.project.id", "expected a number, found null"},
	{{"'id': 2, ", "'id': 0.5, "}, "$.project.id", ID},
	{{"'name': 'Project', ", ""}, "$.project", MISSING("name")},
	{{"'Project'", "1"}, "$.project.name", STRING},
	{{"{'id': 3}", "[]"},
     "$.project.organisation",
     "expected an object or null, found an array"},
	{{"'hide_disabled_flags': false", "'hide_disabled_flags': 0"},
     "$.project.hide_disabled_flags",
     BOOL_OR_NULL},
	{{"[11, 12]", "11"},
     "$.project.server_key_only_feature_ids",
     "expected an array or null, found a number"},
	{{"[11, 12]", "[11, '12']"}, "$.project.server_key_only_feature_ids[1]", ID},
	{{"[11, 12]", "[11, 12, null]"}, "$.project.server_key_only_feature_ids[2]", ID},
	{{"'segments': [", "'segments': {}, 'other': ["},
     "$.project.segments",
     "expected an array, found an object"},
	{{"'segments': [", "'other': ["}, "$.project", MISSING("segments")},
	/* segments */
	{{"'segments': [", "'segments': [null, "}, SEG, "expected an object, found null"},
	{{"'id': 4, ", ""}, SEG, MISSING("id")},
	{{"'id': 4, ", "'id': '4', "}, SEG ".id", "expected a number, found a string"},
	{{"'id': 4, ", "'id': 4.5, "}, SEG ".id", ID},
	{{"'id': 44, ", "'id': 4, "}, "$.project.segments[1]", "the same id again"},
	{{"'name': 'seg', ", ""}, SEG, MISSING("name")},
	{{"'seg'", "1"}, SEG ".name", STRING},
	{{"'name': 'other', 'rules': []", "'name': 'other'"},
     "$.project.segments[1]",
     MISSING("rules")},
	{{"'name': 'other', 'rules': []", "'name': 'other', 'rules': null"},
     "$.project.segments[1].rules",
     "expected an array, found null"},
	{{"'type': 'ALL'", "'type': 'all'"},
     SEG ".rules[0].type",
     "a rule's type is one of ALL, ANY and NONE"},
	{{"'rules': [], 'conditions'", "'rules': [1], 'conditions'"},
     SEG ".rules[0].rules[0]",
     "expected an object, found a number"},
	{{"'EQUAL'", "'EQUALS'"}, SEG ".rules[0].conditions[0].operator", "unknown operator"},
	/* feature states */
	{{"{'enabled': true, 'feature_state_value': 'o'", "{'feature_state_value': 'o'"},
     STATE,
     MISSING("enabled")},
	{{"{'enabled': true, 'feature_state_value': 'o'", "{'enabled': 1"},
     STATE ".enabled",
     "expected a boolean, found a number"},
	{{"'django_id': 21", "'django_id': '21'"}, STATE ".django_id", NUMBER_OR_NULL},
	{{"'django_id': 21", "'django_id': 2.1"}, STATE ".django_id", ID},
	{{"'u1'", "1"}, STATE ".featurestate_uuid", STRING_OR_NULL},
	{{"{'priority': 5}", "5"},
     STATE ".feature_segment",
     "expected an object or null, found a number"},
	{{"{'priority': 5}", "{'priority': '5'}"},
     STATE ".feature_segment.priority",
     NUMBER_OR_NULL},
	{{"{'priority': 5}", "{'priority': 5.0}"},
     STATE ".feature_segment.priority",
     PRIORITY},
	{{"{'priority': 5}", "{'priority': 2147483648}"},
     STATE ".feature_segment.priority",
     PRIORITY},
	{{"{'priority': 5}", "{'priority': -2147483649}"},
     STATE ".feature_segment.priority",
     PRIORITY},
	{{"{'priority': 5}", "{'priority': 98765432109876543210}"},
     STATE ".feature_segment.priority",
     PRIORITY},
	{{"{'priority': 5}", "{'priority': 1e400}"},
     STATE ".feature_segment.priority",
     PRIORITY},
	{{"{'id': 11, 'name': 'beta'", "{'id': 11"}, STATE ".feature", MISSING("name")},
	{{"'beta'", "1"}, STATE ".feature.name", STRING},
	{{"'beta'", "''"}, STATE ".feature.name", EMPTY},
	{{"{'id': 11,", "{'id': '11',"}, STATE ".feature.id", NUMBER_OR_NULL},
	{{"{'id': 11,", "{'id': 1.1,"}, STATE ".feature.id", ID},
	{{"'STANDARD'", "1"}, STATE ".feature.type", STRING_OR_NULL},
	{{"'feature': {'name': 'plain'}", "'feature': 'plain'"},
     "$.feature_states[1].feature",
     "expected an object, found a string"},
	{{", 'feature': {'name': 'plain'}", ""}, "$.feature_states[1]", MISSING("feature")},
	{{"'name': 'plain'", "'name': 'split'"},
     "$.feature_states[1]",
     "the same feature name again"},
	{{"{'enabled': true, 'feature': {'name': 'plain'}}", "'plain'"},
     "$.feature_states[1]",
     "expected an object, found a string"},
	{{"     {'enabled': true, 'feature_state_value': 'o'",
      "{'enabled': true, 'feature': {'name': 'beta'}}, {'enabled': true"},
     SEG ".feature_states[1]",
     "the same feature name again"},
	/* variants */
	{{"'multivariate_feature_state_values': [],",
      "'multivariate_feature_state_values': {},"},
     STATE ".multivariate_feature_state_values",
     "expected an array or null, found an object"},
	{{"{'id': 31, ", "1, {"}, SHARES "[0]", "expected an object, found a number"},
	{{"'id': 31", "'id': '31'"}, SHARES "[0].id", NUMBER_OR_NULL},
	{{"'id': 31", "'id': 3.1"}, SHARES "[0].id", ID},
	{{"'u2'", "1"}, SHARES "[0].mv_fs_value_uuid", STRING_OR_NULL},
	{{"'percentage_allocation': 60.5,", ""},
     SHARES "[0]",
     MISSING("percentage_allocation")},
	{{"60.5", "'60.5'"},
     SHARES "[0].percentage_allocation",
     "expected a number, found a string"},
	{{"60.5", "-0.1"}, SHARES "[0].percentage_allocation", PERCENTAGE},
	{{"60.5", "100.1"}, SHARES "[0].percentage_allocation", PERCENTAGE},
	{{"60.5", "101"}, SHARES "[0].percentage_allocation", PERCENTAGE},
	{{"60.5", "1e400"}, SHARES "[0].percentage_allocation", PERCENTAGE},
	{{"60.5", "98765432109876543210"}, SHARES "[0].percentage_allocation", PERCENTAGE},
	{{"60.5", "60.51"}, SHARES, "the percentages add up to more than 100"},
	{{"60.5", "100"}, SHARES, "the percentages add up to more than 100"},
	{{"{'value': 7}", "7"},
     SHARES "[1].multivariate_feature_option",
     "expected an object, found a number"},
	{{", 'multivariate_feature_option': {'value': 7}", ""},
     SHARES "[1]",
     MISSING("multivariate_feature_option")},
	{{"{'value': 7}", "{}"}, SHARES "[1].multivariate_feature_option", MISSING("value")},
	{{"'id': 41", "'id': '41'"},
     SHARES "[0].multivariate_feature_option.id",
     NUMBER_OR_NULL},
	{{"'id': 41", "'id': 4.1"}, SHARES "[0].multivariate_feature_option.id", ID},
	{{"'big'", "1"}, SHARES "[0].multivariate_feature_option.key", STRING_OR_NULL},
	/* identities */
	{{"'identity_overrides': [", "'identity_overrides': 1, 'other': ["},
     "$.identity_overrides",
     "expected an array or null, found a number"},
	{{"{'identifier': 'bob'}", "'bob'"},
     "$.identity_overrides[1]",
     "expected an object, found a string"},
	{{"{'identifier': 'bob'}", "{}"}, "$.identity_overrides[1]", MISSING("identifier")},
	{{"'bob'", "7"}, "$.identity_overrides[1].identifier", STRING},
	{{"'bob'", "''"}, "$.identity_overrides[1].identifier", EMPTY},
	{{"'bob'", "'alice'"}, "$.identity_overrides[1]", "the same identifier again"},
	{{"'bob'", "'\\u0061lice'"}, "$.identity_overrides[1]", "the same identifier again"},
	{{"'identity_features': [", "'identity_features': 1, 'other': ["},
     "$.identity_overrides[0].identity_features",
     "expected an array or null, found a number"},
	{{"'mine'", "1"},
     "$.identity_overrides[0].identity_features[0].feature.name",
     STRING},
	{{"'identity_features': [",
      "'identity_features': [{'enabled': true, 'feature': {'name': 'mine'}},"},
     "$.identity_overrides[0].identity_features[1]",
     "the same feature name again"},
	/* the lists of the environment */
	{{" 'feature_states': [  {", " 'feature_states': [null, {"},
     "$.feature_states[0]",
     "expected an object, found null"},
	{{" 'feature_states': [  {", " 'feature_states': null, 'other': [  {"},
     "$.feature_states",
     "expected an array, found null"},
	{{" 'feature_states': [  {", " 'other': [  {"}, "$", MISSING("feature_states")},
};

START_TEST(test_error)
{
	JsonValue document = change(errors[_i].change.from, errors[_i].change.to);
	EngineError error;

	ck_assert_msg(!document_check(&document, &error), "%s is let pass",
	              errors[_i].change.to);
	support_check_error(&error, ENGINE_MALFORMED, errors[_i].path, errors[_i].message);
}
END_TEST

static const char *const no_objects[] = {"null", "true", "1", "'text'", "[]"};

START_TEST(test_no_object)
{
	JsonValue document = support_parse(no_objects[_i]);
	EngineError error;

	ck_assert(!document_check(&document, &error));
	ck_assert_str_eq(error.path, "$");
	ck_assert_int_eq(error.code, ENGINE_MALFORMED);
}
END_TEST

START_TEST(test_rules_too_deep)
{
	char *rules = psprintf("'rules': [%s%s], 'conditions'",
	                       support_repeat("{'type': 'ALL', 'rules': [", RULE_MAX_DEPTH),
	                       support_repeat("]}", RULE_MAX_DEPTH));
	JsonValue document = change("'rules': [], 'conditions'", rules);
	EngineError error;

	ck_assert(!document_check(&document, &error));
	support_check_error(&error, ENGINE_TOO_DEEP, NULL,
	                    "rules are nested deeper than 500 levels");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("document");

	tcase_add_test(tcase, test_good);
	tcase_add_test(tcase, test_smallest);
	tcase_add_loop_test(tcase, test_allowed, 0, lengthof(allowed));
	tcase_add_loop_test(tcase, test_error, 0, lengthof(errors));
	tcase_add_loop_test(tcase, test_no_object, 0, lengthof(no_objects));
	tcase_add_test(tcase, test_rules_too_deep);
	return support_run("document", tcase);
}
