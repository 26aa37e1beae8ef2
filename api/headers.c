/*
 * Most answers of an environment have the very same headers, so the last few objects are
 * kept with their lines: a hit costs a comparison, and the parser runs only for what is new.
 */
#include "headers.h"

#include "buffer.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#define KEPT 64
#define KEPT_BYTES 1024

#define RESOURCE "X-Flagsmith-Resource"
#define RESOURCE_MAX 32

typedef struct Kept
{
	Buffer json;
	Buffer lines;
	char resource[RESOURCE_MAX]; /* shorter than that, or "" */
} Kept;

static Kept kept[KEPT];
static Kept large;

static uint32_t
hash(const char *data, size_t length)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char) data[i]) * 16777619u;
	return h ^ h >> 16;
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char) *text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool
write_line(Buffer *lines, const char *name, const char *text)
{
	return buffer_append_text(lines, name) && buffer_append_text(lines, ": ") &&
	       buffer_append_text(lines, text) && buffer_append_text(lines, "\r\n");
}

/* Takes the header that is not for the client; false if it is another one. */
static bool
take_resource(Kept *slot, const char *name, const char *text)
{
	if (strcmp(name, RESOURCE) != 0)
		return false;
	if (text != NULL && strlen(text) < RESOURCE_MAX)
		strcpy(slot->resource, text);
	return true;
}

/* Writes whole lines only; false if there is no memory for all. */
static bool
write_lines(Kept *slot, const char *json, size_t length)
{
	Buffer *lines = &slot->lines;
	json_t *object = json_loadb(json, length, 0, NULL);
	bool is_written = object != NULL;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const char *text = json_string_value(value);
		size_t before = lines->length;

		if (take_resource(slot, name, text) || text == NULL || !is_printable(name) ||
		    !is_printable(text) || write_line(lines, name, text))
			continue;
		lines->length = before;
		is_written = false;
	}
	json_decref(object);
	return is_written;
}

Lines
headers_from_json(const char *json, size_t length, Piece *resource)
{
	Kept *slot = length > KEPT_BYTES ? &large : &kept[hash(json, length) % KEPT];

	if (slot->json.length != length || memcmp(slot->json.data, json, length) != 0)
	{
		slot->json.length = slot->lines.length = 0;
		slot->resource[0] = '\0';
		if (write_lines(slot, json, length) && slot != &large &&
		    !buffer_append(&slot->json, json, length))
			slot->json.length = 0;
	}
	*resource = (Piece){slot->resource, strlen(slot->resource)};
	return (Lines){slot->lines.data, slot->lines.length};
}
