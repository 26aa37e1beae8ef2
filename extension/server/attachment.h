/*
 * The attachment: in which schema the tables of a Flagsmith are that evaluation reads.
 *
 * Queries on them run with the rights of the tables' owner.  So nobody has to be granted
 * anything there, and whatever that owner has put on the tables (triggers, policies,
 * expressions of indexes) runs with no more rights than he has anyway.
 */
#ifndef FLAGSMITH_ATTACHMENT_H
#define FLAGSMITH_ATTACHMENT_H

#include "utils/timestamp.h"

#include "query.h"

/*
 * Finds out what is attached now; returns the schema, or InvalidOid if there is none.
 * Raises an error if what is attached has gone.
 */
extern Oid attachment_find(void);

/* What was found last: the schema and its name, since when, and how answers break ties of priority. */
extern Oid attachment_namespace(void);
extern const char *attachment_schema(void);
extern TimestampTz attachment_time(void);
extern bool attachment_follows_core(void);

/* Runs a query on the attached tables, with the rights of their owner, between
 * SPI_connect() and SPI_finish(); "@." is their schema. */
extern void attachment_query(KeptQuery *query, Datum *parameters, const char *nulls);

#endif
