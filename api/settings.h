/*
 * Settings of an API instance: command line, then environment variables, then defaults.
 */
#ifndef FLAGSMITH_API_SETTINGS_H
#define FLAGSMITH_API_SETTINGS_H

typedef struct Settings
{
	const char *listen;    /* address */
	int port;              /* 0: any that is free */
	const char *database;  /* where POSTs go, and GETs unless replica is set */
	const char *replica;   /* where GETs go; NULL: as database */
	int read_connections;  /* to the database or the replica, for GETs */
	int write_connections; /* to the database, for POSTs */
	int batch;             /* requests that may share a statement */
	int queue;             /* requests that may wait for a connection */
	int timeout;           /* milliseconds until a request is given up */
	int body_limit;        /* bytes */
	int stream_seconds;    /* how long a stream of events is kept; 0: for ever */
} Settings;

/* Reads the settings; ends the program after --help, --version or a bad setting. */
extern void settings_read(Settings *settings, int argc, char **argv);

#endif
