/*
 * record_api_usage(): how often the API has been used.
 *
 * An answer says what its request counts as; an API tier adds such answers up, together with
 * the headers that tell whose they are, and has them recorded from time to time.  So a read
 * writes nothing, and the meaning of headers stays here.
 *
 * What opens no environment any more, is no resource or no count, is left out: the tier could
 * do nothing about it, and would only send the others again.
 */
#include "postgres.h"
#include "compat.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "arguments.h"
#include "http_count.h"
#include "http_message.h"

SQL_FUNCTION(flagsmith_record_api_usage);

/* There are no more sources than these. */
#define MAX_SOURCES 2

/* What is for one source. */
typedef struct Share
{
	const Source *source;
	SourceUsage *usage;
	int count;
} Share;

/* Reads an item of the list; false if it is left out. */
static bool
read_item(const JsonValue *item, EnvironmentId *environment, SourceUsage *usage)
{
	const JsonValue *resource = json_get(item, STR("resource"));
	const JsonValue *headers = json_get(item, STR("headers"));
	const JsonValue *host = json_get(item, STR("host"));
	const JsonValue *count = json_get(item, STR("count"));
	HttpRequest request = {.method = HTTP_GET};

	if (resource == NULL || resource->type != JSON_STRING ||
	    !http_is_resource(resource->string) || headers == NULL || count == NULL)
		return false;
	request.headers = *headers;
	usage->count = http_count_read(count);
	if (usage->count == 0 || !cache_try_environment_id(
								 http_header(&request, "x-environment-key"), environment))
		return false;
	usage->environment_id = environment->id;
	usage->resource = resource->string;
	usage->host = host != NULL && host->type == JSON_STRING ? host->string : STR("");
	usage->labels = http_count_labels(&request);
	return true;
}

/* Adds it to the share of its source, which has room for so many. */
static void
share_out(Share *shares, const Source *source, const SourceUsage *usage, uint32 most)
{
	Share *share = shares;

	while (share->source != NULL && share->source != source)
		share++;
	Assert(share < shares + MAX_SOURCES);
	if (share->source == NULL)
		*share = (Share){source, palloc(sizeof(SourceUsage) * most), 0};
	share->usage[share->count++] = *usage;
}

/* record_api_usage(usage jsonb) RETURNS bigint: how many requests it has recorded */
Datum
flagsmith_record_api_usage(PG_FUNCTION_ARGS)
{
	JsonValue list = argument_jsonb(PG_GETARG_DATUM(0), "usage");
	Share shares[MAX_SOURCES] = {0};
	int64 total = 0;

	if (list.type != JSON_ARRAY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		                errmsg("invalid usage: expected a list, found %s",
		                       json_type_name(list.type))));
	for (uint32 i = 0; i < list.count; i++)
	{
		EnvironmentId environment;
		SourceUsage usage;

		CHECK_FOR_INTERRUPTS();
		if (!read_item(&list.elements[i], &environment, &usage))
			continue;
		share_out(shares, environment.source, &usage, list.count);
		total += usage.count;
	}
	for (int i = 0; i < MAX_SOURCES; i++)
		if (shares[i].source != NULL)
			shares[i].source->record_usage(shares[i].usage, shares[i].count);
	PG_RETURN_INT64(total);
}
