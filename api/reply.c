/*
 * Heads of answers are put together from parts that lie ready, and go to the socket with the
 * body in one writev: the body of a database's answer is never copied.
 */
#include "reply.h"

#include "clock.h"
#include "connection.h"
#include "gzip.h"
#include "metrics.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CORS                                                                             \
	"Access-Control-Allow-Origin: *\r\n"                                                 \
	"Access-Control-Expose-Headers: X-Flagsmith-Document-Updated-At, ETag, "             \
	"Retry-After, Link\r\n"
#define OWN "Cache-Control: no-store\r\nVary: Accept-Encoding, Origin\r\n"
#define OWN_JSON "Content-Type: application/json\r\n" OWN

/* A smaller body is not worth the time. */
#define GZIP_FROM 1000

/* A buffer of answers that has become larger is given back. */
#define KEPT_BYTES ((size_t) 1 << 20)

static const char *
reason(int status)
{
	static const struct
	{
		int status;
		const char *reason;
	} known[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].reason;
	return "Unknown";
}

/* The line of the date, written anew each second. */
static const char *
date_line(void)
{
	static char line[64];
	static time_t written;
	time_t now = time(NULL);
	struct tm tm;

	if (now != written)
	{
		gmtime_r(&now, &tm);
		strftime(line, sizeof(line), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		written = now;
	}
	return line;
}

static const char *
connection_line(const Request *request)
{
	if (!request->keep_alive || connection_is_draining(request->connection))
		return "Connection: close\r\n";
	return request->is_http_1_0 ? "Connection: keep-alive\r\n" : "";
}

static void
count(const Request *request, int status)
{
	metrics_count_answer(request->method, status, clock_ms() - request->completed);
}

static struct iovec
part(const char *data, size_t length)
{
	return (struct iovec){(void *) data, length};
}

/* Sends head and body, and ends the request. */
static void
send_all(Request *request, int status, Lines headers, const char *coding,
         const char *body, size_t length)
{
	bool has_body = status >= 200 && status != 204 && status != 304;
	char start[160], end[160];
	int start_length, end_length;

	start_length = snprintf(start, sizeof(start), "HTTP/1.1 %d %s\r\n%s", status,
	                        reason(status), date_line());
	if (has_body)
		end_length = snprintf(end, sizeof(end), "%sContent-Length: %zu\r\n%s\r\n", coding,
		                      length, connection_line(request));
	else
		end_length = snprintf(end, sizeof(end), "%s\r\n", connection_line(request));
	if (request->is_head || !has_body)
		length = 0;

	struct iovec parts[] = {
		part(start, start_length), part(headers.data, headers.length),
		part(CORS, strlen(CORS)),  part(end, end_length),
		part(body, length),
	};

	count(request, status);
	connection_send(request->connection, parts, 5);
	connection_end_answer(request->connection);
}

void
reply_send(Request *request, int status, Lines headers, const char *body, size_t length)
{
	static Buffer compressed;
	Span accepted = request_header(request, HEADER_ACCEPT_ENCODING);

	if (length >= GZIP_FROM && settings.gzip_level > 0 && !request->is_head &&
	    gzip_is_accepted(request_text(request, accepted), accepted.length) &&
	    gzip_compress(body, length, &compressed))
		send_all(request, status, headers, "Content-Encoding: gzip\r\n", compressed.data,
		         compressed.length);
	else
		send_all(request, status, headers, "", body, length);
	if (compressed.capacity > KEPT_BYTES)
		buffer_free(&compressed);
}

void
reply_json(Request *request, int status, const char *json)
{
	Lines lines = {OWN_JSON, strlen(OWN_JSON)};

	send_all(request, status, lines, "", json, strlen(json));
}

void
reply_text(Request *request, const char *type, const char *text, size_t length)
{
	char lines[256];
	int lines_length = snprintf(lines, sizeof(lines), "Content-Type: %s\r\n" OWN, type);

	reply_send(request, 200, (Lines){lines, lines_length}, text, length);
}

/*
 * Sends an error in the words of the API that was asked.  It needs no memory, so that it can
 * be told that there is none; the detail needs no escapes.
 */
static void
send_error(Request *request, int status, const char *lines, const char *detail)
{
	static const char ofrep[] = "/ofrep/";
	bool is_ofrep =
		request->target.length >= strlen(ofrep) &&
		memcmp(request_text(request, request->target), ofrep, strlen(ofrep)) == 0;
	char json[256];
	int length = snprintf(
		json, sizeof(json),
		is_ofrep ? "{\"errorCode\":\"GENERAL\",\"errorDetails\":\"%s\",\"metadata\":{}}"
				 : "{\"detail\":\"%s\"}",
		detail);

	send_all(request, status, (Lines){lines, strlen(lines)}, "", json, length);
}

void
reply_error(Request *request, int status, const char *detail)
{
	send_error(request, status, status == 503 ? OWN_JSON "Retry-After: 1\r\n" : OWN_JSON,
	           detail);
}

void
reply_method_not_allowed(Request *request)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "Method \\\"%s\\\" not allowed.", request->method);
	send_error(request, 405, OWN_JSON "Allow: GET, HEAD, POST, OPTIONS\r\n", detail);
}

/* Whether the names of headers may be sent back. */
static bool
is_name_list(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' ? text[i] != ' ' : text[i] > '~')
			return false;
	return length > 0;
}

void
reply_preflight(Request *request)
{
	Span names = request_header(request, HEADER_CORS_HEADERS);
	const char *text = request_text(request, names);
	Buffer lines = {0};

	buffer_append_text(&lines,
	                   "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, OPTIONS\r\n"
	                   "Access-Control-Allow-Headers: ");
	if (is_name_list(text, names.length))
		buffer_append(&lines, text, names.length);
	else
		buffer_append_text(&lines, "*");
	buffer_append_text(&lines, "\r\nAccess-Control-Max-Age: 86400\r\n"
	                           "Cache-Control: no-store\r\n"
	                           "Vary: Origin, Access-Control-Request-Headers\r\n");
	send_all(request, 204, (Lines){lines.data, lines.length}, "", "", 0);
	buffer_free(&lines);
}

/* ---- streams ---- */

void
reply_begin_stream(Request *request)
{
	char head[512];
	int length;

	if (request->is_http_1_0)
		request->keep_alive = false;
	length =
		snprintf(head, sizeof(head),
	             "HTTP/1.1 200 OK\r\n%sContent-Type: text/event-stream\r\n"
	             "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n" CORS "%s%s\r\n",
	             date_line(), connection_line(request),
	             request->is_http_1_0 ? "" : "Transfer-Encoding: chunked\r\n");
	count(request, 200);
	connection_send(request->connection, &(struct iovec){head, length}, 1);
}

void
reply_continue_stream(Request *request, const char *text)
{
	size_t length = strlen(text);
	char size[24];
	struct iovec parts[] = {
		part(size, snprintf(size, sizeof(size), "%zx\r\n", length)),
		part(text, length),
		part("\r\n", 2),
	};

	if (request->is_http_1_0)
		connection_send(request->connection, parts + 1, 1);
	else
		connection_send(request->connection, parts, 3);
}

void
reply_end_stream(Request *request)
{
	struct iovec end = part("0\r\n\r\n", 5);

	if (!request->is_http_1_0)
		connection_send(request->connection, &end, 1);
	connection_end_answer(request->connection);
}

/* ---- what is no request ---- */

void
reply_refusal(Request *request, int status)
{
	switch (status)
	{
		case 405:
			reply_method_not_allowed(request);
			break;
		case 408:
			reply_error(request, status, "The request did not arrive in time.");
			break;
		case 413:
			reply_error(request, status, "The body is too large.");
			break;
		case 431:
			reply_error(request, status, "Target and headers are too large.");
			break;
		case 503:
			reply_error(request, status, "Too many requests are under way.");
			break;
		default:
			reply_error(request, 400, "This is not an HTTP request.");
			break;
	}
}

void
reply_refuse_connection(int fd)
{
	static const char body[] = "{\"detail\":\"Too many connections.\"}";
	char answer[512];
	int length = snprintf(answer, sizeof(answer),
	                      "HTTP/1.1 503 Service Unavailable\r\n%s" OWN_JSON CORS
	                      "Retry-After: 1\r\nConnection: close\r\n"
	                      "Content-Length: %zu\r\n\r\n%s",
	                      date_line(), strlen(body), body);

	if (send(fd, answer, length, MSG_NOSIGNAL) == length)
		shutdown(fd, SHUT_WR);
	/* closed with bytes unread, a socket would take back the answer */
	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}
