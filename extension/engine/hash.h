/*
 * Where an object falls between 0 and 100: what percentage splits and variants go by.
 */
#ifndef FLAGSMITH_HASH_H
#define FLAGSMITH_HASH_H

#include "str.h"

/*
 * Flagsmith's percentage of a list of object ids: 0 <= result < 100, evenly spread, the
 * same for the same ids in the same order wherever it is computed.
 */
extern double hash_percentage(const Str *ids, int nids);

#endif
