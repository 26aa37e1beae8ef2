/*
 * The hosts of a connection string, in turns.
 *
 * libpq goes from one host to the next when it is refused, but waits for a silent one (a
 * machine that is gone, a server that is stopped) for as long as it is let.  And it takes a
 * server's word, given as a session begins, for whether it is a standby: pgbouncer repeats
 * what its first session was told, though the standby has been promoted since.  So each
 * attempt that failed is followed by one that begins with the next host, and whether a
 * session can write is asked.
 */
#ifndef HOSTS_H
#define HOSTS_H

#include <stdbool.h>

/* The parts of a connection string that name hosts; NULL: not there. */
typedef struct Hosts
{
	char *host;
	char *hostaddr;
	char *port;
	bool must_write; /* by target_session_attrs, which is not for libpq then */
} Hosts;

/* Reads a connection string and what the environment adds; a single host stays there. */
void hosts_read(Hosts *hosts, const char *dsn);

/* Puts the first host behind the others. */
void hosts_turn(Hosts *hosts);
void hosts_free(Hosts *hosts);

#endif
