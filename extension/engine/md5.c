/*
 * MD5 after RFC 1321, section 3.
 *
 * The 64 steps depend on each other, so a block takes as long as its longest chain of
 * operations, whatever else the processor could do meanwhile.  A step's addend is ready
 * early; what matters is how much waits for the newest word, which is always b.
 */
#include "platform.h"

#include "port/pg_bitutils.h"

#include "md5.h"

#define BLOCK_SIZE 64
#define LENGTH_SIZE 8

static void compress(uint32 state[4], const uint8 *block);

void
md5_init(Md5 *md5)
{
	md5->state[0] = 0x67452301;
	md5->state[1] = 0xefcdab89;
	md5->state[2] = 0x98badcfe;
	md5->state[3] = 0x10325476;
	md5->length = 0;
}

void
md5_update(Md5 *md5, const void *data, size_t len)
{
	const uint8 *next = data;
	size_t used = md5->length % BLOCK_SIZE;

	md5->length += len;
	if (used > 0 && len >= BLOCK_SIZE - used)
	{
		memcpy(md5->block + used, next, BLOCK_SIZE - used);
		compress(md5->state, md5->block);
		next += BLOCK_SIZE - used;
		len -= BLOCK_SIZE - used;
		used = 0;
	}
	for (; len >= BLOCK_SIZE; next += BLOCK_SIZE, len -= BLOCK_SIZE)
		compress(md5->state, next);
	if (len > 0)
		memcpy(md5->block + used, next, len);
}

/* Writes a word in little-endian order; compilers make one store of it, but of no loop. */
static inline void
store(uint8 *bytes, uint32 word)
{
	bytes[0] = (uint8) word;
	bytes[1] = (uint8) (word >> 8);
	bytes[2] = (uint8) (word >> 16);
	bytes[3] = (uint8) (word >> 24);
}

/* Pads by a 1 bit, zeroes, and the length in bits, up to the end of a block. */
void
md5_final(Md5 *md5, uint8 digest[16])
{
	uint8 *length = md5->block + BLOCK_SIZE - LENGTH_SIZE;
	size_t used = md5->length % BLOCK_SIZE;

	md5->block[used++] = 0x80;
	if (used > BLOCK_SIZE - LENGTH_SIZE)
	{
		memset(md5->block + used, 0, BLOCK_SIZE - used);
		compress(md5->state, md5->block);
		used = 0;
	}
	memset(md5->block + used, 0, BLOCK_SIZE - LENGTH_SIZE - used);
	store(length, (uint32) (md5->length << 3));
	store(length + 4, (uint32) (md5->length >> 29));
	compress(md5->state, md5->block);
	for (int i = 0; i < 4; i++)
		store(digest + 4 * i, md5->state[i]);
}

void
md5_digest(const void *data, size_t len, uint8 digest[16])
{
	Md5 md5;

	md5_init(&md5);
	md5_update(&md5, data, len);
	md5_final(&md5, digest);
}

/* Reads a word in little-endian order; compilers make one load of it. */
static inline uint32
load(const uint8 *bytes)
{
	return (uint32) bytes[0] | (uint32) bytes[1] << 8 | (uint32) bytes[2] << 16 |
	       (uint32) bytes[3] << 24;
}

static inline uint32
step_f(uint32 a, uint32 b, uint32 c, uint32 d, uint32 addend, int shift)
{
	return b + pg_rotate_left32(a + addend + (d ^ (b & (c ^ d))), shift);
}

/* The halves of G have no bit in common: a sum joins them, the half with b coming last. */
static inline uint32
step_g(uint32 a, uint32 b, uint32 c, uint32 d, uint32 addend, int shift)
{
	return b + pg_rotate_left32(a + addend + (c & ~d) + (b & d), shift);
}

static inline uint32
step_h(uint32 a, uint32 b, uint32 c, uint32 d, uint32 addend, int shift)
{
	return b + pg_rotate_left32(a + addend + (b ^ (c ^ d)), shift);
}

static inline uint32
step_i(uint32 a, uint32 b, uint32 c, uint32 d, uint32 addend, int shift)
{
	return b + pg_rotate_left32(a + addend + (c ^ (b | ~d)), shift);
}

/*
 * Section 3.4: works one block into state, in four rounds of sixteen steps.  The constant
 * of step n, counted from 1, is the integer part of 4294967296 * abs(sin(n)).
 */
static void
compress(uint32 state[4], const uint8 *block)
{
	uint32 a = state[0], b = state[1], c = state[2], d = state[3];
	uint32 x[16];

	for (int n = 0; n < 16; n++)
		x[n] = load(block + 4 * n);

	a = step_f(a, b, c, d, x[0] + 0xd76aa478, 7);
	d = step_f(d, a, b, c, x[1] + 0xe8c7b756, 12);
	c = step_f(c, d, a, b, x[2] + 0x242070db, 17);
	b = step_f(b, c, d, a, x[3] + 0xc1bdceee, 22);
	a = step_f(a, b, c, d, x[4] + 0xf57c0faf, 7);
	d = step_f(d, a, b, c, x[5] + 0x4787c62a, 12);
	c = step_f(c, d, a, b, x[6] + 0xa8304613, 17);
	b = step_f(b, c, d, a, x[7] + 0xfd469501, 22);
	a = step_f(a, b, c, d, x[8] + 0x698098d8, 7);
	d = step_f(d, a, b, c, x[9] + 0x8b44f7af, 12);
	c = step_f(c, d, a, b, x[10] + 0xffff5bb1, 17);
	b = step_f(b, c, d, a, x[11] + 0x895cd7be, 22);
	a = step_f(a, b, c, d, x[12] + 0x6b901122, 7);
	d = step_f(d, a, b, c, x[13] + 0xfd987193, 12);
	c = step_f(c, d, a, b, x[14] + 0xa679438e, 17);
	b = step_f(b, c, d, a, x[15] + 0x49b40821, 22);

	a = step_g(a, b, c, d, x[1] + 0xf61e2562, 5);
	d = step_g(d, a, b, c, x[6] + 0xc040b340, 9);
	c = step_g(c, d, a, b, x[11] + 0x265e5a51, 14);
	b = step_g(b, c, d, a, x[0] + 0xe9b6c7aa, 20);
	a = step_g(a, b, c, d, x[5] + 0xd62f105d, 5);
	d = step_g(d, a, b, c, x[10] + 0x02441453, 9);
	c = step_g(c, d, a, b, x[15] + 0xd8a1e681, 14);
	b = step_g(b, c, d, a, x[4] + 0xe7d3fbc8, 20);
	a = step_g(a, b, c, d, x[9] + 0x21e1cde6, 5);
	d = step_g(d, a, b, c, x[14] + 0xc33707d6, 9);
	c = step_g(c, d, a, b, x[3] + 0xf4d50d87, 14);
	b = step_g(b, c, d, a, x[8] + 0x455a14ed, 20);
	a = step_g(a, b, c, d, x[13] + 0xa9e3e905, 5);
	d = step_g(d, a, b, c, x[2] + 0xfcefa3f8, 9);
	c = step_g(c, d, a, b, x[7] + 0x676f02d9, 14);
	b = step_g(b, c, d, a, x[12] + 0x8d2a4c8a, 20);

	a = step_h(a, b, c, d, x[5] + 0xfffa3942, 4);
	d = step_h(d, a, b, c, x[8] + 0x8771f681, 11);
	c = step_h(c, d, a, b, x[11] + 0x6d9d6122, 16);
	b = step_h(b, c, d, a, x[14] + 0xfde5380c, 23);
	a = step_h(a, b, c, d, x[1] + 0xa4beea44, 4);
	d = step_h(d, a, b, c, x[4] + 0x4bdecfa9, 11);
	c = step_h(c, d, a, b, x[7] + 0xf6bb4b60, 16);
	b = step_h(b, c, d, a, x[10] + 0xbebfbc70, 23);
	a = step_h(a, b, c, d, x[13] + 0x289b7ec6, 4);
	d = step_h(d, a, b, c, x[0] + 0xeaa127fa, 11);
	c = step_h(c, d, a, b, x[3] + 0xd4ef3085, 16);
	b = step_h(b, c, d, a, x[6] + 0x04881d05, 23);
	a = step_h(a, b, c, d, x[9] + 0xd9d4d039, 4);
	d = step_h(d, a, b, c, x[12] + 0xe6db99e5, 11);
	c = step_h(c, d, a, b, x[15] + 0x1fa27cf8, 16);
	b = step_h(b, c, d, a, x[2] + 0xc4ac5665, 23);

	a = step_i(a, b, c, d, x[0] + 0xf4292244, 6);
	d = step_i(d, a, b, c, x[7] + 0x432aff97, 10);
	c = step_i(c, d, a, b, x[14] + 0xab9423a7, 15);
	b = step_i(b, c, d, a, x[5] + 0xfc93a039, 21);
	a = step_i(a, b, c, d, x[12] + 0x655b59c3, 6);
	d = step_i(d, a, b, c, x[3] + 0x8f0ccc92, 10);
	c = step_i(c, d, a, b, x[10] + 0xffeff47d, 15);
	b = step_i(b, c, d, a, x[1] + 0x85845dd1, 21);
	a = step_i(a, b, c, d, x[8] + 0x6fa87e4f, 6);
	d = step_i(d, a, b, c, x[15] + 0xfe2ce6e0, 10);
	c = step_i(c, d, a, b, x[6] + 0xa3014314, 15);
	b = step_i(b, c, d, a, x[13] + 0x4e0811a1, 21);
	a = step_i(a, b, c, d, x[4] + 0xf7537e82, 6);
	d = step_i(d, a, b, c, x[11] + 0xbd3af235, 10);
	c = step_i(c, d, a, b, x[2] + 0x2ad7d2bb, 15);
	b = step_i(b, c, d, a, x[9] + 0xeb86d391, 21);

	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}
