/*
 * Settings.
 *
 * One table has them all: name, default, and what --help says.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

typedef struct Option
{
	const char *name; /* of the flag; the variable is in capitals, with a prefix */
	const char *variable;
	const char *preset;
	int least, most; /* of a number; most 0: it is a text */
	const char *help;
} Option;

enum
{
	LISTEN,
	PORT,
	DATABASE,
	REPLICA,
	READ_CONNECTIONS,
	WRITE_CONNECTIONS,
	BATCH,
	QUEUE,
	TIMEOUT,
	BODY_LIMIT,
	STREAM_SECONDS,
	OPTIONS
};

static const Option options[OPTIONS] = {
	[LISTEN] = {"listen", "FLAGSMITH_LISTEN", "127.0.0.1", 0, 0, "address to listen on"},
	[PORT] = {"port", "FLAGSMITH_PORT", "8000", 0, 65535,
              "port to listen on; 0 takes any, which the log tells"},
	[DATABASE] = {"database", "FLAGSMITH_DATABASE", "", 0, 0,
                  "connection string of PostgreSQL or pgbouncer"},
	[REPLICA] = {"replica", "FLAGSMITH_REPLICA", NULL, 0, 0,
                 "another one that answers GETs (default: the database)"},
	[READ_CONNECTIONS] = {"read-connections", "FLAGSMITH_READ_CONNECTIONS", "2", 1, 100,
                          "connections for GETs"},
	[WRITE_CONNECTIONS] = {"write-connections", "FLAGSMITH_WRITE_CONNECTIONS", "1", 1,
                           100, "connections for POSTs"},
	[BATCH] = {"batch", "FLAGSMITH_BATCH", "64", 1, 1000,
               "requests that may share a statement"},
	[QUEUE] = {"queue", "FLAGSMITH_QUEUE", "10000", 1, 1000000,
               "requests that may wait; more are refused"},
	[TIMEOUT] = {"timeout", "FLAGSMITH_TIMEOUT", "3000", 100, 60000,
                 "milliseconds until a request is given up"},
	[BODY_LIMIT] = {"body-limit", "FLAGSMITH_BODY_LIMIT", "1048576", 1024, 1 << 30,
                    "bytes that a request's body may have"},
	[STREAM_SECONDS] = {"stream-seconds", "FLAGSMITH_STREAM_SECONDS", "60", 0, 86400,
                        "seconds that a stream of events is kept; 0: for ever"},
};

static void
show_help(const char *program)
{
	printf("%s answers the Flagsmith SDK API and OFREP from a PostgreSQL with the "
	       "extension flagsmith.\n\nUsage: %s [--NAME VALUE]...\n\n",
	       program, program);
	for (int i = 0; i < OPTIONS; i++)
		printf("  --%-18s %s\n%22s(%s%s%s)\n", options[i].name, options[i].help, "",
		       options[i].variable, options[i].preset == NULL ? "" : ", default ",
		       options[i].preset == NULL ? "" : options[i].preset);
	printf("\nA flag goes before its environment variable.\n");
}

static int
number(int option, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < options[option].least ||
	    value > options[option].most)
	{
		fprintf(stderr, "--%s takes a number from %d to %d\n", options[option].name,
		        options[option].least, options[option].most);
		exit(2);
	}
	return (int) value;
}

void
settings_read(Settings *settings, int argc, char **argv)
{
	struct option known[OPTIONS + 2];
	const char *values[OPTIONS];
	int chosen;

	for (int i = 0; i < OPTIONS; i++)
	{
		const char *variable = getenv(options[i].variable);

		values[i] = variable != NULL ? variable : options[i].preset;
		known[i] = (struct option){options[i].name, required_argument, NULL, i};
	}
	known[OPTIONS] = (struct option){"help", no_argument, NULL, OPTIONS};
	known[OPTIONS + 1] = (struct option){NULL, 0, NULL, 0};
	while ((chosen = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		if (chosen == OPTIONS)
		{
			show_help(argv[0]);
			exit(0);
		}
		if (chosen == '?')
			exit(2);
		values[chosen] = optarg;
	}
	if (optind < argc)
	{
		fprintf(stderr, "there is no argument \"%s\"; see --help\n", argv[optind]);
		exit(2);
	}
	settings->listen = values[LISTEN];
	settings->port = number(PORT, values[PORT]);
	settings->database = values[DATABASE];
	settings->replica = values[REPLICA];
	settings->read_connections = number(READ_CONNECTIONS, values[READ_CONNECTIONS]);
	settings->write_connections = number(WRITE_CONNECTIONS, values[WRITE_CONNECTIONS]);
	settings->batch = number(BATCH, values[BATCH]);
	settings->queue = number(QUEUE, values[QUEUE]);
	settings->timeout = number(TIMEOUT, values[TIMEOUT]);
	settings->body_limit = number(BODY_LIMIT, values[BODY_LIMIT]);
	settings->stream_seconds = number(STREAM_SECONDS, values[STREAM_SECONDS]);
}
