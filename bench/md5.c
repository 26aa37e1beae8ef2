/*
 * What one MD5 of a bucket's text costs: the engine's own against PostgreSQL's and,
 * where they are installed, nettle's and libmd's.  40 bytes are one block of MD5, 80 are
 * two.  Prints nanoseconds per hash, the best of several runs.
 *
 * From the top of the tree (leave out -lnettle or -lmd where it is not installed):
 *
 * cc -O2 -DFRONTEND -D_GNU_SOURCE -I$(pg_config --includedir-server) -Iextension bench/md5.c extension/engine/md5.c -L$(pg_config --pkglibdir) -L$(pg_config --libdir) -lpgcommon -lpgport -lcrypto -lnettle -lmd -o /tmp/md5 && /tmp/md5
 */
#include "engine/platform.h"

#include <stdio.h>
#include <time.h>

#include "common/cryptohash.h"

#include "engine/md5.h"

#if __has_include(<nettle/md5.h>)
#define HAVE_NETTLE
#include <nettle/md5.h>
#undef md5_init
#undef md5_update
#undef md5_digest
#endif

#if __has_include(<md5.h>)
#define HAVE_LIBMD
#include <md5.h>
#endif

#define HASHES 1000000
#define RUNS 7

typedef void (*HashFunction)(const uint8 *data, size_t len, uint8 digest[16]);

static void
hash_own(const uint8 *data, size_t len, uint8 digest[16])
{
	md5_digest(data, len, digest);
}

/* As PostgreSQL hashes one text: a context made and freed for it. */
static void
hash_postgres(const uint8 *data, size_t len, uint8 digest[16])
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_MD5);

	if (pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, data, len) < 0 ||
	    pg_cryptohash_final(context, digest, 16) < 0)
		abort();
	pg_cryptohash_free(context);
}

/* The most that could be had of it: one context for all texts. */
static void
hash_postgres_kept(const uint8 *data, size_t len, uint8 digest[16])
{
	static pg_cryptohash_ctx *context = NULL;

	if (context == NULL)
		context = pg_cryptohash_create(PG_MD5);
	if (pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, data, len) < 0 ||
	    pg_cryptohash_final(context, digest, 16) < 0)
		abort();
}

#ifdef HAVE_NETTLE
static void
hash_nettle(const uint8 *data, size_t len, uint8 digest[16])
{
	struct md5_ctx context;

	nettle_md5_init(&context);
	nettle_md5_update(&context, len, data);
	nettle_md5_digest(&context, 16, digest);
}
#endif

#ifdef HAVE_LIBMD
static void
hash_libmd(const uint8 *data, size_t len, uint8 digest[16])
{
	MD5_CTX context;

	MD5Init(&context);
	MD5Update(&context, data, len);
	MD5Final(digest, &context);
}
#endif

static const struct
{
	const char *name;
	HashFunction hash;
} contestants[] = {
	{"own", hash_own},
	{"pg_cryptohash", hash_postgres},
	{"pg_cryptohash, context kept", hash_postgres_kept},
#ifdef HAVE_NETTLE
	{"nettle", hash_nettle},
#endif
#ifdef HAVE_LIBMD
	{"libmd", hash_libmd},
#endif
};

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* Returns the nanoseconds per hash of one run; each text holds the digest before it, so
 * that no two hashes overlap and the compiler can leave out none. */
static double
run(HashFunction hash, size_t len, uint8 digest[16])
{
	uint8 text[80];
	double start = now();

	memset(text, 'x', sizeof(text));
	memset(digest, 0, 16);
	for (int i = 0; i < HASHES; i++)
	{
		memcpy(text, digest, 16);
		hash(text, len, digest);
	}
	return (now() - start) / HASHES;
}

/* Returns the best run, having checked that the hash is the same as own. */
static double
measure(HashFunction hash, size_t len)
{
	uint8 expected[16], digest[16];
	double best = run(hash, len, digest);

	run(hash_own, len, expected);
	if (memcmp(digest, expected, 16) != 0)
		abort();
	for (int i = 1; i < RUNS; i++)
	{
		double time = run(hash, len, digest);

		best = Min(best, time);
	}
	return best;
}

int
main(void)
{
	printf("%-28s %9s %9s\n", "ns per hash of", "40 bytes", "80 bytes");
	for (size_t i = 0; i < lengthof(contestants); i++)
		printf("%-28s %9.1f %9.1f\n", contestants[i].name,
		       measure(contestants[i].hash, 40), measure(contestants[i].hash, 80));
	return 0;
}
