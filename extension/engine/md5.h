/*
 * MD5 (RFC 1321), as Flagsmith buckets identities by it.
 *
 * PostgreSQL has an MD5 of its own, but on most builds that is OpenSSL's: looking the
 * algorithm up and allocating its context costs several times what hashing the few dozen
 * bytes of a bucket does, and where FIPS mode forbids MD5 it fails.  Nothing here is
 * allocated, and nothing fails.  It is no protection against anyone: only a spread.
 */
#ifndef FLAGSMITH_MD5_H
#define FLAGSMITH_MD5_H

#include "platform.h"

/* A hash under way, for input that comes in pieces; it needs no release. */
typedef struct Md5
{
	uint32 state[4];
	uint64 length;   /* bytes added so far */
	uint8 block[64]; /* the last length % 64 of them */
} Md5;

extern void md5_init(Md5 *md5);
extern void md5_update(Md5 *md5, const void *data, size_t len);
/* Leaves md5 spent: md5_init() before the next use. */
extern void md5_final(Md5 *md5, uint8 digest[16]);

/* The hash of input that lies in one piece. */
extern void md5_digest(const void *data, size_t len, uint8 digest[16]);

#endif
