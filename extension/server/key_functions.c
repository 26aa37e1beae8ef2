/*
 * Server-side keys.
 */
#include "postgres.h"
#include "compat.h"

#include "fmgr.h"

#include "engine/key.h"

#include "arguments.h"

SQL_FUNCTION(flagsmith_random_server_key);

/* So many letters of this alphabet hold 128 bits; it has none that look alike. */
#define KEY_LETTERS 22
static const char alphabet[] =
	"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* A letter of the alphabet, each as likely as any other. */
static char
random_letter(void)
{
	const int size = sizeof(alphabet) - 1;
	uint8 byte;

	do
	{
		if (!pg_strong_random(&byte, 1))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
			                errmsg("could not generate a random key")));
	} while (byte >= 256 / size * size);
	return alphabet[byte % size];
}

/* random_server_key() RETURNS text */
Datum
flagsmith_random_server_key(PG_FUNCTION_ARGS)
{
	char key[sizeof(SERVER_KEY_PREFIX) + KEY_LETTERS] = SERVER_KEY_PREFIX;
	int length = strlen(key);

	for (int i = 0; i < KEY_LETTERS; i++)
		key[length++] = random_letter();
	PG_RETURN_DATUM(argument_make_text(str_make(key, length)));
}
