/*
 * Counts of requests as arrays, one a column: parameters of a statement that adds them all.
 */
#ifndef FLAGSMITH_USAGE_ARRAYS_H
#define FLAGSMITH_USAGE_ARRAYS_H

#include "source.h"

typedef struct UsageArrays
{
	Datum environment_ids; /* bigint[] */
	Datum resources;       /* text[] */
	Datum hosts;           /* text[] */
	Datum labels;          /* jsonb[] */
	Datum counts;          /* bigint[] */
} UsageArrays;

/* Makes them in the current memory context. */
extern UsageArrays usage_make_arrays(const SourceUsage *usage, int count);

#endif
