/*
 * The engine's errors: text and path.
 */
#include "error.h"

#include "lib/stringinfo.h"

/* Names in messages are cut here: they come from outside and can be of any length. */
#define PATH_NAME_MAX 64

/* Whether `$.name` can be written, without brackets and quotes. */
static bool
is_plain(Str name)
{
	if (name.len == 0 || name.len > PATH_NAME_MAX ||
	    (name.data[0] >= '0' && name.data[0] <= '9'))
		return false;
	for (uint32 i = 0; i < name.len; i++)
	{
		unsigned char c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '_' || c >= 0x80))
			return false;
	}
	return true;
}

/* How many bytes of name to show: whole characters only. */
static uint32
shown_length(Str name)
{
	uint32 len = Min(name.len, PATH_NAME_MAX);

	while (len > 0 && len < name.len && ((unsigned char) name.data[len] & 0xC0) == 0x80)
		len--;
	return len;
}

static void
append_step(StringInfo text, const Path *step)
{
	if (step->name.data == NULL)
		appendStringInfo(text, "[%u]", step->index);
	else if (is_plain(step->name))
		appendStringInfo(text, ".%.*s", (int) step->name.len, step->name.data);
	else
	{
		uint32 shown = shown_length(step->name);

		appendStringInfo(text, "['%.*s%s']", (int) shown, step->name.data,
		                 shown < step->name.len ? "..." : "");
	}
}

char *
path_text(const Path *path)
{
	const Path **steps;
	int depth = 0;
	StringInfoData text;

	for (const Path *step = path; step != NULL && step->parent != NULL;
	     step = step->parent)
		depth++;
	steps = palloc(sizeof(*steps) * (depth + 1));
	for (int i = depth; i > 0; i--)
	{
		steps[i - 1] = path;
		path = path->parent;
	}

	initStringInfo(&text);
	appendStringInfoChar(&text, '$');
	for (int i = 0; i < depth; i++)
		append_step(&text, steps[i]);
	pfree(steps);
	return text.data;
}

bool
engine_error(EngineError *error, EngineErrorCode code, const Path *path,
             const char *format, ...)
{
	StringInfoData message;
	int needed;

	initStringInfo(&message);
	do
	{
		va_list args;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed != 0)
			enlargeStringInfo(&message, needed);
	} while (needed != 0);

	error->code = code;
	error->message = message.data;
	error->path = path == NULL ? NULL : path_text(path);
	return false;
}
