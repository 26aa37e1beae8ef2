/*
 * An engine environment that a memory context owns whole: what it holds beside memory is
 * released with the context, after an error too.
 */
#ifndef FLAGSMITH_OWNED_ENVIRONMENT_H
#define FLAGSMITH_OWNED_ENVIRONMENT_H

#include "engine/environment.h"

/* Makes an empty environment in the current memory context, which will release it. */
extern Environment *owned_environment_create(void);

#endif
