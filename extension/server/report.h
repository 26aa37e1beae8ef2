/*
 * Errors as users see them: SQLSTATE, message, the path in DETAIL, a HINT where one helps.
 */
#ifndef FLAGSMITH_REPORT_H
#define FLAGSMITH_REPORT_H

#include "engine/error.h"

/*
 * SQLSTATEs of our own, for what an API tier tells apart.  No message shows a key or a
 * trait's value.
 */
#define ERRCODE_FLAGSMITH_UNKNOWN_KEY MAKE_SQLSTATE('F', 'S', '0', '0', '1')
#define ERRCODE_FLAGSMITH_UNKNOWN_FEATURE MAKE_SQLSTATE('F', 'S', '0', '0', '2')
#define ERRCODE_FLAGSMITH_UNKNOWN_SEGMENT MAKE_SQLSTATE('F', 'S', '0', '0', '3')

/* Raises the engine's error; what names the input that is wrong. */
pg_noreturn extern void report_engine_error(const EngineError *error, const char *what);

pg_noreturn extern void report_unknown_key(void);
pg_noreturn extern void report_unknown_feature(Str name);
pg_noreturn extern void report_unknown_segment(Str name);

#endif
