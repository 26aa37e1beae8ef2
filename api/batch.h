/*
 * Jobs of a lane that travel in one statement.
 */
#ifndef BATCH_H
#define BATCH_H

#include "lane.h"

/*
 * Sends what waits, if there is a connection and enough waits, or it has waited long enough.
 *
 * One statement of many requests costs the database, and a pgbouncer before it, far less than
 * many of one.  So while two are on their way, further requests gather for as long as one usually
 * takes: at rest nothing waits, under load three or so are on their way however many
 * connections there are, and a slow one holds up nothing.  Returns for how many microseconds more to gather;
 * -1 if that will end with a connection that becomes free, or nothing waits.
 */
int64_t batch_dispatch(Lane *lane);

/* Answers the jobs under way whose time is over; their statements go on without them. */
void batch_end_late(Lane *lane, int64_t now);

#endif
