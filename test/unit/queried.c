/*
 * JSONPath queries, parsed and run.
 */
#include "queried.h"

JsonValue
queried_document(const char *text)
{
	JsonValue value;
	EngineError error;

	ck_assert_msg(json_parse(support_text(text), &value, &error), "%s is JSON", text);
	return value;
}

JsonPathStatus
queried_parse(const char *text, JsonPath *path)
{
	Str copy = support_text(text);
	JsonPathStatus status = jsonpath_parse(copy, path);

	/* nothing of it may be kept */
	memset(unconstify(char *, copy.data), 'x', copy.len);
	free(unconstify(char *, copy.data));
	return status;
}

void
queried_assert(const char *query, const char *json, const char *expected)
{
	JsonValue root = queried_document(json);
	JsonPath path;
	const JsonValue *node;

	ck_assert_msg(queried_parse(query, &path) == JSONPATH_OK, "%s is a query", query);
	node = jsonpath_first(&path, &root);
	if (expected == NULL)
		ck_assert_msg(node == NULL, "%s in %s finds %.*s", query, json,
		              (int) node->raw.len, node->raw.data);
	else
	{
		ck_assert_msg(node != NULL, "%s in %s finds nothing", query, json);
		ck_assert_msg(str_equal(node->raw, support_text(expected)), "%s in %s finds %.*s",
		              query, json, (int) node->raw.len, node->raw.data);
	}
}
