/*
 * MD5: the vectors of RFC 1321, and PostgreSQL's own MD5 at every length around the
 * borders of a block.
 */
#include "engine/platform.h"

#include <check.h>

#include "common/md5.h"

#include "engine/md5.h"

#define MAX_LENGTH 200

static void
assert_digest(const uint8 digest[16], const char *expected)
{
	char hex[33];

	for (int i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	ck_assert_str_eq(hex, expected);
}

/* Section A.5 of RFC 1321. */
static const struct
{
	const char *text;
	const char *digest;
} vectors[] = {
	{"", "d41d8cd98f00b204e9800998ecf8427e"},
	{"a", "0cc175b9c0f1b6a831c399e269772661"},
	{"abc", "900150983cd24fb0d6963f7d28e17f72"},
	{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
	{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
	{"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "0",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

START_TEST(test_vector)
{
	uint8 digest[16];

	md5_digest(vectors[_i].text, strlen(vectors[_i].text), digest);
	assert_digest(digest, vectors[_i].digest);
}
END_TEST

START_TEST(test_no_data)
{
	uint8 digest[16];

	md5_digest(NULL, 0, digest);
	assert_digest(digest, vectors[0].digest);
}
END_TEST

/* Returns len bytes of all values, in memory that ends with them; to be freed. */
static uint8 *
make_data(size_t len)
{
	uint8 *data = malloc(len > 0 ? len : 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8) (i * 167 + len);
	return data;
}

static void
digest_by_postgres(const uint8 *data, size_t len, uint8 digest[16])
{
	const char *error = NULL;

	ck_assert_msg(pg_md5_binary(data, len, digest, &error), "%s", error);
}

START_TEST(test_every_length)
{
	for (size_t len = 0; len <= MAX_LENGTH; len++)
	{
		uint8 *data = make_data(len);
		uint8 digest[16], expected[16];

		digest_by_postgres(data, len, expected);
		md5_digest(data, len, digest);
		ck_assert_msg(memcmp(digest, expected, 16) == 0, "%d bytes", (int) len);
		free(data);
	}
}
END_TEST

START_TEST(test_unaligned)
{
	uint8 *data = make_data(MAX_LENGTH);

	for (size_t start = 0; start < 16; start++)
	{
		uint8 digest[16], expected[16];

		digest_by_postgres(data + start, MAX_LENGTH - start, expected);
		md5_digest(data + start, MAX_LENGTH - start, digest);
		ck_assert_mem_eq(digest, expected, 16);
	}
	free(data);
}
END_TEST

/* However the input is cut in three. */
START_TEST(test_pieces)
{
	uint8 *data = make_data(MAX_LENGTH);
	uint8 expected[16];

	md5_digest(data, MAX_LENGTH, expected);
	for (size_t first = 0; first <= MAX_LENGTH; first++)
		for (size_t second = first; second <= MAX_LENGTH; second++)
		{
			uint8 digest[16];
			Md5 md5;

			md5_init(&md5);
			md5_update(&md5, data, first);
			md5_update(&md5, data + first, second - first);
			md5_update(&md5, data + second, MAX_LENGTH - second);
			md5_final(&md5, digest);
			ck_assert_msg(memcmp(digest, expected, 16) == 0, "cut at %d and %d",
			              (int) first, (int) second);
		}
	free(data);
}
END_TEST

/* The length in bits then needs the upper of its two words. */
START_TEST(test_more_than_half_a_gigabyte)
{
	static uint8 zeroes[1 << 20];
	uint8 digest[16];
	Md5 md5;

	md5_init(&md5);
	for (int i = 0; i < 513; i++)
		md5_update(&md5, zeroes, sizeof(zeroes));
	md5_final(&md5, digest);
	assert_digest(digest, "f3a8799d64129a6fd8a5aa56f199ac54");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("md5");
	TCase *tcase = tcase_create("md5");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_vector, 0, lengthof(vectors));
	tcase_add_test(tcase, test_no_data);
	tcase_add_test(tcase, test_every_length);
	tcase_add_test(tcase, test_unaligned);
	tcase_add_test(tcase, test_pieces);
	tcase_add_test(tcase, test_more_than_half_a_gigabyte);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
