/*
 * Environment keys: what tells a server-side one.
 */
#ifndef FLAGSMITH_KEY_H
#define FLAGSMITH_KEY_H

#include "str.h"

#define SERVER_KEY_PREFIX "ser."

static inline bool
key_is_server_side(Str key)
{
	Str prefix = STR(SERVER_KEY_PREFIX);

	return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

#endif
