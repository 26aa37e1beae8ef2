/*
 * Requests for attached environments, as API tiers have counted them.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "attached.h"
#include "usage_arrays.h"

/* Flagsmith makes its charts of this table, where resources are numbers, counts take four
 * bytes and hosts 255 characters. */
static KeptQuery add_usage = {
	.text =
		"INSERT INTO @.app_analytics_apiusageraw"
		" (environment_id, created_at, host, resource, count, labels)"
		" SELECT g.environment_id, now(), left(g.host, 255),"
		" array_position('{flags,identities,traits,environment-document}', g.resource),"
		" least(sum(g.count), 2147483647), g.labels"
		" FROM unnest($1, $2, $3, $4, $5)"
		" g (environment_id, resource, host, labels, count)"
		" GROUP BY g.environment_id, left(g.host, 255), g.resource, g.labels",
	.nparameters = 5,
	.parameter_types = {INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID,
                        INT8ARRAYOID},
};

void
attached_record_usage(const SourceUsage *usage, int count)
{
	UsageArrays arrays = usage_make_arrays(usage, count);
	Datum parameters[] = {arrays.environment_ids, arrays.resources, arrays.hosts,
	                      arrays.labels, arrays.counts};

	SPI_connect();
	attachment_query(&add_usage, parameters, NULL);
	SPI_finish();
}
