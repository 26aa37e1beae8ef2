/*
 * A counted piece of UTF-8 text.  It owns nothing and ends in no NUL: who hands one out
 * says how long its bytes live.
 */
#ifndef FLAGSMITH_STR_H
#define FLAGSMITH_STR_H

#include "platform.h"

typedef struct Str
{
	const char *data;
	uint32 len;
} Str;

/* A Str of a string literal. */
#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})

/* The same as an initializer of a constant. */
#define STR_INIT(literal)                                                                \
	{                                                                                    \
		"" literal, sizeof(literal) - 1                                                  \
	}

static inline Str
str_make(const char *data, size_t len)
{
	return (Str){data, (uint32) len};
}

static inline bool
str_equal(Str a, Str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Orders by code points, which for UTF-8 is the order of the bytes: <0, 0 or >0. */
static inline int
str_compare(Str a, Str b)
{
	uint32 common = Min(a.len, b.len);
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return a.len == b.len ? 0 : (a.len < b.len ? -1 : 1);
}

/* Whether needle occurs in s; the empty text occurs everywhere. */
extern bool str_contains(Str s, Str needle);

/* Copies the bytes, and a NUL behind them, into the current memory context. */
extern Str str_copy(Str s);

/*
 * Replaces each of the texts by such a copy, all in one piece of memory, which takes less
 * than many small ones; where data == NULL it stays.
 */
extern void str_copy_all(Str **texts, int count);

#endif
