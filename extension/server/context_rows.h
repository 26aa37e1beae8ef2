/*
 * Evaluation contexts, written from rows.
 *
 * A source gives the rows, in the order in which they are needed, and the text is put
 * together here: building it with SQL's JSON functions took three times as long.
 */
#ifndef FLAGSMITH_CONTEXT_ROWS_H
#define FLAGSMITH_CONTEXT_ROWS_H

#include "lib/stringinfo.h"

#include "answers.h"
#include "query.h"

/*
 * Feature states: ordered by the segment, the defaults (0) first.  What they are ordered by
 * comes before all texts, where sorting finds it without walking through these.
 */
enum
{
	STATE_ID = 1,          /* bigint */
	STATE_SEGMENT,         /* bigint; 0: none */
	STATE_POSITION,        /* integer: their order within it */
	STATE_NAME,            /* the feature's */
	STATE_KEY,             /* which splits are hashed with */
	STATE_ENABLED,         /* boolean */
	STATE_VALUE,           /* JSON */
	STATE_PRIORITY,        /* a number or NULL */
	STATE_SHOWN_FEATURE,   /* bigint: ids as answers give them */
	STATE_SHOWN_ID,        /* bigint */
	STATE_SHOWN_SEGMENT,   /* bigint */
	STATE_FEATURE_TYPE,    /* text or NULL */
	STATE_SERVER_ONLY,     /* boolean */
	STATE_FEATURE_DETAILS, /* text: Attributes.feature_details */
	STATE_OWNER            /* text: Attributes.owner */
};

/* Shares of variants: ordered by the state, then as they are to be bucketed. */
enum
{
	SHARE_STATE = 1, /* bigint */
	SHARE_KEY,       /* text or NULL */
	SHARE_VALUE,     /* JSON */
	SHARE_WEIGHT     /* a number */
};

enum
{
	SEGMENT_ID = 1,
	SEGMENT_SHOWN_ID, /* bigint */
	SEGMENT_NAME,
	SEGMENT_RULES /* JSON */
};

typedef struct ContextRows
{
	QueryRows states;
	QueryRows shares;
	QueryRows segments;
	const Str *rules; /* of the segments; NULL: these rows have them */
} ContextRows;

/*
 * Appends the context, without an identity, as JSON, and returns the attributes of its
 * feature contexts, by the numbers that it gives them.  All is in the current memory
 * context.
 */
extern Attributes *context_rows_write(StringInfo buffer, const ContextRows *rows,
                                      Str api_key, Str name);

/* Appends the states as a JSON array of feature contexts, and returns their attributes,
 * likewise. */
extern Attributes *context_rows_write_states(StringInfo buffer, const ContextRows *rows);

#endif
