/*
 * What the unit tests share.
 */
#include "support.h"

Str
support_text(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(Max(len, 1));

	memcpy(copy, text, len);
	return str_make(copy, len);
}

Str
support_quote(const char *json)
{
	Str text = support_text(json);
	char *data = unconstify(char *, text.data);

	for (uint32 i = 0; i < text.len; i++)
		if (data[i] == '\'')
			data[i] = '"';
	return text;
}

JsonValue
support_parse(const char *json)
{
	JsonValue value;
	EngineError error;

	if (!json_parse(support_quote(json), &value, &error))
		ck_abort_msg("%s: %s at %s", json, error.message, error.path);
	return value;
}

char *
support_cstring(Str text)
{
	return pnstrdup(text.data, text.len);
}

static void
wipe_text(Str text)
{
	memset(unconstify(char *, text.data), 'x', text.len);
}

void
support_wipe(JsonValue *value)
{
	wipe_text(value->raw);
	if (value->type == JSON_STRING)
		wipe_text(value->string);
	for (uint32 i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		support_wipe(&value->elements[i]);
	for (uint32 i = 0; value->type == JSON_OBJECT && i < value->count; i++)
	{
		wipe_text(value->members[i].name);
		support_wipe(&value->members[i].value);
	}
	memset(value, 0x55, sizeof(*value));
}

char *
support_repeat(const char *part, int count)
{
	size_t len = strlen(part);
	char *text = malloc(len * count + 1);

	for (int i = 0; i < count; i++)
		memcpy(text + len * i, part, len);
	text[len * count] = '\0';
	return text;
}

void
support_check_error(const EngineError *error, EngineErrorCode code, const char *path,
                    const char *message)
{
	ck_assert_str_eq(error->message, message);
	ck_assert_pstr_eq(error->path, path);
	ck_assert_int_eq(error->code, code);
}

int
support_run(const char *name, TCase *tcase)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failures;

	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
