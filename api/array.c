/*
 * Binary arrays: a head, then each element's length and bytes.
 */
#include "array.h"

#define DIMENSIONS 1
#define HAS_NO_NULLS 0
#define LOWER_BOUND 1

bool
array_begin(Buffer *array, uint32_t element_type, uint32_t count)
{
	return buffer_append_int32(array, DIMENSIONS) &&
	       buffer_append_int32(array, HAS_NO_NULLS) &&
	       buffer_append_int32(array, element_type) &&
	       buffer_append_int32(array, count) && buffer_append_int32(array, LOWER_BOUND);
}

bool
array_add_text(Buffer *array, const char *data, size_t length)
{
	return buffer_append_int32(array, length) && buffer_append(array, data, length);
}

bool
array_add_jsonb(Buffer *array, const char *json, size_t length)
{
	return buffer_append_int32(array, length + 1) &&
	       buffer_append(array, JSONB_VERSION, 1) && buffer_append(array, json, length);
}
