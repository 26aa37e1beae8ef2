/*
 * Changes of attached configuration: the trigger on Flagsmith's tables.
 *
 * Flagsmith's updates write all columns, changed or not, and mostly none that counts: so
 * the old row and the new one are compared.  Whose the change is, is found by the row
 * itself or over its parents.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "arguments.h"
#include "freshness.h"
#include "query.h"

SQL_FUNCTION(flagsmith_note_attached_change);

/* Arguments of the trigger: the owner's kind, the column of its id, columns that count. */
enum
{
	ARGUMENT_KIND,
	ARGUMENT_ID,
	ARGUMENT_COLUMNS
};

/* clang-format off */

/* A kind of owner, and the environments that one has. */
typedef struct Kind
{
	const char *name;
	KeptQuery environments;
} Kind;

#define ENVIRONMENTS(condition)                                                          \
	{                                                                                    \
		.text = "SELECT array_agg(e.id::bigint)"                                         \
				" FROM @.environments_environment e WHERE " condition,                   \
		.nparameters = 1, .parameter_types = {                                           \
			INT8OID                                                                      \
		}                                                                                \
	}

static Kind kinds[] = {
	{"project", ENVIRONMENTS("e.project_id = $1")},
	{"organisation", ENVIRONMENTS("e.project_id IN (SELECT p.id FROM @.projects_project p"
                                  " WHERE p.organisation_id = $1)")},
	{"feature",
     ENVIRONMENTS(
		 "e.project_id = (SELECT f.project_id FROM @.features_feature f WHERE f.id = $1)")},
	{"state",
     ENVIRONMENTS(
		 "e.id = (SELECT s.environment_id FROM @.features_featurestate s WHERE s.id = $1)")},
	{"rule",
     ENVIRONMENTS(
		 "e.project_id IN (WITH RECURSIVE rule AS ("
		 "SELECT segment_id, rule_id, 1 AS depth FROM @.segments_segmentrule WHERE id = $1"
		 " UNION ALL SELECT o.segment_id, o.rule_id, r.depth + 1"
		 " FROM @.segments_segmentrule o JOIN rule r ON o.id = r.rule_id"
		 " WHERE r.depth < 500)"
		 " SELECT g.project_id FROM rule JOIN @.segments_segment g ON g.id = rule.segment_id)")},
};

/* If the parents are gone, it may be any. */
static KeptQuery all_environments = ENVIRONMENTS("$1 IS NOT NULL");

static KeptQuery note_changes = {
	.text = "SELECT flagsmith.note_attached_changes($1, $2)",
	.nparameters = 2,
	.parameter_types = {INT8ARRAYOID, BOOLOID},
};

/* clang-format on */

/* Whether a column of the two rows differs, or there is none any more. */
static bool
differs(HeapTuple old, HeapTuple new, TupleDesc description, const char *column)
{
	int number = SPI_fnumber(description, column);
	Form_pg_attribute attribute;
	Datum a, b;
	bool a_null, b_null;

	if (number <= 0)
		return true;
	attribute = TupleDescAttr(description, number - 1);
	a = SPI_getbinval(old, description, number, &a_null);
	b = SPI_getbinval(new, description, number, &b_null);
	if (a_null || b_null)
		return a_null != b_null;
	return !datum_image_eq(a, b, attribute->attbyval, attribute->attlen);
}

/* Whether an update changes anything that counts. */
static bool
is_change(const TriggerData *data)
{
	Trigger *trigger = data->tg_trigger;
	TupleDesc description = RelationGetDescr(data->tg_relation);

	if (!TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		return true;
	if (trigger->tgnargs == ARGUMENT_COLUMNS)
	{
		for (int i = 0; i < description->natts; i++)
			if (!TupleDescAttr(description, i)->attisdropped &&
			    differs(data->tg_trigtuple, data->tg_newtuple, description,
			            NameStr(TupleDescAttr(description, i)->attname)))
				return true;
		return false;
	}
	for (int i = ARGUMENT_ID; i < trigger->tgnargs; i++)
		if (differs(data->tg_trigtuple, data->tg_newtuple, description,
		            trigger->tgargs[i]))
			return true;
	return false;
}

/* The id in the column, an integer of any size; false if there is none. */
static bool
get_id(HeapTuple row, TupleDesc description, const char *column, int64 *id)
{
	char *text = SPI_getvalue(row, description, SPI_fnumber(description, column));

	if (text == NULL)
		return false;
	*id = pg_strtoint64(text);
	return true;
}

/* The environments of the owner with that id, as bigint[]; (Datum) 0 if there are none. */
static Datum
find_environments(const TriggerData *data, const char *kind, int64 id)
{
	char *schema = get_namespace_name(RelationGetNamespace(data->tg_relation));
	Datum parameters[] = {Int64GetDatum(id)};

	if (strcmp(kind, "environment") == 0)
		return argument_make_array(parameters, NULL, 1, INT8OID);
	for (size_t i = 0; i < lengthof(kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			query_run_in(&kinds[i].environments, schema, parameters, NULL);
	if (query_is_null(1))
		query_run_in(&all_environments, schema, parameters, NULL);
	return query_is_null(1) ? (Datum) 0 : query_value(1);
}

/* The same for a row of the trigger's, with the rights of the table's owner. */
static Datum
find_environments_of(const TriggerData *data, HeapTuple row)
{
	Trigger *trigger = data->tg_trigger;
	Oid user;
	int security_context;
	int64 id;
	Datum environments;

	if (!get_id(row, RelationGetDescr(data->tg_relation), trigger->tgargs[ARGUMENT_ID],
	            &id))
		return (Datum) 0;
	GetUserIdAndSecContext(&user, &security_context);
	SetUserIdAndSecContext(data->tg_relation->rd_rel->relowner,
	                       security_context | SECURITY_LOCAL_USERID_CHANGE);
	environments = find_environments(data, trigger->tgargs[ARGUMENT_KIND], id);
	SetUserIdAndSecContext(user, security_context);
	return environments;
}

/* Notes the change for the environments that a row belongs to. */
static void
note_row(const TriggerData *data, HeapTuple row, bool sets_updated_at)
{
	Datum parameters[2];

	SPI_connect();
	parameters[0] = find_environments_of(data, row);
	parameters[1] = BoolGetDatum(sets_updated_at);
	if (parameters[0] != (Datum) 0)
		query_run(&note_changes, parameters, NULL);
	SPI_finish();
}

/* Whether this is Flagsmith's word that the environment has changed. */
static bool
sets_updated_at(const TriggerData *data)
{
	return TRIGGER_FIRED_BY_UPDATE(data->tg_event) &&
	       SPI_fnumber(RelationGetDescr(data->tg_relation), "updated_at") > 0 &&
	       strcmp(RelationGetRelationName(data->tg_relation),
	              "environments_environment") == 0 &&
	       differs(data->tg_trigtuple, data->tg_newtuple,
	               RelationGetDescr(data->tg_relation), "updated_at");
}

/* Notes whose change it is; a row that goes from one owner to another is of both. */
static void
note(const TriggerData *data)
{
	Trigger *trigger = data->tg_trigger;
	bool is_update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);

	if (strcmp(trigger->tgargs[ARGUMENT_KIND], "nothing") == 0)
		return;
	note_row(data, data->tg_trigtuple, sets_updated_at(data));
	if (is_update &&
	    differs(data->tg_trigtuple, data->tg_newtuple,
	            RelationGetDescr(data->tg_relation), trigger->tgargs[ARGUMENT_ID]))
		note_row(data, data->tg_newtuple, false);
}

/* note_attached_change() RETURNS trigger */
Datum
flagsmith_note_attached_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
	    !TRIGGER_FIRED_AFTER(data->tg_event) ||
	    data->tg_trigger->tgnargs < ARGUMENT_COLUMNS)
		ereport(ERROR,
		        (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
		         errmsg("flagsmith.note_attached_change() can only be called as the "
		                "trigger that flagsmith.attach() makes")));
	if (is_change(data))
	{
		freshness_announce();
		note(data);
	}
	PG_RETURN_POINTER(NULL);
}
