/*
 * SQL functions on identities: the document that Flagsmith's API answers, and traits.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "engine/json_write.h"
#include "engine/pystr.h"

#include "arguments.h"
#include "report.h"
#include "stored.h"

SQL_FUNCTION(flagsmith_identity_document);
SQL_FUNCTION(flagsmith_set_traits);

static void
append(StringInfo buffer, Str text)
{
	appendBinaryStringInfo(buffer, text.data, text.len);
}

/* Appends an id, or null: for none, or where the environment hides it. */
static void
append_id(StringInfo buffer, const char *member, int64 id, bool hidden)
{
	if (id == 0 || hidden)
		appendStringInfo(buffer, "%s: null", member);
	else
		appendStringInfo(buffer, "%s: " INT64_FORMAT, member, id);
}

/* A trait; of arrays and objects, the text that conditions see. */
static void
append_trait(StringInfo buffer, const JsonMember *trait)
{
	appendStringInfoString(buffer, "{\"id\": null, \"trait_key\": ");
	json_write_string(buffer, trait->name);
	appendStringInfoString(buffer, ", \"trait_value\": ");
	if (trait->value.type == JSON_ARRAY || trait->value.type == JSON_OBJECT)
		json_write_string(buffer, py_str_text(&trait->value));
	else
		append(buffer, trait->value.raw);
	appendStringInfoString(buffer, ", \"transient\": false}");
}

/* The variant as the API gives it: a multivariate feature always has one. */
static Str
shown_variant(const FlagResult *result, const Attributes *attributes)
{
	if (!attributes->is_multivariate)
		return STR("null");
	return feature_variant_key(result->feature, result->variant == VARIANT_NONE
	                                                ? VARIANT_CONTROL
	                                                : result->variant);
}

static void
append_flag(StringInfo buffer, const OpenEnvironment *open, const FlagResult *result)
{
	Attributes attributes = stored_attributes(result->feature);
	bool hidden = open->stored->hide_sensitive_data;

	append_id(buffer, "{\"id\"", attributes.id, hidden);
	append_id(buffer, ", \"feature\": {\"id\"", attributes.feature_id, false);
	appendStringInfoString(buffer, ", \"name\": ");
	append(buffer, result->feature->name_json);
	appendStringInfoString(buffer, ", \"type\": ");
	append(buffer, attributes.feature_type);
	appendStringInfoString(buffer, "}, \"feature_state_value\": ");
	append(buffer, feature_value(result->feature, result->variant));
	append_id(buffer, ", \"feature_segment\"", attributes.feature_segment, hidden);
	appendStringInfo(buffer, ", \"enabled\": %s, \"variant\": ",
	                 result->feature->enabled ? "true" : "false");
	append(buffer, shown_variant(result, &attributes));
	appendStringInfoChar(buffer, '}');
}

static void
append_flags(StringInfo buffer, const OpenEnvironment *open,
             const EvaluationResult *result)
{
	const char *separator = "";

	for (uint32 i = 0; i < result->nflags; i++)
	{
		const FlagResult *flag = &result->flags[i];

		if (!stored_is_visible(open, flag->flag) || stored_is_hidden(open, flag))
			continue;
		appendStringInfoString(buffer, separator);
		append_flag(buffer, open, flag);
		separator = ", ";
	}
}

/* identity_document(environment_key text, identifier text, traits jsonb) RETURNS json */
Datum
flagsmith_identity_document(PG_FUNCTION_ARGS)
{
	OpenEnvironment open = stored_open(argument_optional_text(fcinfo, 0));
	Str identifier = argument_identifier(fcinfo, 1);
	Identity *identity =
		stored_identity(open.stored, identifier, true, argument_traits(fcinfo, 2));
	const JsonValue *traits = stored_traits(identity);
	EvaluationResult result;
	StringInfoData buffer;

	evaluation_run(open.stored->environment, identity, &result);
	initStringInfo(&buffer);
	appendStringInfoString(&buffer, "{\"identifier\": ");
	json_write_string(&buffer, identifier);
	appendStringInfoString(&buffer, ", \"traits\": [");
	for (uint32 i = 0; i < traits->count && !open.stored->hide_sensitive_data; i++)
	{
		appendStringInfoString(&buffer, i > 0 ? ", " : "");
		append_trait(&buffer, &traits->members[i]);
	}
	appendStringInfoString(&buffer, "], \"flags\": [");
	append_flags(&buffer, &open, &result);
	appendStringInfoString(&buffer, "]}");
	PG_RETURN_DATUM(argument_make_text(str_make(buffer.data, buffer.len)));
}

static void
check_can_write(void)
{
	if (RecoveryInProgress())
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
		                errmsg("cannot set traits on a standby"),
		                errhint("Send writes to the primary; flags can be read here.")));
	if (XactReadOnly)
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
		                errmsg("cannot set traits in a read-only transaction")));
}

/* set_traits(environment_key text, identifier text, traits jsonb) RETURNS jsonb */
Datum
flagsmith_set_traits(PG_FUNCTION_ARGS)
{
	int64 environment_id = stored_environment_id(argument_optional_text(fcinfo, 0));
	Str identifier = argument_identifier(fcinfo, 1);

	if (argument_traits(fcinfo, 2) == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
		                errmsg("the traits must not be null"),
		                errhint("An empty object changes nothing: '{}'.")));
	check_can_write();
	PG_RETURN_DATUM(
		table_source.write_traits(environment_id, identifier, PG_GETARG_DATUM(2)));
}
