/*
 * JSON as a tree: immutable, its members in the order of the text, every value with the
 * very text that it was written as.
 *
 * The parser is PostgreSQL's own (src/common/jsonapi.c); this module puts a limit on the
 * nesting, builds the tree, and knows the path at which something is wrong.  As in
 * Python, of members with one name the last value counts, at the place of the first.
 */
#ifndef FLAGSMITH_JSON_H
#define FLAGSMITH_JSON_H

#include "error.h"

/* Far above what any real document has, far below what would fill the stack. */
#define JSON_MAX_DEPTH 2000

typedef enum JsonType
{
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_FLAGS /* the `flags` object of a running evaluation: its members come to be when
				* they are first read (jsonpath.h) */
} JsonType;

typedef struct JsonValue JsonValue;
typedef struct JsonMember JsonMember;

struct JsonValue
{
	JsonType type;
	uint32 count; /* of elements or members */
	Str raw;      /* as written: a piece of the parsed text */
	union
	{
		bool boolean;
		Str string;              /* decoded: a piece of the text, or new */
		JsonValue *elements;     /* count of them */
		JsonMember *members;     /* count of them */
		struct JsonFlags *flags; /* opaque here */
	};
};

struct JsonMember
{
	Str name;
	JsonValue value;
};

/*
 * Parses text into a tree in the current memory context; text must live as long as the
 * tree.  Returns false and fills in *error when text is no JSON, is nested deeper than
 * JSON_MAX_DEPTH, or holds an escape that is no character (\u0000, a lone surrogate).
 */
extern bool json_parse(Str text, JsonValue *value, EngineError *error);

/* The member of that name, or NULL if there is none or object is no JSON_OBJECT. */
extern const JsonValue *json_get(const JsonValue *object, Str name);

/* Sets a member of an object: at its place if it has one, else at the end, where its array
 * has to have room. */
extern void json_set(JsonValue *object, Str name, JsonValue value);

/*
 * Merges members of one name: the first stays, with the last one's value.  Returns how many
 * members are left.
 */
extern uint32 json_merge_members(JsonMember *members, uint32 count);

/* A copy of the whole tree, texts included, in the current memory context. */
extern JsonValue json_copy(const JsonValue *value);

/* What messages call a type: "an object", "a string", ... */
extern const char *json_type_name(JsonType type);

#endif
