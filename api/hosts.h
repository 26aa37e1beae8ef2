/*
 * The hosts of a connection string, in turns.
 *
 * libpq goes from one host to the next when it is refused, but waits for a silent one (a
 * machine that is gone, a server that is stopped) for as long as it is let.  So each attempt
 * that got no answer is followed by one that begins with the next host.
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
} Hosts;

/* Reads a connection string and what the environment adds; keeps nothing of a single host. */
void hosts_read(Hosts *hosts, const char *dsn);

/* Puts the first host behind the others. */
void hosts_turn(Hosts *hosts);
void hosts_free(Hosts *hosts);

#endif
