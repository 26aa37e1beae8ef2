/*
 * Counts of requests as arrays.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include "arguments.h"
#include "usage_arrays.h"

static Datum
make_array(Datum *elements, int count, Oid type)
{
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(
		construct_array(elements, count, type, length, by_value, alignment));
}

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
		.environment_ids = make_array(environment_ids, count, INT8OID),
		.resources = make_array(resources, count, TEXTOID),
		.hosts = make_array(hosts, count, TEXTOID),
		.labels = make_array(labels, count, JSONBOID),
		.counts = make_array(counts, count, INT8OID),
	};
}
