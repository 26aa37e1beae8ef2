/*
 * Between Datums and the engine's texts.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "arguments.h"
#include "report.h"

Str
argument_text(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

	return str_make(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

JsonValue
argument_jsonb(Datum datum, const char *what)
{
	Jsonb *jsonb = DatumGetJsonbP(datum);
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	JsonValue value;
	EngineError error;

	if (!json_parse(str_make(text, strlen(text)), &value, &error))
		report_engine_error(&error, what);
	return value;
}

Str
argument_optional_text(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? (Str){NULL, 0} : argument_text(PG_GETARG_DATUM(number));
}

Str
argument_identifier(FunctionCallInfo fcinfo, int number)
{
	Str identifier = argument_optional_text(fcinfo, number);

	if (identifier.data == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
		     errmsg("the identifier must not be null"),
		     errhint("flagsmith.get_environment_flags() answers without an identity.")));
	if (identifier.len == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		                errmsg("the identifier must not be empty")));
	return identifier;
}

/* What messages call a jsonb that is no object. */
static const char *
type_name(Jsonb *jsonb)
{
	JsonbValue scalar;

	if (JB_ROOT_IS_SCALAR(jsonb) && JsonbExtractScalar(&jsonb->root, &scalar))
		switch (scalar.type)
		{
			case jbvNull:
				return json_type_name(JSON_NULL);
			case jbvBool:
				return json_type_name(JSON_BOOL);
			case jbvNumeric:
				return json_type_name(JSON_NUMBER);
			default:
				return json_type_name(JSON_STRING);
		}
	return json_type_name(JSON_ARRAY);
}

Jsonb *
argument_traits(FunctionCallInfo fcinfo, int number)
{
	Jsonb *traits;

	if (PG_ARGISNULL(number))
		return NULL;
	traits = PG_GETARG_JSONB_P(number);
	if (!JB_ROOT_IS_OBJECT(traits))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		                errmsg("invalid traits: expected an object, found %s",
		                       type_name(traits)),
		                errdetail("At $."),
		                errhint("Traits are an object of names and values: "
		                        "'{\"plan\": \"pro\", \"age\": 42}'.")));
	return traits;
}

Datum
argument_make_jsonb(Str text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(str_copy(text).data));
}

Datum
argument_make_text(Str text)
{
	return PointerGetDatum(cstring_to_text_with_len(text.data, text.len));
}

Datum
argument_make_array(Datum *elements, bool *nulls, int count, Oid type)
{
	int lower = 1;
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &count, &lower, type,
	                                          length, by_value, alignment));
}

void
argument_begin_text(StringInfo buffer, Size room)
{
	buffer->maxlen = (int) Min(VARHDRSZ + room + 1, MaxAllocSize);
	buffer->data = palloc(buffer->maxlen);
	resetStringInfo(buffer);
	buffer->len = VARHDRSZ;
}

Datum
argument_end_text(StringInfo buffer)
{
	SET_VARSIZE(buffer->data, buffer->len);
	return PointerGetDatum(buffer->data);
}
