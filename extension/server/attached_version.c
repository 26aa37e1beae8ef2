/*
 * Versions of attached environments.
 *
 * Flagsmith's updated_at is what its answers give, but it does not tell of all changes:
 * neither of a schedule that comes due, nor of a multivariate option, a project, an
 * organisation.  So when something changed is known beside it, from the triggers.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "attached.h"

SQL_FUNCTION(flagsmith_attached_updated_at);

/* From 1970 to 2000, in microseconds. */
#define EPOCH_OFFSET ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* When the last scheduled change of environment e came due; NULL: there was none. */
#define CAME_DUE                                                                         \
	"greatest((SELECT max(s.live_from) FROM @.features_featurestate s"                   \
	" WHERE s.environment_id = e.id AND s.deleted_at IS NULL"                            \
	" AND s.version IS NOT NULL AND s.live_from <= now()),"                              \
	" (SELECT max(v.live_from) FROM @.feature_versioning_environmentfeatureversion v"    \
	" WHERE v.environment_id = e.id AND v.deleted_at IS NULL"                            \
	" AND v.published_at IS NOT NULL AND v.live_from <= now()))"

static KeptQuery read_version = {
	.text = "SELECT e.id::bigint, e.updated_at, greatest(e.updated_at, " CAME_DUE ")"
			" FROM @.environments_environment e WHERE e.id = $1 AND e.deleted_at IS NULL",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8OID},
};

enum
{
	VERSION_ENVIRONMENT = 1,
	VERSION_UPDATED_AT,
	VERSION_CHANGED_AT
};

static KeptQuery read_changes = {
	.text = "SELECT environment_id, stamp, changed_at, is_later"
			" FROM flagsmith.attached_changes($1) ORDER BY 1",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {INT8ARRAYOID},
};

enum
{
	CHANGE_ENVIRONMENT = 1,
	CHANGE_STAMP,
	CHANGE_TIME,
	CHANGE_IS_LATER
};

static KeptQuery read_times = {
	.text = "SELECT e.id::bigint, e.api_key, greatest(e.updated_at, " CAME_DUE ")"
			" FROM @.environments_environment e"
			" WHERE e.api_key = ANY ($1) AND e.deleted_at IS NULL ORDER BY e.id",
	.read_only = true,
	.nparameters = 1,
	.parameter_types = {TEXTARRAYOID},
};

enum
{
	TIME_ENVIRONMENT = 1,
	TIME_KEY,
	TIME_UPDATED_AT
};

static TimestampTz
get_time(const QueryRows *rows, uint64 row, int column)
{
	Datum value;

	return rows_value(rows, row, column, &value) ? DatumGetTimestampTz(value)
	                                             : DT_NOBEGIN;
}

static QueryRows
read_rows_of(const QueryRows *environments, int column)
{
	Datum parameters[] = {attached_ids(environments, column)};

	query_run(&read_changes, parameters, NULL);
	return query_rows();
}

/* Adds what the triggers have noted of the environment. */
static void
add_changes(const QueryRows *changes, SourceVersion *version)
{
	version->stamp = attachment_time();
	version->shares_second = false;
	if (changes->count == 0)
		return;
	version->stamp = (int64) hash_combine64((uint64) version->stamp,
	                                        (uint64) rows_int(changes, 0, CHANGE_STAMP));
	if (!rows_bool(changes, 0, CHANGE_IS_LATER))
		return;
	/* clients know updated_at, to the second */
	version->changed_at = Max(version->changed_at, get_time(changes, 0, CHANGE_TIME));
	version->shares_second = true;
}

bool
attached_version(int64 environment_id, SourceVersion *version)
{
	Datum parameters[] = {Int64GetDatum(environment_id)};
	QueryRows rows, changes;

	SPI_connect();
	attachment_query(&read_version, parameters, NULL);
	rows = query_rows();
	if (rows.count == 1)
	{
		version->updated_at = get_time(&rows, 0, VERSION_UPDATED_AT);
		version->changed_at = get_time(&rows, 0, VERSION_CHANGED_AT);
		changes = read_rows_of(&rows, VERSION_ENVIRONMENT);
		add_changes(&changes, version);
	}
	SPI_finish();
	return rows.count == 1;
}

/* Puts an environment into the result: its key, and when it last changed in seconds. */
static void
put_time(ReturnSetInfo *rsinfo, const QueryRows *times, uint64 row,
         const QueryRows *changes)
{
	int64 id = rows_int(times, row, TIME_ENVIRONMENT);
	uint64 change = rows_find(changes, CHANGE_ENVIRONMENT, id);
	TimestampTz moment = get_time(times, row, TIME_UPDATED_AT);
	Datum values[2];
	bool nulls[2] = {false, false};

	if (change < changes->count && rows_int(changes, change, CHANGE_ENVIRONMENT) == id)
		moment = Max(moment, get_time(changes, change, CHANGE_TIME));
	values[0] = argument_make_text(rows_text(times, row, TIME_KEY));
	values[1] = Float8GetDatum((double) (moment + EPOCH_OFFSET) / USECS_PER_SEC);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* attached_updated_at(keys text[]) RETURNS TABLE (environment_key, updated_at) */
Datum
flagsmith_attached_updated_at(PG_FUNCTION_ARGS)
{
	Datum parameters[] = {PG_GETARG_DATUM(0)};
	QueryRows times, changes;

	InitMaterializedSRF(fcinfo, 0);
	if (!OidIsValid(attachment_find()))
		return (Datum) 0;
	SPI_connect();
	attachment_query(&read_times, parameters, NULL);
	times = query_rows();
	changes = read_rows_of(&times, TIME_ENVIRONMENT);
	for (uint64 i = 0; i < times.count; i++)
		put_time((ReturnSetInfo *) fcinfo->resultinfo, &times, i, &changes);
	SPI_finish();
	return (Datum) 0;
}
