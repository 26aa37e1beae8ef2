/*
 * Lists by commas, as in host=a,b port=1,2: they are turned together.  One port alone is that
 * of all hosts, and stays.
 */
#include "hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the values of a list of options; those that are there already win. */
static void
keep(Hosts *hosts, const PQconninfoOption *options)
{
	for (; options != NULL && options->keyword != NULL; options++)
	{
		char **place = strcmp(options->keyword, "host") == 0       ? &hosts->host
		               : strcmp(options->keyword, "hostaddr") == 0 ? &hosts->hostaddr
		               : strcmp(options->keyword, "port") == 0     ? &hosts->port
		                                                           : NULL;

		if (place != NULL && *place == NULL && options->val != NULL)
			*place = strdup(options->val);
	}
}

static bool
is_list(const char *text)
{
	return text != NULL && strchr(text, ',') != NULL;
}

void
hosts_read(Hosts *hosts, const char *dsn)
{
	bool is_string = strchr(dsn, '=') != NULL || strstr(dsn, "://") != NULL;
	PQconninfoOption *given = is_string ? PQconninfoParse(dsn, NULL) : NULL;
	PQconninfoOption *presets = PQconndefaults();

	*hosts = (Hosts){0};
	keep(hosts, given);
	keep(hosts, presets);
	PQconninfoFree(given);
	PQconninfoFree(presets);
	if (!is_list(hosts->host) && !is_list(hosts->hostaddr))
		hosts_free(hosts); /* the connection string says it all */
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
