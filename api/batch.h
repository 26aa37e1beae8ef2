/*
 * Jobs of a lane that travel in one statement.
 */
#ifndef BATCH_H
#define BATCH_H

#include "lane.h"

/* Shares what waits among the connections that are free. */
void batch_dispatch(Lane *lane);

/* Answers the jobs under way whose time is over; their statements go on without them. */
void batch_end_late(Lane *lane, int64_t now);

#endif
