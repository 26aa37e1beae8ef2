/*
 * Errors as users see them.
 */
#include "postgres.h"
#include "compat.h"

#include "report.h"

static int
sqlstate_of(EngineErrorCode code)
{
	switch (code)
	{
		case ENGINE_INVALID_JSON:
			return ERRCODE_INVALID_TEXT_REPRESENTATION;
		case ENGINE_MALFORMED:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case ENGINE_TOO_DEEP:
			return ERRCODE_STATEMENT_TOO_COMPLEX;
		case ENGINE_TOO_LARGE:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
report_engine_error(const EngineError *error, const char *what)
{
	ereport(ERROR, (errcode(sqlstate_of(error->code)),
	                errmsg("invalid %s: %s", what, error->message),
	                error->path == NULL ? 0 : errdetail("At %s.", error->path)));
}

void
report_unknown_key(void)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_FLAGSMITH_UNKNOWN_KEY), errmsg("invalid environment key"),
	     errdetail(
			 "There is no environment with this key, or the key is inactive or expired."),
	     errhint("Use an environment's client-side key, or a server-side key made by "
	             "flagsmith.create_server_key().")));
}

void
report_unknown_feature(Str name)
{
	ereport(ERROR,
	        (errcode(ERRCODE_FLAGSMITH_UNKNOWN_FEATURE),
	         errmsg("feature \"%.*s\" does not exist", (int) name.len, name.data),
	         errhint("flagsmith.get_environment_flags() lists the features that the key "
	                 "can see.")));
}

void
report_unknown_segment(Str name)
{
	ereport(ERROR,
	        (errcode(ERRCODE_FLAGSMITH_UNKNOWN_SEGMENT),
	         errmsg("segment \"%.*s\" does not exist", (int) name.len, name.data)));
}
