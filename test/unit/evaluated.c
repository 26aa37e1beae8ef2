/*
 * A context, evaluated.
 */
#include "evaluated.h"

Evaluated *
evaluated_prepare(const char *json)
{
	Evaluated *evaluated = palloc0(sizeof(Evaluated));
	EngineError error;

	evaluated->context = support_parse(json);
	evaluated->environment = environment_create();
	if (!environment_compile(evaluated->environment, &evaluated->context, &error) ||
	    !context_identity(&evaluated->context, evaluated->environment,
	                      &evaluated->identity, &evaluated->has_identity, &error))
		ck_abort_msg("%s: %s at %s", json, error.message, error.path);
	return evaluated;
}

const Identity *
evaluated_identity(const Evaluated *evaluated)
{
	return evaluated->has_identity ? &evaluated->identity : NULL;
}

Evaluated *
evaluated_run(const char *json)
{
	Evaluated *evaluated = evaluated_prepare(json);

	evaluation_run(evaluated->environment, evaluated_identity(evaluated),
	               &evaluated->result);
	return evaluated;
}

char *
evaluated_flag(const FlagResult *flag)
{
	StringInfoData text;
	Str variant = feature_variant_key(flag->feature, flag->variant);
	Str value = feature_value(flag->feature, flag->variant);

	initStringInfo(&text);
	appendStringInfo(&text, "%s %s %s ", support_cstring(flag->flag->name),
	                 flag->feature->enabled ? "on" : "off", support_cstring(value));
	if (!str_equal(variant, STR("null")))
		appendStringInfo(&text, "(%s) ", support_cstring(variant));
	evaluation_append_reason(&text, flag);
	return text.data;
}

char *
evaluated_summary(const EvaluationResult *result)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint32 i = 0; i < result->nflags; i++)
		appendStringInfo(&text, "%s / ", evaluated_flag(&result->flags[i]));
	appendStringInfoString(&text, "in");
	for (uint32 i = 0; i < result->nsegments; i++)
		appendStringInfo(&text, "%s %s", i == 0 ? "" : ",",
		                 support_cstring(result->segments[i]->name));
	return text.data;
}
