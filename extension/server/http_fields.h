/*
 * Fields of a request's body, checked as Flagsmith's API does, with its words.
 */
#ifndef FLAGSMITH_HTTP_FIELDS_H
#define FLAGSMITH_HTTP_FIELDS_H

#include "http.h"

/* Limits of Flagsmith's, in characters. */
#define IDENTIFIER_MAX_LENGTH 2000
#define TRAIT_KEY_MAX_LENGTH 200
#define TRAIT_VALUE_MAX_LENGTH 2000

/* So many traits a request: far more than an identity has. */
#define REQUEST_MAX_TRAITS 5000

/* What is wrong with an object: a JSON object of field names and messages. */
typedef struct FieldErrors
{
	StringInfoData json; /* not closed yet */
	bool any;
} FieldErrors;

/* A trait that a client sends. */
typedef struct HttpTrait
{
	Str key;
	JsonValue value; /* a scalar; null removes */
	bool transient;
} HttpTrait;

extern void fields_begin(FieldErrors *errors);

/* Adds a message about a field. */
extern void fields_add(FieldErrors *errors, const char *name, const char *message);

/* If there are errors, answers them with a 400 and returns true. */
extern bool fields_refuse(FieldErrors *errors, HttpResponse *response);

/* Answers that the body is no object. */
extern void fields_refuse_body(HttpResponse *response, const JsonValue *body);

/*
 * A member as text: trimmed, a number as it is written.  Where it may be missing, null and
 * blank are the same, and *text has no data then.
 */
extern void fields_text(FieldErrors *errors, const JsonValue *object, const char *name,
                        bool may_be_missing, uint32 max_length, Str *text);

/* A boolean member, which may be missing: then it is false. */
extern void fields_boolean(FieldErrors *errors, const JsonValue *object, const char *name,
                           bool *value);

/* The trait_key, trait_value and transient of an object.  A missing value is a null, as
 * some SDKs send it. */
extern void fields_trait(FieldErrors *errors, const JsonValue *object, HttpTrait *trait);

/* How many characters a text has. */
extern uint32 fields_length(Str text);

#endif
