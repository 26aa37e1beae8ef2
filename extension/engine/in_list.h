/*
 * The members of an IN condition: a JSON array, a string that holds one, or a string of
 * members between commas.
 */
#ifndef FLAGSMITH_IN_LIST_H
#define FLAGSMITH_IN_LIST_H

#include "json.h"
#include "strtable.h"

/*
 * The members that value, a JSON_ARRAY or JSON_STRING, stands for, each as Python's str()
 * writes it; new in the current memory context.
 */
extern StrTable *in_list_members(const JsonValue *value);

#endif
