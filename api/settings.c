/*
 * One table of settings: the flags, the environment, --help and the checks follow from it.
 */
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "FLAGSMITH_"
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

Settings settings;

typedef struct Setting
{
	const char *name;
	const char **text; /* either of the two */
	int *number;
	const char *preset; /* NULL: none */
	int lowest, highest;
	const char *help;
} Setting;

static const Setting table[] = {
	{"listen", &settings.listen, NULL, "127.0.0.1", 0, 0,
     "address to listen on, or unix:PATH; several by commas"},
	{"port", NULL, &settings.port, "8000", 0, 65535,
     "port to listen on; 0 takes any, which the log tells"},
	{"database", &settings.database, NULL, "", 0, 0,
     "connection string or URI of the primary, best through pgbouncer; what it leaves\n"
     "out is taken from PGHOST, PGDATABASE, PGUSER, PGPASSWORD and so on"},
	{"replica", &settings.replica, NULL, NULL, 0, 0,
     "the same of what answers GETs: a replica, or another pool (default: the database)"},
	{"read-connections", NULL, &settings.read_connections, "2", 1, 64,
     "connections for GETs"},
	{"write-connections", NULL, &settings.write_connections, "2", 1, 64,
     "connections for POSTs"},
	{"batch", NULL, &settings.batch, "64", 1, 256, "requests that may share a statement"},
	{"queue", NULL, &settings.queue, "1024", 1, 1000000,
     "requests that may wait, for reads and for writes; more are refused with 503"},
	{"timeout", NULL, &settings.timeout, "3000", 100, 60000,
     "milliseconds until a request that the database has not answered fails"},
	{"prepare", NULL, &settings.prepare, "0", 0, 1,
     "1: prepared statements, for direct connections or pgbouncer 1.21 and later"},
	{"client-limit", NULL, &settings.client_limit, "16384", 1, 1000000,
     "connections of clients; more are refused with 503"},
	{"header-limit", NULL, &settings.header_limit, "65536", 1024, 1 << 20,
     "bytes that a request's target and headers may have"},
	{"body-limit", NULL, &settings.body_limit, "1048576", 1024, 64 << 20,
     "bytes that a request's body may have"},
	{"keep-alive", NULL, &settings.keep_alive, "75", 1, 86400,
     "seconds after which an idle connection is closed"},
	{"gzip-level", NULL, &settings.gzip_level, "1", 0, 9,
     "how hard answers from 1000 bytes on are compressed, if the client asks; 0: never"},
	{"stream-seconds", NULL, &settings.stream_seconds, "60", 0, 86400,
     "seconds that a stream of events is kept; 0: for ever"},
	{"analytics-seconds", NULL, &settings.analytics_seconds, "5", 0, 3600,
     "seconds for which counts are gathered; 0: each POST of evaluations is passed on, and\n"
     "uses of the API are not counted"},
	{"log-file", &settings.log_file, NULL, NULL, 0, 0,
     "where to log, opened anew on SIGHUP (default: the standard error)"},
};

static void
variable_name(const Setting *setting, char *name, size_t size)
{
	snprintf(name, size, PREFIX "%s", setting->name);
	for (char *c = name + strlen(PREFIX); *c != '\0'; c++)
		*c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c;
}

static void
print_help(void)
{
	printf(
		"flagsmith-api answers Flagsmith's SDK API and OFREP from a PostgreSQL with the\n"
		"flagsmith extension.\n\nUsage: flagsmith-api [--SETTING VALUE]...\n\n"
		"Each setting is a flag or an environment variable; the flag wins.\n");
	for (size_t i = 0; i < LENGTH(table); i++)
	{
		char name[64];

		variable_name(&table[i], name, sizeof(name));
		printf("\n  --%s, %s\n      ", table[i].name, name);
		for (const char *c = table[i].help; *c != '\0'; c++)
			fputs(*c == '\n' ? "\n      " : (char[]){*c, '\0'}, stdout);
		if (table[i].number != NULL)
			printf(" (%d to %d)", table[i].lowest, table[i].highest);
		if (table[i].preset != NULL && table[i].preset[0] != '\0')
			printf(" (default: %s)", table[i].preset);
		putchar('\n');
	}
	printf("\n  --help, --version\n\n"
	       "SIGTERM, SIGINT: accept nothing more, finish what was accepted, end.\n"
	       "SIGHUP: open the log file and the connections to the database anew.\n");
}

static void
set(const Setting *setting, const char *value, const char *source)
{
	char *end;
	long number;

	if (setting->text != NULL)
	{
		*setting->text = value;
		return;
	}
	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < setting->lowest ||
	    number > setting->highest)
	{
		fprintf(stderr, "flagsmith-api: %s must be a whole number from %d to %d\n",
		        source, setting->lowest, setting->highest);
		exit(2);
	}
	*setting->number = number;
}

static void
read_environment(void)
{
	for (size_t i = 0; i < LENGTH(table); i++)
	{
		char name[64];
		const char *value;

		variable_name(&table[i], name, sizeof(name));
		value = getenv(name);
		if (table[i].preset != NULL)
			set(&table[i], table[i].preset, name);
		if (value != NULL && value[0] != '\0')
			set(&table[i], value, name);
	}
}

void
settings_read(int argc, char **argv)
{
	enum
	{
		HELP = LENGTH(table),
		VERSION,
		COUNT
	};
	struct option options[COUNT + 1] = {0};
	int option;

	for (size_t i = 0; i < LENGTH(table); i++)
		options[i] = (struct option){table[i].name, required_argument, NULL, i + 1};
	options[HELP] = (struct option){"help", no_argument, NULL, HELP + 1};
	options[VERSION] = (struct option){"version", no_argument, NULL, VERSION + 1};

	read_environment();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		if (option == HELP + 1)
			print_help();
		else if (option == VERSION + 1)
			puts("flagsmith-api " FLAGSMITH_VERSION);
		else if (option >= 1 && option <= (int) LENGTH(table))
		{
			set(&table[option - 1], optarg, table[option - 1].name);
			continue;
		}
		exit(option == '?' ? 2 : 0);
	}
	if (optind < argc)
	{
		fprintf(stderr, "flagsmith-api: \"%s\" is no setting; see --help\n",
		        argv[optind]);
		exit(2);
	}
}
