/*
 * Settings: of the command line, else of the environment, else built in.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

typedef struct Settings
{
	const char *listen;
	const char *database;
	const char *replica;
	const char *log_file;
	int port;
	int read_connections;
	int write_connections;
	int batch;
	int queue;
	int timeout;
	int prepare;
	int client_limit;
	int header_limit;
	int body_limit;
	int keep_alive;
	int gzip_level;
	int stream_seconds;
	int analytics_seconds;
} Settings;

extern Settings settings;

/* Reads them; ends the program for --help, --version and whatever is wrong. */
void settings_read(int argc, char **argv);

#endif
