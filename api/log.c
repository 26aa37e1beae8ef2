/*
 * The log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "log.h"

void
log_event(const char *event, const char *format, ...)
{
	struct timespec now;
	struct tm utc;
	char members[512], moment[32];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(members, sizeof(members), format, arguments);
	va_end(arguments);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &utc);
	fprintf(stderr, "{\"time\":\"%s.%03ldZ\",\"event\":\"%s\"%s}\n", moment,
	        now.tv_nsec / 1000000, event, members);
}
