/*
 * The database is asked only if it has not answered anything within the last second, and
 * once for all who want to know.
 */
#include "health.h"

#include "clock.h"
#include "connection.h"
#include "database.h"
#include "pool.h"
#include "reply.h"

#include <stdio.h>

#define FRESH_MS 1000
#define PROBE_MS 2000

static void on_probe(Statement *statement, StatementOutcome outcome,
                     const PGresult *result);

static Statement probe = {
	.name = "flagsmith_health", .sql = "SELECT 1", .done = on_probe};
static bool is_asking;
static STAILQ_HEAD(, Job) waiting = STAILQ_HEAD_INITIALIZER(waiting);

static void
answer(Request *request, bool is_well)
{
	int64_t age = clock_ms() - pool_last_answer(database_read_pool());
	time_t then = time(NULL) - age / 1000;
	char moment[40] = "null", json[160];
	struct tm tm;

	gmtime_r(&then, &tm);
	if (pool_last_answer(database_read_pool()) != 0)
		strftime(moment, sizeof(moment), "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
	snprintf(json, sizeof(json),
	         "{\"status\":\"%s\",\"reason\":%s,\"last_successful_update\":%s}",
	         is_well ? "ok" : "error", is_well ? "null" : "\"The database is away.\"",
	         moment);
	reply_json(request, is_well ? 200 : 503, json);
}

static void
on_probe(Statement *statement, StatementOutcome outcome, const PGresult *result)
{
	Job *job;

	(void) statement;
	(void) result;
	is_asking = false;
	while ((job = STAILQ_FIRST(&waiting)) != NULL)
	{
		STAILQ_REMOVE_HEAD(&waiting, link);
		answer((Request *) ((char *) job - offsetof(Request, job)),
		       outcome == STATEMENT_DONE);
	}
}

void
health_answer(Request *request)
{
	Pool *pool = database_read_pool();

	if (connection_is_draining(request->connection) || pool_is_away(pool))
		answer(request, false);
	else if (clock_ms() - pool_last_answer(pool) < FRESH_MS)
		answer(request, true);
	else
	{
		STAILQ_INSERT_TAIL(&waiting, &request->job, link);
		if (is_asking)
			return;
		is_asking = true;
		probe.deadline = clock_ms() + PROBE_MS;
		pool_queue(pool, &probe);
	}
}

void
health_answer_liveness(Request *request)
{
	reply_json(request, 200, "{\"status\":\"ok\"}");
}
