/*
 * The log: one JSON object a line, to the standard error or to a file.
 *
 * No key, identifier, trait, target or body of a request is ever given to it.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/* Opens the file, NULL for the standard error; again after rotation.  False if it fails. */
bool log_open(const char *path);
void log_reopen(void);

/*
 * Writes a line: level, event, then pairs of a name and a text, ended by NULL; digits
 * alone are written as a number.
 */
void log_event(const char *level, const char *event, ...) __attribute__((sentinel));

#endif
