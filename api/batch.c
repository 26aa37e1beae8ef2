/*
 * A batch becomes arrays, and the rows of its result become answers.  If the statement goes
 * wrong, each of its jobs is tried again, alone, where that is safe.
 */
#include "batch.h"

#include "array.h"
#include "clock.h"
#include "log.h"
#include "settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 256

/* More than this is not put into one statement with others. */
#define BATCH_BYTES ((size_t) 1 << 20)

/* How often a job is tried: with others, alone, and once more after a deadlock. */
#define TRIES 3

/* Requests gather while so many statements are on their way, which keep database and instance
 * busy at the same time, and no longer than this. */
#define GATHER_FROM 2
#define GATHER_US 5000

/* How long a statement may go on after its jobs have been answered as late. */
#define AFTER_MS 500

typedef struct Batch
{
	TAILQ_ENTRY(Batch) link;
	Statement statement;
	Lane *lane;
	int64_t start;
	int count;
	Job *jobs[BATCH_MAX]; /* NULL: has its answer */
} Batch;

static const char *const read_sql =
	"SELECT r.n, a.status, a.headers, a.body"
	" FROM unnest($1, $2) WITH ORDINALITY AS r (target, headers, n),"
	" LATERAL flagsmith.http_get(r.target, r.headers) a";
static const char *const write_sql =
	"SELECT r.n, a.status, a.headers, a.body"
	" FROM unnest($1, $2, $3) WITH ORDINALITY AS r (target, headers, body, n),"
	" LATERAL flagsmith.http_post(r.target, r.headers, r.body) a";

static void on_done(Statement *statement, StatementOutcome outcome,
                    const PGresult *result);

/* ---- from the queue into a statement ---- */

static size_t
job_size(const Job *job)
{
	return job->target.length + job->headers.length + job->body.length;
}

/* Batches lock the identities that they change in the same order. */
static int
compare_bodies(const void *left, const void *right)
{
	Piece a = (*(Job *const *) left)->body, b = (*(Job *const *) right)->body;
	size_t length = a.length < b.length ? a.length : b.length;
	int order = length > 0 ? memcmp(a.data, b.data, length) : 0;

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* Takes jobs of one kind from the queue, up to so many. */
static void
collect(Lane *lane, Batch *batch, int most)
{
	size_t size = 0;
	Job *job;

	while (batch->count < most && (job = STAILQ_FIRST(&lane->queue)) != NULL)
	{
		if (batch->count > 0 && (job->is_alone || batch->jobs[0]->is_alone ||
		                         job->is_post != batch->jobs[0]->is_post ||
		                         size + job_size(job) > BATCH_BYTES))
			break;
		size += job_size(job);
		batch->jobs[batch->count++] = lane_take(lane);
	}
	if (batch->jobs[0]->is_post)
		qsort(batch->jobs, batch->count, sizeof(Job *), compare_bodies);
}

/* Writes the arrays; false if there is no memory. */
static bool
write_parameters(Batch *batch, Buffer arrays[3])
{
	bool is_post = batch->jobs[0]->is_post, is_written = true;

	for (int i = 0; i < 3; i++)
		arrays[i].length = 0;
	is_written = array_begin(&arrays[0], TEXT_TYPE, batch->count) &&
	             array_begin(&arrays[1], JSONB_TYPE, batch->count) &&
	             array_begin(&arrays[2], TEXT_TYPE, batch->count);
	for (int i = 0; i < batch->count && is_written; i++)
	{
		Job *job = batch->jobs[i];

		is_written =
			array_add_text(&arrays[0], job->target.data, job->target.length) &&
			array_add_jsonb(&arrays[1], job->headers.data, job->headers.length) &&
			(!is_post || array_add_text(&arrays[2], job->body.data, job->body.length));
	}
	return is_written;
}

static void
send_batch(Lane *lane, Batch *batch)
{
	static Buffer arrays[3];
	static const Oid types[3] = {TEXT_ARRAY_TYPE, JSONB_ARRAY_TYPE, TEXT_ARRAY_TYPE};
	bool is_post = batch->jobs[0]->is_post;
	Statement *statement = &batch->statement;

	TAILQ_INSERT_TAIL(&lane->travelling, batch, link);
	lane->ntravelling++;
	if (!write_parameters(batch, arrays))
	{
		on_done(statement, STATEMENT_UNSENT, NULL);
		return;
	}
	statement->name = is_post ? "flagsmith_post" : "flagsmith_get";
	statement->sql = is_post ? write_sql : read_sql;
	statement->count = is_post ? 3 : 2;
	statement->deadline = clock_ms() + settings.timeout + AFTER_MS;
	statement->done = on_done;
	for (int i = 0; i < statement->count; i++)
	{
		statement->types[i] = types[i];
		statement->values[i] = arrays[i].data;
		statement->lengths[i] = arrays[i].length;
	}
	lane->counts->requests += batch->count;
	batch->start = lane->waiting_since = clock_us();
	pool_send(lane->pool, statement);
	for (int i = 0; i < 3; i++)
		if (arrays[i].capacity > BATCH_BYTES)
			buffer_free(&arrays[i]);
}

/* For how long the jobs that wait should still gather; nothing waits if none is to. */
static int64_t
time_to_gather(const Lane *lane)
{
	int64_t usual = lane->usual_time < GATHER_US ? lane->usual_time : GATHER_US;
	int64_t left = lane->waiting_since + usual - clock_us();

	if (lane->ntravelling < GATHER_FROM || lane->waiting >= settings.batch || left < 0)
		return 0;
	return left;
}

/* How many of the jobs that wait the next statement takes: they share the statements that
 * need not be waited for. */
static int
share(const Lane *lane)
{
	int nfree = pool_free_connections(lane->pool), n = GATHER_FROM - lane->ntravelling;

	n = n < 1 ? 1 : n < nfree ? n : nfree;
	n = (lane->waiting + n - 1) / n;
	return n < settings.batch ? n : settings.batch;
}

int64_t
batch_dispatch(Lane *lane)
{
	while (lane->waiting > 0 && pool_free_connections(lane->pool) > 0)
	{
		int64_t left = time_to_gather(lane);
		Batch *batch;

		if (left > 0)
			return left;
		batch = calloc(1, sizeof(Batch));
		if (batch == NULL)
			break;
		batch->lane = lane;
		collect(lane, batch, share(lane));
		send_batch(lane, batch);
	}
	return -1;
}

/* ---- answers ---- */

static uint32_t
read_int32(const char *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return ntohl(value);
}

/* Answers a job with a row; a jsonb begins with the version of its format. */
static void
answer(Job *job, const PGresult *result, int row)
{
	Answer answer = {.outcome = JOB_ANSWERED};

	if (PQgetisnull(result, row, 1) || PQgetisnull(result, row, 2))
	{
		job_end(job, JOB_FAILED);
		return;
	}
	answer.status = read_int32(PQgetvalue(result, row, 1));
	answer.headers = PQgetvalue(result, row, 2) + 1;
	answer.headers_length = PQgetlength(result, row, 2) - 1;
	answer.body = PQgetvalue(result, row, 3);
	answer.body_length = PQgetlength(result, row, 3);
	job->done(job, &answer);
}

/* Hands out the rows; a job that has none of its own is not left without an answer. */
static void
hand_out(Batch *batch, const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
	{
		uint32_t n = read_int32(PQgetvalue(result, row, 0) + 4);
		Job *job = n >= 1 && n <= (uint32_t) batch->count ? batch->jobs[n - 1] : NULL;

		if (job == NULL)
			continue;
		batch->jobs[n - 1] = NULL;
		answer(job, result, row);
	}
	for (int i = 0; i < batch->count; i++)
		if (batch->jobs[i] != NULL)
			job_end(batch->jobs[i], JOB_FAILED);
}

/* Whether a job of a statement that went wrong is worth another try, for itself. */
static bool
try_again(Lane *lane, Job *job, StatementOutcome outcome, bool is_conflict)
{
	bool is_alone = job->is_alone && job->failures > 0;

	job->failures++;
	if (lane->is_closing || job->failures >= TRIES || pool_is_away(lane->pool) ||
	    (outcome == STATEMENT_LOST && !job->is_repeatable) ||
	    (outcome == STATEMENT_LOST && job->failures > 1) ||
	    (outcome == STATEMENT_FAILED && is_alone && !is_conflict))
		return false;
	job->is_alone = true;
	lane->counts->retries++;
	lane_return(lane, job);
	return true;
}

/* At most one line a second. */
static void
log_failure(const char *state, int count)
{
	static int64_t last;
	static int since_then;
	char text[16], others[16];

	since_then++;
	if (clock_ms() - last < 1000)
		return;
	snprintf(text, sizeof(text), "%d", count);
	snprintf(others, sizeof(others), "%d", since_then - 1);
	log_event("error", "statement_failed", "sqlstate", state, "requests", text,
	          "failures_not_told", others, NULL);
	last = clock_ms();
	since_then = 0;
}

static void
give_up(Batch *batch, StatementOutcome outcome, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool is_conflict =
		state != NULL && (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0);

	if (outcome != STATEMENT_UNSENT)
		log_failure(state != NULL ? state : "", batch->count);
	for (int i = batch->count - 1; i >= 0; i--)
	{
		Job *job = batch->jobs[i];

		if (job == NULL || try_again(batch->lane, job, outcome, is_conflict))
			continue;
		job_end(job, outcome == STATEMENT_LOST     ? JOB_LOST
		             : outcome == STATEMENT_UNSENT ? JOB_AWAY
		                                           : JOB_FAILED);
	}
}

/* Follows what statements take, slowly. */
static void
note_time(Lane *lane, int64_t time)
{
	lane->usual_time += (time - lane->usual_time) / 8;
}

static void
on_done(Statement *statement, StatementOutcome outcome, const PGresult *result)
{
	Batch *batch = (Batch *) ((char *) statement - offsetof(Batch, statement));

	TAILQ_REMOVE(&batch->lane->travelling, batch, link);
	batch->lane->ntravelling--;
	note_time(batch->lane, clock_us() - batch->start);
	if (outcome == STATEMENT_DONE)
		hand_out(batch, result);
	else
		give_up(batch, outcome, result);
	free(batch);
}

void
batch_end_late(Lane *lane, int64_t now)
{
	Batch *batch;

	TAILQ_FOREACH(batch, &lane->travelling, link)
	{
		for (int i = 0; i < batch->count; i++)
		{
			Job *job = batch->jobs[i];

			if (job == NULL || job->deadline > now)
				continue;
			batch->jobs[i] = NULL;
			job_end(job, JOB_LATE);
		}
	}
}
