/*
 * Lines of JSON, each written by one write(2), so that those of several processes in one
 * file do not mix.
 */
#include "log.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_path;
static int log_fd = STDERR_FILENO;

bool
log_open(const char *path)
{
	int fd;

	if (path == NULL)
		return true;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = fd;
	log_path = path;
	return true;
}

void
log_reopen(void)
{
	if (!log_open(log_path))
		log_event("error", "log_not_reopened", "reason", strerror(errno), NULL);
}

static void
append_time(Buffer *line)
{
	struct timespec now;
	struct tm tm;
	char text[64];
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	length = strftime(text, sizeof(text), "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + length, sizeof(text) - length, ".%03dZ\"",
	         (int) (now.tv_nsec / 1000000));
	buffer_append_text(line, text);
}

static void
append_member(Buffer *line, const char *name, const char *value)
{
	size_t length = strlen(value);

	while (length > 0 && value[length - 1] == '\n') /* libpq's messages end so */
		length--;
	buffer_append_text(line, ",\"");
	buffer_append_text(line, name);
	buffer_append_text(line, "\":");
	/* a code of five characters stays one when they are digits */
	if (length > 0 && strspn(value, "0123456789") == length &&
	    strcmp(name, "sqlstate") != 0)
		buffer_append(line, value, length);
	else
		text_append_json(line, value, length);
}

void
log_event(const char *level, const char *event, ...)
{
	Buffer line = {0};
	const char *name;
	va_list pairs;

	append_time(&line);
	append_member(&line, "level", level);
	append_member(&line, "event", event);
	va_start(pairs, event);
	while ((name = va_arg(pairs, const char *)) != NULL)
		append_member(&line, name, va_arg(pairs, const char *));
	va_end(pairs);
	buffer_append_text(&line, "}\n");
	if (line.data != NULL && write(log_fd, line.data, line.length) < 0)
		errno = 0; /* there is no other place to tell */
	buffer_free(&line);
}
