/*
 * GET /api/v1/flags/: the environment's defaults, of no identity.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/json_write.h"

#include "http_message.h"

/* Appends the flag, which has no variant where there is no identity. */
static void
append_flag(StringInfo buffer, const FlagResult *result)
{
	const Answer *answer = answer_of(result);

	json_write_raw(buffer, str_make(answer->document.data, answer->variant_at));
	appendStringInfoChar(buffer, '}');
}

/* Whether the flag's name is the wanted one, whatever its case (in ASCII). */
static bool
is_named(const Flag *flag, Str name)
{
	return name.len == 0 || (flag->name.len == name.len &&
	                         pg_strncasecmp(flag->name.data, name.data, name.len) == 0);
}

/* Appends the flag, unless another one is wanted; returns whether it did. */
static bool
append_wanted(StringInfo buffer, const FlagResult *result, const Str *wanted,
              uint32 count)
{
	if (wanted != NULL && (count > 0 || !is_named(result->flag, *wanted)))
		return false;
	appendStringInfoString(buffer, count > 0 ? "," : "");
	append_flag(buffer, result);
	return true;
}

/* Appends the flags that the key may see; if one is wanted, the first of that name. */
static uint32
append_flags(HttpRequest *request, HttpResponse *response, const Str *wanted)
{
	const StoredEnvironment *stored = request->open.stored;
	const Environment *environment = stored->environment;
	uint32 count = 0;

	for (uint32 i = 0; i < stored->nlisted; i++)
		count += append_wanted(&response->body, &stored->listed[i], wanted, count);
	for (uint32 i = 0; stored->listed == NULL && i < environment->noutputs; i++)
	{
		FlagResult result =
			evaluation_default(&environment->flags[environment->outputs[i].flag]);

		if (open_shows_flag(&request->open, result.flag) &&
		    !open_hides_result(&request->open, &result))
			count += append_wanted(&response->body, &result, wanted, count);
	}
	return count;
}

void
http_get_flags(HttpRequest *request, HttpResponse *response)
{
	Str wanted;

	if (http_parameter(request, "feature", &wanted))
	{
		if (append_flags(request, response, &wanted) == 0)
			http_error(response, 404, "Given feature not found");
		return;
	}
	http_add_updated_at(response, &request->open);
	appendStringInfoChar(&response->body, '[');
	append_flags(request, response, NULL);
	appendStringInfoChar(&response->body, ']');
}
