/*
 * Finding what is attached.
 */
#include "postgres.h"
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment.h"

/* The table that tells who owns them all, and from whose rows everything begins. */
#define MAIN_TABLE "environments_environment"

static KeptQuery read_attachment = {
	.text = "SELECT schema::text, priority_ties = 'core', attached_at"
			" FROM flagsmith.attachment",
	.read_only = true,
};

static NameData schema;
static Oid namespace = InvalidOid;
static Oid owner = InvalidOid;
static TimestampTz attached_at;
static bool follows_core = true;

/* Whether the installed version of the extension knows attachments at all. */
static bool
has_attachments(void)
{
	Oid extension_schema = get_namespace_oid("flagsmith", true);

	return OidIsValid(extension_schema) &&
	       OidIsValid(get_relname_relid("attachment", extension_schema));
}

static bool
read_row(void)
{
	bool exists;

	SPI_connect();
	query_run(&read_attachment, NULL, NULL);
	exists = SPI_processed == 1;
	if (exists)
	{
		namestrcpy(&schema, query_text(1, CurrentMemoryContext).data);
		follows_core = DatumGetBool(query_value(2));
		attached_at = DatumGetTimestampTz(query_value(3));
	}
	SPI_finish();
	return exists;
}

static Oid
get_owner(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	result = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return result;
}

Oid
attachment_find(void)
{
	Oid relation = InvalidOid;

	if (!has_attachments() || !read_row())
		return InvalidOid;
	namespace = get_namespace_oid(NameStr(schema), true);
	if (OidIsValid(namespace))
		relation = get_relname_relid(MAIN_TABLE, namespace);
	if (!OidIsValid(relation))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
		                errmsg("the attached table %s does not exist",
		                       quote_qualified_identifier(NameStr(schema), MAIN_TABLE)),
		                errhint("flagsmith.detach() ends the attachment.")));
	owner = get_owner(relation);
	return namespace;
}

Oid
attachment_namespace(void)
{
	return namespace;
}

const char *
attachment_schema(void)
{
	return NameStr(schema);
}

TimestampTz
attachment_time(void)
{
	return attached_at;
}

bool
attachment_follows_core(void)
{
	return follows_core;
}

/* What an error says that comes of the attached tables. */
static void
add_context(void *argument)
{
	int code = geterrcode();

	errcontext("Flagsmith's tables in schema \"%s\"", NameStr(schema));
	if (code == ERRCODE_UNDEFINED_TABLE || code == ERRCODE_UNDEFINED_COLUMN ||
	    code == ERRCODE_UNDEFINED_FUNCTION || code == ERRCODE_DATATYPE_MISMATCH)
		errhint("SELECT * FROM flagsmith.attach_status() tells what is missing.");
}

void
attachment_query(KeptQuery *query, Datum *parameters, const char *nulls)
{
	ErrorContextCallback callback = {error_context_stack, add_context, NULL};
	Oid user;
	int security_context;

	GetUserIdAndSecContext(&user, &security_context);
	error_context_stack = &callback;
	/* after an error, the end of the (sub)transaction resets both */
	SetUserIdAndSecContext(owner, security_context | SECURITY_LOCAL_USERID_CHANGE);
	query_run_in(query, NameStr(schema), parameters, nulls);
	SetUserIdAndSecContext(user, security_context);
	error_context_stack = callback.previous;
}
