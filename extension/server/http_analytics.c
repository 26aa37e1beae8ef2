/*
 * /api/v1/analytics/flags/ and its second version: how often SDKs have evaluated flags.
 *
 * What is no flag of the environment, or no count, is left out: an SDK that is told of an
 * error would send its counts again.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"

#include "http_count.h"
#include "http_fields.h"
#include "http_message.h"

/* Records the evaluations; false on a server that cannot write. */
static bool
record(HttpRequest *request, HttpResponse *response, SourceEvaluation *evaluations,
       int count)
{
	const StoredEnvironment *stored = request->open.stored;

	if (count == 0)
		return true;
	if (RecoveryInProgress() || XactReadOnly)
	{
		http_error(response, 503, "This server is read-only: send POST to the primary.");
		return false;
	}
	stored->source->record_evaluations(stored->id, evaluations, count,
	                                   http_count_labels(request));
	return true;
}

void
http_post_analytics(HttpRequest *request, HttpResponse *response)
{
	const JsonValue *body = &request->body;
	SourceEvaluation *evaluations;
	int count = 0;

	if (body->type != JSON_OBJECT)
	{
		http_answer(response, 400,
		            "{\"non_field_errors\":[\"Expected a JSON object.\"]}");
		return;
	}
	evaluations = palloc(sizeof(SourceEvaluation) * (body->count + 1));
	for (uint32 i = 0; i < body->count; i++)
	{
		int64 number = http_count_read(&body->members[i].value);

		if (number > 0)
			evaluations[count++] = (SourceEvaluation){
				.feature = body->members[i].name, .enabled = -1, .count = number};
	}
	if (record(request, response, evaluations, count))
		appendStringInfoString(&response->body, "{}");
}

/* Reads one item of the second version's list. */
static void
read_item(FieldErrors *errors, const JsonValue *object, SourceEvaluation *evaluation)
{
	const JsonValue *count = json_get(object, STR("count"));
	bool enabled;

	fields_text(errors, object, "feature_name", false, PG_INT32_MAX,
	            &evaluation->feature);
	fields_text(errors, object, "identity_identifier",
	            json_get(object, STR("identity_identifier")) == NULL,
	            IDENTIFIER_MAX_LENGTH, &evaluation->identifier);
	fields_boolean(errors, object, "enabled_when_evaluated", &enabled);
	evaluation->enabled = enabled;
	if (json_get(object, STR("enabled_when_evaluated")) == NULL)
		fields_add(errors, "enabled_when_evaluated", "This field is required.");
	evaluation->count = count == NULL ? 0 : http_count_read(count);
	if (evaluation->count == 0)
		fields_add(errors, "count",
		           count == NULL ? "This field is required."
		                         : "A valid positive integer is required.");
}

void
http_post_analytics_v2(HttpRequest *request, HttpResponse *response)
{
	const JsonValue *list = json_get(&request->body, STR("evaluations"));
	SourceEvaluation *evaluations;
	FieldErrors errors;

	fields_begin(&errors);
	if (list == NULL || list->type != JSON_ARRAY)
	{
		fields_add(&errors, "evaluations",
		           list == NULL ? "This field is required."
		                        : "Expected a list of items.");
		fields_refuse(&errors, response);
		return;
	}
	evaluations = palloc(sizeof(SourceEvaluation) * (list->count + 1));
	for (uint32 i = 0; i < list->count; i++)
	{
		read_item(&errors, &list->elements[i], &evaluations[i]);
		if (fields_refuse(&errors, response))
			return;
	}
	if (record(request, response, evaluations, list->count))
		http_answer(response, 204, "");
}
