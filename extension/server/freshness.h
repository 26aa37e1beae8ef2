/*
 * Whether something that was read from the configuration tables is still what they say.
 *
 * A row trigger on each of these tables registers a relcache message for one relation of
 * the extension's own.  Such messages are transactional: the session that made the change
 * gets it with its next command, all others after the commit, and an abort undoes it.
 * The callback only counts; nothing is freed or read there.
 *
 * A message says that something has changed, not which snapshots see it: a session in
 * REPEATABLE READ, or a long query, goes on with an older one.  So what was read under a
 * snapshot that is not the newest counts for just that snapshot.
 */
#ifndef FLAGSMITH_FRESHNESS_H
#define FLAGSMITH_FRESHNESS_H

#include "datatype/timestamp.h"
#include "utils/snapshot.h"

/* What two snapshots have in common if they see the same transactions. */
typedef struct SnapshotMark
{
	TransactionId xmin, xmax;
	CommandId curcid; /* how far it sees its own transaction */
	uint32 hash;      /* of the transactions in progress */
} SnapshotMark;

typedef struct Freshness
{
	uint64 changes;    /* messages that had come when it was read */
	bool for_snapshot; /* it counts for one snapshot only */
	SnapshotMark mark; /* this one; else, it counts for none that is older */
} Freshness;

/* Registers the callback; once, when the module is loaded. */
extern void freshness_init(void);

/* The most relations that can be watched. */
#define FRESHNESS_MAX_WATCHED 48

/* Says what to watch beside the sentinel: the tables that things are read from. */
extern void freshness_watch(int nrelations, const Oid *relations);

/* Tells all sessions, at the end of the transaction, that configuration has changed. */
extern void freshness_announce(void);

/* How fresh that is which is read from now on with the active snapshot. */
extern Freshness freshness_now(void);

/* How many messages have come so far, of all relations that are watched. */
extern uint64 freshness_changes(void);

/* Takes all messages that have come; returns the mark of the active snapshot. */
extern SnapshotMark freshness_catch_up(void);

/* Whether it still holds, for the snapshot that freshness_catch_up() has marked. */
extern bool freshness_holds(const Freshness *freshness, const SnapshotMark *mark);

/* Whether a moment has come, as the transaction sees time; DT_NOEND never does. */
extern bool freshness_has_come(TimestampTz moment);

#endif
