/*
 * The JSON of identities.
 */
#include "postgres.h"
#include "compat.h"

#include "engine/json_write.h"
#include "engine/pystr.h"

#include "identity_json.h"

void
identity_append_trait(StringInfo buffer, int64 id, Str name, const JsonValue *value,
                      bool transient)
{
	if (id == 0)
		appendStringInfoString(buffer, "{\"id\":null,\"trait_key\":");
	else
		appendStringInfo(buffer, "{\"id\":" INT64_FORMAT ",\"trait_key\":", id);
	json_write_string(buffer, name);
	appendStringInfoString(buffer, ",\"trait_value\":");
	if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
		json_write_string(buffer, py_str_text(value));
	else if (value->type == JSON_STRING)
		json_write_string(buffer, value->string);
	else
		json_write_raw(buffer, value->raw);
	appendStringInfoString(buffer,
	                       transient ? ",\"transient\":true}" : ",\"transient\":false}");
}

void
identity_append_flags(StringInfo buffer, const OpenEnvironment *open,
                      const EvaluationResult *result)
{
	const char *separator = "";

	for (uint32 i = 0; i < result->nflags; i++)
	{
		const FlagResult *flag = &result->flags[i];

		if (!open_shows_flag(open, flag->flag) || open_hides_result(open, flag))
			continue;
		appendStringInfoString(buffer, separator);
		json_write_raw(buffer, answer_of(flag)->document);
		separator = ",";
	}
}
