/*
 * A request as it came from a client.
 *
 * It keeps the target, the few headers that anybody reads, and the body; all else is
 * skipped while it arrives.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "buffer.h"
#include "job.h"

struct Connection;

typedef enum RequestHeader
{
	/* these go to the database */
	HEADER_ENVIRONMENT_KEY,
	HEADER_API_KEY,
	HEADER_AUTHORIZATION,
	HEADER_CONTENT_TYPE,
	HEADER_IF_NONE_MATCH,
	HEADER_IF_MODIFIED_SINCE,
	HEADER_USER_AGENT,
	HEADER_SDK_USER_AGENT,
	HEADER_APPLICATION_NAME,
	HEADER_APPLICATION_VERSION,
	/* these do not */
	HEADER_ACCEPT_ENCODING,
	HEADER_CORS_HEADERS,
	HEADER_EXPECT,
	HEADER_HOST,
	HEADER_UNKNOWN
} RequestHeader;

#define HEADER_NAME_MAX 32

/* A part of the request's text; offsets, because the text moves as it grows. */
typedef struct Span
{
	size_t start;
	size_t length;
} Span;

typedef struct Request
{
	struct Connection *connection;
	const char *method; /* a name, never NULL once the head is there */
	bool is_head;
	bool keep_alive;
	bool is_http_1_0;
	int64_t completed; /* when its last byte came */

	Buffer text; /* target, header values, headers as JSON */
	Span target;
	Span headers[HEADER_UNKNOWN];
	Buffer body;

	/* the header that arrives */
	char name[HEADER_NAME_MAX];
	size_t name_length;
	RequestHeader current;
	bool in_value;

	Job job;
} Request;

/* Returns an empty request, NULL if there is no memory. */
Request *request_new(struct Connection *connection);
void request_free(Request *request);

/* Take what has arrived of each; false if there is no memory. */
bool request_add_target(Request *request, const char *data, size_t length);
void request_add_header_name(Request *request, const char *data, size_t length);
bool request_add_header_value(Request *request, const char *data, size_t length);

/* The text of a span, and of a header: not ended by NUL; empty if it did not come. */
const char *request_text(const Request *request, Span span);
Span request_header(const Request *request, RequestHeader header);

/* Whether the header has this text, in whatever case. */
bool request_header_is(const Request *request, RequestHeader header, const char *text);

/* Sets of headers. */
#define HEADER_SET(header) (1u << (header))
#define HEADERS_FOR_DATABASE (HEADER_SET(HEADER_ACCEPT_ENCODING) - 1)

/* Appends those headers as a JSON object; false without memory. */
bool request_write_headers(const Request *request, unsigned set, Buffer *json);

#endif
