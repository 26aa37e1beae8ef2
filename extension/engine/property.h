/*
 * A condition's property: where in the evaluation context its value is found.
 *
 * Nearly all properties are a trait's name or one of a few paths, which are recognized
 * when the environment is compiled and cost no path walk; the rest are JSONPath queries
 * over the whole context.
 */
#ifndef FLAGSMITH_PROPERTY_H
#define FLAGSMITH_PROPERTY_H

#include "jsonpath.h"
#include "strtable.h"
#include "value.h"

typedef enum PropertyKind
{
	PROPERTY_TRAIT,        /* a trait's name */
	PROPERTY_HASH_KEY,     /* none given: the identity's key, as it is */
	PROPERTY_REFUSED,      /* the engine raises: the condition is false */
	PROPERTY_TRAIT_PATH,   /* $.identity.traits.<name> */
	PROPERTY_IDENTIFIER,   /* $.identity.identifier */
	PROPERTY_IDENTITY_KEY, /* $.identity.key */
	PROPERTY_FLAG,         /* $.flags.<name>.<member> */
	PROPERTY_CONSTANT,     /* a place that depends on no identity: $.environment.name */
	PROPERTY_PATH          /* any other query */
} PropertyKind;

/* What a condition can read of a flag without walking a path. */
typedef enum FlagMember
{
	FLAG_ENABLED,
	FLAG_VALUE,
	FLAG_VARIANT,
	FLAG_REASON,
	FLAG_NAME
} FlagMember;

typedef struct Property
{
	PropertyKind kind;
	bool reads_flags; /* or may do so */
	uint32 trait;     /* the trait named like the property itself: it comes first */
	union
	{
		uint32 path_trait; /* PROPERTY_TRAIT_PATH */
		struct
		{
			uint32 flag;
			FlagMember member;
		};                     /* PROPERTY_FLAG */
		ContextValue constant; /* PROPERTY_CONSTANT, coerced */
		JsonPath *path;        /* PROPERTY_PATH */
	};
} Property;

/*
 * Compiles a property.  Names of traits and flags get their numbers from the two tables;
 * root is the evaluation context, of which constants are read.  What is kept is new in
 * the current memory context.
 */
extern Property property_compile(Str text, const JsonValue *root, StrTable *traits,
                                 StrTable *flags);

#endif
