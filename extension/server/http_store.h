/*
 * Storing traits for a request.
 */
#ifndef FLAGSMITH_HTTP_STORE_H
#define FLAGSMITH_HTTP_STORE_H

#include "http.h"

/* What fits into an index beside an environment's id. */
#define IDENTIFIER_MAX_BYTES 2600

/*
 * Reads the identity, stores the traits (null removes) if that changes anything, and reads
 * it again if it did.  Creates it if need be.  Returns false where that cannot be: the
 * response says why.
 */
extern bool http_store_traits(HttpRequest *request, HttpResponse *response,
                              Str identifier, const JsonValue *traits,
                              SourceIdentity *stored);

#endif
