/*
 * The module: its magic, and what happens when a backend loads it.
 */
#include "postgres.h"
#include "compat.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "engine/platform.h"

#include "cache.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "flagsmith", .version = FLAGSMITH_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

void
_PG_init(void)
{
	/* what is hashed and compared are UTF-8 bytes and code points; a preloaded module is
	 * in no database yet, and pg_upgrade loads it in template1 */
	if (!IsBinaryUpgrade && OidIsValid(MyDatabaseId) && GetDatabaseEncoding() != PG_UTF8)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		     errmsg("flagsmith needs a database whose encoding is UTF8"),
		     errdetail("The encoding of this database is %s.", GetDatabaseEncodingName()),
		     errhint("Create a database with ENCODING 'UTF8' TEMPLATE template0.")));
	engine_interrupt_hook = check_interrupts;
	cache_init();
}
