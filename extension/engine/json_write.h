/*
 * Writing JSON.
 */
#ifndef FLAGSMITH_JSON_WRITE_H
#define FLAGSMITH_JSON_WRITE_H

#include "platform.h"

#include "lib/stringinfo.h"

#include "str.h"

/* Appends text as a JSON string, quotes included. */
extern void json_write_string(StringInfo buffer, Str text);

#endif
