/*
 * Environments owned by memory contexts.
 */
#include "postgres.h"
#include "compat.h"

#include "owned_environment.h"

static void
release_environment(void *argument)
{
	environment_release(argument);
}

Environment *
owned_environment_create(void)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	Environment *environment = environment_create();

	callback->func = release_environment;
	callback->arg = environment;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return environment;
}
