/*
 * The log: a JSON line an event on the standard error.  No key, identifier or trait is
 * ever in it.
 */
#ifndef FLAGSMITH_API_LOG_H
#define FLAGSMITH_API_LOG_H

/* Logs an event; members is the rest of a JSON object (",\"port\":1"), or "". */
extern void log_event(const char *event, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
