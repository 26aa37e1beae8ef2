/*
 * What differs between PostgreSQL 15 and 19, bridged in this one file: no other file
 * tests PG_VERSION_NUM.
 *
 * Include it right after postgres.h (or postgres_fe.h), before any other header.
 */
#ifndef FLAGSMITH_COMPAT_H
#define FLAGSMITH_COMPAT_H

/*
 * The module is built with hidden visibility, so that its function names cannot clash
 * with the server's or with another module's.  Before 16 the mark that makes a function
 * visible again was empty.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* Declares a function that SQL calls; before 16 PG_FUNCTION_INFO_V1 leaves it hidden. */
#define SQL_FUNCTION(name)                                                               \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                     \
	PG_FUNCTION_INFO_V1(name)

/* The JSON parser's actions return a result since 16. */
#if PG_VERSION_NUM < 160000
#define JSON_ACTION_RESULT void
#define JSON_ACTION_DONE return
#else
#define JSON_ACTION_RESULT JsonParseErrorType
#define JSON_ACTION_DONE return JSON_SUCCESS
#endif

/* A palloc'd lexer of UTF-8 text, which may decode escapes; one that does is freed so. */
#include "mb/pg_wchar.h"
#if PG_VERSION_NUM < 170000
#define compat_json_lexer(text, len, escapes)                                            \
	makeJsonLexContextCstringLen(unconstify(char *, text), (int) (len), PG_UTF8, escapes)
#define compat_json_lexer_free(lex)                                                      \
	(pfree((lex)->strval->data), pfree((lex)->strval), pfree(lex))
#else
#define compat_json_lexer(text, len, escapes)                                            \
	makeJsonLexContextCstringLen(NULL, text, len, PG_UTF8, escapes)
#define compat_json_lexer_free(lex) freeJsonLexContext(lex)
#endif

/* Stands before a declaration since 18. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* A number that no other session has at the same time; small, from 0 or 1. */
#if PG_VERSION_NUM < 170000
#define compat_backend_slot() MyBackendId
#else
#define compat_backend_slot() MyProcNumber
#endif

/* varlena macros moved out of postgres.h */
#if PG_VERSION_NUM >= 160000 && !defined(FRONTEND)
#include "varatt.h"
#endif

#endif
