/*
 * Counted text, and the one hook of the engine into its surroundings.
 */
#include "str.h"

void (*engine_interrupt_hook)(void) = NULL;

bool
str_contains(Str s, Str needle)
{
	if (needle.len == 0)
		return true;
	if (needle.len > s.len)
		return false;
	return memmem(s.data, s.len, needle.data, needle.len) != NULL;
}

Str
str_copy(Str s)
{
	char *data = palloc(s.len + 1);

	if (s.len > 0)
		memcpy(data, s.data, s.len);
	data[s.len] = '\0';
	return str_make(data, s.len);
}

void
str_copy_all(Str **texts, int count)
{
	Size size = 0;
	char *end;

	for (int i = 0; i < count; i++)
		size += (Size) texts[i]->len + 1;
	end = palloc_extended(size, MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		Str *text = texts[i];

		if (text->data == NULL)
			continue;
		memcpy(end, text->data, text->len);
		text->data = end;
		end += text->len;
		*end++ = '\0';
	}
}
