/*
 * The engine's ground: it compiles in the server and, with -DFRONTEND, outside of it.
 *
 * Of PostgreSQL the engine uses only what src/common offers on both sides: palloc,
 * StringInfo, the JSON parser, hash functions.  What the server has beyond that comes in
 * through the hook below.
 */
#ifndef FLAGSMITH_PLATFORM_H
#define FLAGSMITH_PLATFORM_H

#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "../compat.h"

/* Outside of the server palloc has no limit to lift. */
#ifdef FRONTEND
#define repalloc_huge(pointer, size) repalloc(pointer, size)
#endif

/*
 * Called often during long work; the server sets it to a function that does not return
 * when the query is to stop.  NULL outside of the server.  The engine holds nothing at
 * those points but memory of the current context, and regular expressions that
 * environment_release() frees.
 */
extern void (*engine_interrupt_hook)(void);

static inline void
engine_check_interrupts(void)
{
	if (engine_interrupt_hook != NULL)
		engine_interrupt_hook();
}

#endif
