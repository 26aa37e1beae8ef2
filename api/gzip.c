/*
 * zlib with one state that is used again for each answer: to set up a new one takes longer
 * than to compress a few kilobytes.
 */
#include "gzip.h"

#include "settings.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16)
#define MEMORY_LEVEL 8

/* Whether the parameters of a coding say q=0. */
static bool
is_refused(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == ';'))
		at++;
	if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=' || at[2] != '0')
		return false;
	for (at += 3; at < end; at++)
		if (*at >= '1' && *at <= '9')
			return false;
	return true;
}

bool
gzip_is_accepted(const char *header, size_t length)
{
	const char *at = header, *end = header + length;
	bool accepted = false;

	while (at < end)
	{
		const char *comma = memchr(at, ',', end - at);
		const char *stop = comma != NULL ? comma : end;
		size_t name;

		while (at < stop && (*at == ' ' || *at == '\t'))
			at++;
		name = 0;
		while (at + name < stop && strchr(" \t;", at[name]) == NULL)
			name++;
		if (name == 4 && strncasecmp(at, "gzip", 4) == 0)
			return !is_refused(at + name, stop);
		if (name == 1 && *at == '*')
			accepted = !is_refused(at + name, stop);
		at = stop + 1;
	}
	return accepted;
}

static z_stream *
ready_stream(void)
{
	static z_stream stream;
	static bool is_ready;

	if (is_ready)
		return deflateReset(&stream) == Z_OK ? &stream : NULL;
	is_ready = deflateInit2(&stream, settings.gzip_level, Z_DEFLATED, GZIP_WINDOW,
	                        MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	return is_ready ? &stream : NULL;
}

bool
gzip_compress(const char *data, size_t length, Buffer *result)
{
	z_stream *stream = length <= UINT_MAX ? ready_stream() : NULL;

	result->length = 0;
	if (stream == NULL || !buffer_reserve(result, length))
		return false;
	stream->next_in = (Bytef *) data;
	stream->avail_in = length;
	stream->next_out = (Bytef *) result->data;
	stream->avail_out = length; /* what does not get smaller is sent as it is */
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return false;
	result->length = length - stream->avail_out;
	return true;
}
