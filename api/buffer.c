/*
 * Growable bytes within a budget.
 */
#include "buffer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 512

static size_t taken;

bool
buffer_take(size_t bytes)
{
	if (bytes > BUFFER_BUDGET - taken)
		return false;
	taken += bytes;
	return true;
}

void
buffer_give(size_t bytes)
{
	taken -= bytes;
}

bool
buffer_reserve(Buffer *buffer, size_t more)
{
	size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST;
	char *data;

	if (more <= buffer->capacity - buffer->length)
		return true;
	if (more > BUFFER_BUDGET)
		return false;
	while (capacity - buffer->length < more)
		capacity *= 2;
	if (!buffer_take(capacity - buffer->capacity))
		return false;
	data = realloc(buffer->data, capacity);
	if (data == NULL)
	{
		buffer_give(capacity - buffer->capacity);
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

bool
buffer_append(Buffer *buffer, const void *data, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return false;
	if (length > 0)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	return true;
}

bool
buffer_append_text(Buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

bool
buffer_append_int32(Buffer *buffer, uint32_t value)
{
	value = htonl(value);
	return buffer_append(buffer, &value, sizeof(value));
}

void
buffer_free(Buffer *buffer)
{
	buffer_give(buffer->capacity);
	free(buffer->data);
	*buffer = (Buffer){0};
}
