/*
 * The percentage is the MD5 of the ids, joined by commas, as a big-endian number, modulo
 * 9999, scaled by 9998.  One remainder in 9999 would give 100, which no split could
 * contain: then the list is hashed twice over, three times over, until it gives less.
 *
 * The ids go into the hash one by one, so that no length of input needs memory.
 */
#include "platform.h"

#include "hash.h"
#include "md5.h"

#define MODULUS 9999

static uint32 remainder_of(const uint8 digest[16]);

/* Hashes the list as if it were written times times in a row. */
static void
digest_ids(const Str *ids, int nids, uint32 times, uint8 digest[16])
{
	Md5 md5;

	md5_init(&md5);
	for (uint32 time = 0; time < times; time++)
		for (int i = 0; i < nids; i++)
		{
			if (time > 0 || i > 0)
				md5_update(&md5, ",", 1);
			md5_update(&md5, ids[i].data, ids[i].len);
		}
	md5_final(&md5, digest);
}

double
hash_percentage(const Str *ids, int nids)
{
	double percentage = 100;

	for (uint32 times = 1; percentage == 100; times++)
	{
		uint8 digest[16];

		digest_ids(ids, nids, times, digest);
		/* In this order: any other rounds differently. */
		percentage = (double) remainder_of(digest) / (MODULUS - 1) * 100;
	}
	return percentage;
}

/* Takes 32 bits at a time, as long division does. */
static uint32
remainder_of(const uint8 digest[16])
{
	uint64 rest = 0;

	for (int i = 0; i < 16; i += 4)
	{
		uint32 word = (uint32) digest[i] << 24 | (uint32) digest[i + 1] << 16 |
		              (uint32) digest[i + 2] << 8 | (uint32) digest[i + 3];

		rest = (rest << 32 | word) % MODULUS;
	}
	return (uint32) rest;
}
