/*
 * GET /api/v1/environment-document/: what SDKs evaluate locally with.
 */
#include "postgres.h"
#include "compat.h"

#include "common/hashfn.h"

#include "engine/json_write.h"

#include "arguments.h"
#include "http_message.h"

/*
 * Whether the client's copy, of that second, is surely the present one: HTTP's times are
 * whole seconds, and there may have been a version before in the same one.
 */
static bool
is_unmodified(const HttpRequest *request, const SourceVersion *version)
{
	Str since = http_header(request, "if-modified-since");
	int64 seconds, changed = http_epoch(version->changed_at);

	if (http_header(request, "if-none-match").len > 0 ||
	    !http_parse_time(since, &seconds))
		return false;
	return seconds > changed || (seconds == changed && !version->shares_second);
}

void
http_get_document(HttpRequest *request, HttpResponse *response)
{
	const StoredEnvironment *stored = request->open.stored;
	const SourceVersion *version = &stored->version;
	char modified[HTTP_TIME_SIZE];
	Datum document;

	http_format_time(version->updated_at, modified);
	http_add_header(response, "Last-Modified", modified);
	if (http_add_etag(request, response,
	                  hash_combine64(version->stamp, version->changed_at)))
		return;
	if (is_unmodified(request, version))
	{
		http_answer(response, 304, "");
		return;
	}
	document = stored->source->document(stored->id);
	if (document == (Datum) 0)
	{
		http_error(response, 404, "Not found.");
		return;
	}
	http_add_updated_at(response, &request->open);
	json_write_raw(&response->body, argument_text(document));
}
