/*
 * Answers: what a feature context comes to, with each of its variants, written once when
 * an environment is compiled, as a JSON object and as the columns of a row.
 */
#ifndef FLAGSMITH_ANSWERS_H
#define FLAGSMITH_ANSWERS_H

#include "engine/evaluation.h"

/* What is kept of a feature state beside what the engine needs. */
typedef struct KeptAttributes
{
	int64 id;
	int64 feature_id;
	bool is_server_key_only;
} KeptAttributes;

/* What the database knows of a feature state beside what the engine needs. */
typedef struct Attributes
{
	KeptAttributes kept;
	int64 feature_segment; /* 0: none */
	bool is_multivariate;
	Str feature_type;    /* JSON text, or "null" */
	Str feature_details; /* further members of the feature, each with a comma before it */
	Str owner; /* further members of the flag after its value, likewise: whose it is */
} Attributes;

/* One outcome. */
typedef struct Answer
{
	Str document;      /* the flag in an identity document */
	uint32 variant_at; /* where in it the variant begins, its last member */
	Datum value;       /* jsonb */
	Datum variant;     /* text; (Datum) 0 if it is null */
	Datum reason;      /* text */
} Answer;

/* All of a feature context, in one piece of memory, but for what it shares with others. */
typedef struct Answers
{
	KeptAttributes attributes;
	Datum feature; /* its name, text */
	Answer outcomes[FLEXIBLE_ARRAY_MEMBER];
} Answers;

/* Texts that many answers have in common; they are to live as long. */
typedef struct SharedTexts
{
	Datum feature; /* its name */
	Datum reason;  /* where no variant is hit */
} SharedTexts;

/* The reason of a result as text, new in the current memory context. */
extern Datum answers_reason(const FlagResult *result);

/*
 * Writes all answers of the feature context of base, of a state with these attributes,
 * into the memory context `target`; the current one is left with scraps.  hide_ids leaves
 * out what hide_sensitive_data does.
 */
extern Answers *answers_make(const FlagResult *base, SharedTexts shared,
                             const Attributes *attributes, bool hide_ids,
                             MemoryContext target);

/* The answers of a result's feature context, which have been made. */
static inline const Answers *
answers_of(const FeatureContext *feature)
{
	return feature->answers;
}

/* The answer of a result. */
static inline const Answer *
answer_of(const FlagResult *result)
{
	const Answers *answers = answers_of(result->feature);

	return &answers->outcomes[result->feature->nvariants == 0 ? 0 : result->variant + 2];
}

#endif
