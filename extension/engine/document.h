/*
 * Environment documents: the form in which Flagsmith serves an environment to SDKs that
 * evaluate locally, and in which an environment is imported.
 */
#ifndef FLAGSMITH_DOCUMENT_H
#define FLAGSMITH_DOCUMENT_H

#include "json.h"

/*
 * Whether this is an environment document that can be stored and evaluated: all members
 * that are read have their types, rules are rules, and nothing is said twice.  Members
 * that are not known may be anything.  Returns false and fills in *error with the path.
 */
extern bool document_check(const JsonValue *document, EngineError *error);

/* Whether these are shares of variants: a document's multivariate_feature_state_values. */
extern bool document_check_shares(const JsonValue *shares, EngineError *error);

#endif
