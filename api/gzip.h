/*
 * Compression of answers.
 */
#ifndef GZIP_H
#define GZIP_H

#include "buffer.h"

/* Whether an Accept-Encoding header takes gzip. */
bool gzip_is_accepted(const char *header, size_t length);

/* Compresses into the buffer, whose contents are replaced; false if that brings nothing. */
bool gzip_compress(const char *data, size_t length, Buffer *result);

#endif
