/*
 * The operators of conditions.  They are a table: one row gives an operator's name, how
 * its operand is prepared when an environment is compiled, and how a context value is
 * compared with it.
 */
#ifndef FLAGSMITH_OPERATOR_H
#define FLAGSMITH_OPERATOR_H

#include "regex.h"
#include "semver.h"
#include "strtable.h"
#include "value.h"

/* A condition's value less the suffix ":semver". */
typedef struct VersionOperand
{
	Str text;
	bool valid; /* whether it is a version */
	SemVer version;
} VersionOperand;

/*
 * A condition's value, cast beforehand to each type that a context value may have: which
 * cast counts is known only when the context value is there.
 */
typedef struct CastOperand
{
	bool as_bool;
	bool has_integer; /* else Python's int() raises */
	ContextValue as_integer;
	bool has_number; /* else Python's float() raises */
	double as_number;
	bool has_string; /* else the engine raises when the context value is a string */
	Str as_string;
	VersionOperand *version; /* NULL unless the value ends with ":semver" */
} CastOperand;

typedef struct Operand
{
	bool valid; /* false: Python raises, or answers false, whatever the context value */
	union
	{
		CastOperand *cast; /* comparisons and CONTAINS */
		Str text;          /* NOT_CONTAINS */
		Regex *regex;      /* REGEX */
		StrTable *members; /* IN */
		double percentage; /* PERCENTAGE_SPLIT */
		struct
		{
			double divisor, remainder;
		} modulo;
	};
} Operand;

typedef struct Operator Operator;

struct Operator
{
	Str name;
	/* Prepares the operand from a condition's value (NULL: missing), or NULL where the
	 * operator needs none. */
	void (*prepare)(const JsonValue *value, Operand *operand);
	/* Whether value, which is not null unless takes_null, matches. */
	bool (*matches)(const Operator *self, const Operand *operand,
	                const ContextValue *value, Str segment_key);
	int outcomes;    /* comparisons: the set of orders that match, see operator.c */
	bool takes_null; /* asked for null too; to the others null is never a match */
};

/* Whether it is PERCENTAGE_SPLIT, the one operator that needs no property. */
extern bool operator_is_split(const Operator *operator);

/* Frees what a prepared operand holds beside memory.  operator may be NULL. */
extern void operator_release(const Operator *operator, Operand * operand);

/* The operator of that name, or NULL. */
extern const Operator *operator_find(Str name);

/* The index-th row of the table, or NULL behind the last. */
extern const Operator *operator_at(int index);

#endif
