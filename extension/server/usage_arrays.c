/*
 * Counts of requests as arrays.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "arguments.h"
#include "usage_arrays.h"

UsageArrays
usage_make_arrays(const SourceUsage *usage, int count)
{
	Datum *environment_ids = palloc(sizeof(Datum) * count);
	Datum *resources = palloc(sizeof(Datum) * count);
	Datum *hosts = palloc(sizeof(Datum) * count);
	Datum *labels = palloc(sizeof(Datum) * count);
	Datum *counts = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
	{
		environment_ids[i] = Int64GetDatum(usage[i].environment_id);
		resources[i] = argument_make_text(usage[i].resource);
		hosts[i] = argument_make_text(usage[i].host);
		labels[i] = argument_make_jsonb(usage[i].labels);
		counts[i] = Int64GetDatum(usage[i].count);
	}
	return (UsageArrays){
		.environment_ids = argument_make_array(environment_ids, NULL, count, INT8OID),
		.resources = argument_make_array(resources, NULL, count, TEXTOID),
		.hosts = argument_make_array(hosts, NULL, count, TEXTOID),
		.labels = argument_make_array(labels, NULL, count, JSONBOID),
		.counts = argument_make_array(counts, NULL, count, INT8OID),
	};
}
