/*
 * Text that goes to the database: UTF-8 without NUL, and JSON strings of it.
 */
#ifndef TEXT_H
#define TEXT_H

#include "buffer.h"

/* Whether PostgreSQL takes it as text: strict UTF-8, no NUL. */
bool text_is_valid(const char *text, size_t length);

/*
 * Appends a JSON string.  Bytes that are not UTF-8 as a whole count as Latin-1, which is
 * what HTTP once said of its headers.
 */
bool text_append_json(Buffer *buffer, const char *text, size_t length);

#endif
