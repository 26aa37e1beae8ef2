/*
 * Lists by commas, as in host=a,b port=1,2: they are turned together.  One port alone is that
 * of all hosts, and stays.
 */
#include "hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* The value that options give to a keyword; NULL if none. */
static const char *
find(const PQconninfoOption *options, const char *keyword)
{
	for (; options != NULL && options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

static bool
is_list(const char *text)
{
	return text != NULL && strchr(text, ',') != NULL;
}

/* A keyword's value in the connection string, else in the environment; to be freed. */
static char *
read_value(const PQconninfoOption *given, const PQconninfoOption *presets,
           const char *keyword)
{
	const char *value = find(given, keyword);

	if (value == NULL)
		value = find(presets, keyword);
	return value != NULL ? strdup(value) : NULL;
}

void
hosts_read(Hosts *hosts, const char *dsn)
{
	bool is_string = strchr(dsn, '=') != NULL || strstr(dsn, "://") != NULL;
	PQconninfoOption *given = is_string ? PQconninfoParse(dsn, NULL) : NULL;
	PQconninfoOption *presets = PQconndefaults();
	char *target = read_value(given, presets, "target_session_attrs");

	*hosts = (Hosts){
		.host = read_value(given, presets, "host"),
		.hostaddr = read_value(given, presets, "hostaddr"),
		.port = read_value(given, presets, "port"),
	};
	if (!is_list(hosts->host) && !is_list(hosts->hostaddr))
		hosts_free(hosts);
	hosts->must_write = target != NULL && (strcmp(target, "read-write") == 0 ||
	                                       strcmp(target, "primary") == 0);
	free(target);
	PQconninfoFree(given);
	PQconninfoFree(presets);
}

/* Moves the first part of a list to its end, in its place. */
static void
turn(char *list)
{
	char *comma = list != NULL ? strchr(list, ',') : NULL;
	char *first;

	if (comma == NULL)
		return;
	first = strndup(list, comma - list);
	if (first == NULL)
		return;
	memmove(list, comma + 1, strlen(comma + 1) + 1);
	strcat(list, ",");
	strcat(list, first);
	free(first);
}

void
hosts_turn(Hosts *hosts)
{
	turn(hosts->host);
	turn(hosts->hostaddr);
	turn(hosts->port);
}

void
hosts_free(Hosts *hosts)
{
	free(hosts->host);
	free(hosts->hostaddr);
	free(hosts->port);
	*hosts = (Hosts){0};
}
