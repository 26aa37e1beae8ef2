/*
 * http_get() and http_post(): finding the route, the key and the body of a request.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "engine/key.h"

#include "arguments.h"
#include "http_message.h"
#include "http_fields.h"

SQL_FUNCTION(flagsmith_http_get);
SQL_FUNCTION(flagsmith_http_post);

/* What a body must be. */
typedef enum BodyKind
{
	BODY_NONE,
	BODY_OBJECT,
	BODY_ANY
} BodyKind;

typedef struct HttpRoute
{
	Str path;       /* ends in '/'; the one of a request may lack it */
	bool is_prefix; /* more follows */
	bool is_ofrep;
	bool server_keys_only;
	BodyKind body; /* of a POST */
	Str resource;  /* what a request is counted as; data == NULL: it is not */
	HttpHandler get, post;
} HttpRoute;

static const HttpRoute routes[] = {
	{.path = STR_INIT("/api/v1/flags/"),
     .resource = STR_INIT("flags"),
     .get = http_get_flags},
	{.path = STR_INIT("/api/v1/identities/"),
     .resource = STR_INIT("identities"),
     .body = BODY_OBJECT,
     .get = http_get_identity,
     .post = http_post_identity},
	{.path = STR_INIT("/api/v1/traits/"),
     .resource = STR_INIT("traits"),
     .body = BODY_OBJECT,
     .post = http_post_trait},
	{.path = STR_INIT("/api/v1/traits/bulk/"),
     .resource = STR_INIT("traits"),
     .body = BODY_ANY,
     .post = http_post_traits},
	{.path = STR_INIT("/api/v1/traits/increment-value/"),
     .resource = STR_INIT("traits"),
     .body = BODY_OBJECT,
     .post = http_increment_trait},
	{.path = STR_INIT("/api/v1/environment-document/"),
     .resource = STR_INIT("environment-document"),
     .server_keys_only = true,
     .get = http_get_document},
	{.path = STR_INIT("/api/v1/analytics/flags/"),
     .body = BODY_ANY,
     .post = http_post_analytics},
	{.path = STR_INIT("/api/v2/analytics/flags/"),
     .body = BODY_OBJECT,
     .post = http_post_analytics_v2},
	{.path = STR_INIT("/ofrep/v1/evaluate/flags/"),
     .is_ofrep = true,
     .body = BODY_ANY,
     .post = http_ofrep_flags},
	{.path = STR_INIT("/ofrep/v1/evaluate/flags/"),
     .is_prefix = true,
     .is_ofrep = true,
     .body = BODY_ANY,
     .post = http_ofrep_flag},
};

bool
http_is_resource(Str name)
{
	for (size_t i = 0; i < lengthof(routes); i++)
		if (routes[i].resource.data != NULL && str_equal(routes[i].resource, name))
			return true;
	return false;
}

static bool
matches(const HttpRoute *route, Str path)
{
	uint32 length = route->path.len;

	if (route->is_prefix)
		return path.len > length && memcmp(path.data, route->path.data, length) == 0;
	return (path.len == length || path.len == length - 1) &&
	       memcmp(path.data, route->path.data, path.len) == 0;
}

static const HttpRoute *
find_route(HttpRequest *request)
{
	for (size_t i = 0; i < lengthof(routes); i++)
	{
		uint32 length = routes[i].path.len;

		if (!matches(&routes[i], request->path))
			continue;
		if (routes[i].is_prefix)
			request->rest = http_decode(
				str_make(request->path.data + length, request->path.len - length), false);
		return &routes[i];
	}
	return NULL;
}

/* Takes the target apart; slashes at its start count as one. */
static void
split_target(HttpRequest *request, Str target)
{
	uint32 end = 0;

	while (target.len > 1 && target.data[0] == '/' && target.data[1] == '/')
	{
		target.data++;
		target.len--;
	}
	while (end < target.len && target.data[end] != '?')
		end++;
	request->path = str_make(target.data, end);
	request->query = end < target.len
	                     ? str_make(target.data + end + 1, target.len - end - 1)
	                     : STR("");
}

/* OFREP's clients send the key as they please. */
static Str
find_key(const HttpRequest *request, bool is_ofrep)
{
	Str key = http_header(request, "x-environment-key"), bearer = STR("Bearer ");
	Str authorization;

	if (key.len > 0 || !is_ofrep)
		return key;
	key = http_header(request, "x-api-key");
	if (key.len > 0)
		return key;
	authorization = http_header(request, "authorization");
	if (authorization.len > bearer.len &&
	    pg_strncasecmp(authorization.data, bearer.data, bearer.len) == 0)
		return str_make(authorization.data + bearer.len, authorization.len - bearer.len);
	return STR("");
}

static void
refuse(HttpResponse *response, const HttpRoute *route, const char *detail)
{
	if (route->is_ofrep)
		http_answer(response, 401,
		            "{\"errorCode\":\"GENERAL\",\"errorDetails\":\"invalid or missing "
		            "environment key\",\"metadata\":{}}");
	else
		http_error(response, 403, detail);
}

/* Refuses what is asked of an environment that is open. */
static void
refuse_stopped(HttpRequest *request, HttpResponse *response, const HttpRoute *route)
{
	cache_close(&request->open);
	if (route->is_ofrep)
		refuse(response, route, NULL);
	else
		http_error(response, 403, "Organisation is disabled from serving flags.");
}

/* Opens the environment of the request's key; false if that is refused. */
static bool
authenticate(HttpRequest *request, HttpResponse *response, const HttpRoute *route)
{
	Str key = find_key(request, route->is_ofrep);

	if (key.len == 0 || (route->server_keys_only && !key_is_server_side(key)))
		refuse(response, route, "Invalid or missing Environment key");
	else if (!cache_try_open(key, &request->open))
		refuse(response, route, "Invalid or missing Environment Key");
	else
	{
		/* whatever comes of it, as Flagsmith does */
		response->resource = route->resource;
		if (!request->open.stored->stop_serving_flags)
			return true;
		refuse_stopped(request, response, route);
	}
	return false;
}

/* Parses the body as the route wants it; false if that is refused. */
static bool
parse_body(HttpRequest *request, HttpResponse *response, const HttpRoute *route)
{
	Str type = http_header(request, "content-type"), json = STR("application/json");
	EngineError error;

	if (type.len > 0 &&
	    (type.len < json.len || pg_strncasecmp(type.data, json.data, json.len) != 0))
	{
		http_error(response, 415, "Unsupported media type in request.");
		return false;
	}
	if (request->text.len == 0)
		request->text = STR("{}");
	if (!json_parse(request->text, &request->body, &error))
	{
		if (route->is_ofrep)
			http_answer(response, 400,
			            "{\"errorCode\":\"PARSE_ERROR\",\"errorDetails\":\"the body is "
			            "not JSON\",\"metadata\":{}}");
		else
			http_error(response, 400, psprintf("JSON parse error - %s", error.message));
		return false;
	}
	if (route->body != BODY_OBJECT || request->body.type == JSON_OBJECT)
		return true;
	fields_refuse_body(response, &request->body);
	return false;
}

static void
handle(HttpRequest *request, HttpResponse *response)
{
	const HttpRoute *route = find_route(request);
	HttpHandler handler;

	if (route == NULL)
	{
		http_error(response, 404, "Not found.");
		return;
	}
	if (!authenticate(request, response, route))
		return;
	handler = request->method == HTTP_GET ? route->get : route->post;
	if (handler == NULL)
		http_error(response, 405,
		           psprintf("Method \"%s\" not allowed.",
		                    request->method == HTTP_GET ? "GET" : "POST"));
	else if (request->method == HTTP_GET || parse_body(request, response, route))
		handler(request, response);
	cache_close(&request->open);
}

/* The type of the result, kept for the statement. */
static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc description;

		if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(description));
		MemoryContextSwitchTo(old);
	}
	return fcinfo->flinfo->fn_extra;
}

/* The headers as jsonb.  Most answers have the very same, so the last ones are kept. */
static Datum
make_headers(const StringInfoData *text)
{
	static char kept_text[1024];
	static int kept_length = 0;
	static Jsonb *kept = NULL;
	Datum made;

	if (kept != NULL && text->len == kept_length &&
	    memcmp(text->data, kept_text, kept_length) == 0)
		return JsonbPGetDatum(kept);
	made = argument_make_jsonb(str_make(text->data, text->len));
	if (text->len > (int) sizeof(kept_text))
		return made;
	if (kept != NULL)
		pfree(kept);
	kept = NULL;
	kept = MemoryContextAlloc(TopMemoryContext, VARSIZE(DatumGetPointer(made)));
	memcpy(kept, DatumGetPointer(made), VARSIZE(DatumGetPointer(made)));
	memcpy(kept_text, text->data, text->len);
	kept_length = text->len;
	return JsonbPGetDatum(kept);
}

/* Answers the request of arguments (target, headers[, body]). */
static Datum
answer(FunctionCallInfo fcinfo, HttpMethod method)
{
	HttpRequest request = {.method = method, .headers = {.type = JSON_OBJECT}};
	HttpResponse response;
	Datum values[3];
	bool nulls[3] = {false};
	Str target = argument_optional_text(fcinfo, 0);

	if (!PG_ARGISNULL(1))
		request.headers = argument_jsonb(PG_GETARG_DATUM(1), "headers");
	if (method == HTTP_POST)
		request.text = argument_optional_text(fcinfo, 2);
	split_target(&request, target.data == NULL ? STR("") : target);
	http_begin(&response);
	handle(&request, &response);

	if (response.resource.data != NULL)
		appendStringInfo(&response.headers, ",\"X-Flagsmith-Resource\":\"%s\"",
		                 response.resource.data);
	appendStringInfoChar(&response.headers, '}');
	values[0] = Int32GetDatum(response.status);
	values[1] = make_headers(&response.headers);
	values[2] = argument_end_text(&response.body);
	return HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls));
}

/* http_get(target text, headers jsonb, OUT status, OUT headers, OUT body) */
Datum
flagsmith_http_get(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, HTTP_GET);
}

void
http_see_writes(void)
{
	PopActiveSnapshot();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* http_post(target text, headers jsonb, body text, OUT status, OUT headers, OUT body) */
Datum
flagsmith_http_post(PG_FUNCTION_ARGS)
{
	Datum result;

	/* requests before this one, in the same statement, have written */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	result = answer(fcinfo, HTTP_POST);
	PopActiveSnapshot();
	return result;
}
