/*
 * Bytes that grow.
 *
 * All of them together stay within one budget, so that many clients with large bodies, or
 * many that read slowly, cannot take the machine's memory: what goes beyond it fails, and
 * the caller refuses the request.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What all buffers, and all answers that wait for slow clients, may hold. */
#define BUFFER_BUDGET ((size_t) 256 << 20)

typedef struct Buffer
{
	char *data;
	size_t length;
	size_t capacity;
} Buffer;

/* Makes room for so many bytes more; false if there is none. */
bool buffer_reserve(Buffer *buffer, size_t more);

/* Append; false, and nothing appended, if there is no room. */
bool buffer_append(Buffer *buffer, const void *data, size_t length);
bool buffer_append_text(Buffer *buffer, const char *text);

/* In network order, as PostgreSQL's binary formats are. */
bool buffer_append_int32(Buffer *buffer, uint32_t value);

/* Gives the memory back; the buffer can be used again. */
void buffer_free(Buffer *buffer);

/* Take from the budget what lies elsewhere, and give it back; false if it is used up. */
bool buffer_take(size_t bytes);
void buffer_give(size_t bytes);

#endif
