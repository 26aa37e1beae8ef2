/*
 * Fields of a request's body.
 */
#include "postgres.h"
#include "compat.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "engine/json_write.h"
#include "engine/pynumber.h"
#include "engine/pystr.h"

#include "http_fields.h"
#include "http_message.h"

void
fields_begin(FieldErrors *errors)
{
	initStringInfo(&errors->json);
	appendStringInfoChar(&errors->json, '{');
	errors->any = false;
}

void
fields_add(FieldErrors *errors, const char *name, const char *message)
{
	appendStringInfo(&errors->json, "%s\"%s\":[", errors->any ? "," : "", name);
	json_write_string(&errors->json, str_make(message, strlen(message)));
	appendStringInfoChar(&errors->json, ']');
	errors->any = true;
}

bool
fields_refuse(FieldErrors *errors, HttpResponse *response)
{
	if (!errors->any)
		return false;
	appendStringInfoChar(&errors->json, '}');
	http_answer(response, 400, errors->json.data);
	return true;
}

/* What Python calls a type. */
static const char *
python_type(const JsonValue *value)
{
	switch (value->type)
	{
		case JSON_BOOL:
			return "bool";
		case JSON_STRING:
			return "str";
		case JSON_ARRAY:
			return "list";
		case JSON_OBJECT:
			return "dict";
		default:
			return value_from_json(value).type == VALUE_INT ? "int" : "float";
	}
}

void
fields_refuse_body(HttpResponse *response, const JsonValue *body)
{
	FieldErrors errors;

	fields_begin(&errors);
	fields_add(&errors, "non_field_errors",
	           body->type == JSON_NULL
	               ? "No data provided"
	               : psprintf("Invalid data. Expected a dictionary, but got %s.",
	                          python_type(body)));
	fields_refuse(&errors, response);
}

uint32
fields_length(Str text)
{
	return pg_mbstrlen_with_len(text.data, text.len);
}

static const JsonValue *
find_member(const JsonValue *object, const char *name)
{
	return json_get(object, str_make(name, strlen(name)));
}

static Str
trim(Str text)
{
	while (text.len > 0 && strchr(" \t\r\n\f\v", text.data[0]) != NULL)
	{
		text.data++;
		text.len--;
	}
	while (text.len > 0 && strchr(" \t\r\n\f\v", text.data[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/* The fault of a text field, or NULL. */
static const char *
text_fault(const JsonValue *value, bool may_be_missing, uint32 max_length, Str *text)
{
	*text = (Str){NULL, 0};
	if (value == NULL)
		return may_be_missing ? NULL : "This field is required.";
	if (value->type == JSON_NULL)
		return may_be_missing ? NULL : "This field may not be null.";
	if (value->type != JSON_STRING && value->type != JSON_NUMBER)
		return "Not a valid string.";
	*text = value->type == JSON_NUMBER ? value->raw : trim(value->string);
	if (text->len == 0)
	{
		*text = (Str){NULL, 0};
		return may_be_missing ? NULL : "This field may not be blank.";
	}
	if (fields_length(*text) > max_length)
		return psprintf("Ensure this field has no more than %u characters.", max_length);
	return NULL;
}

void
fields_text(FieldErrors *errors, const JsonValue *object, const char *name,
            bool may_be_missing, uint32 max_length, Str *text)
{
	const char *fault =
		text_fault(find_member(object, name), may_be_missing, max_length, text);

	if (fault != NULL)
		fields_add(errors, name, fault);
}

/* Whether the text is one of a list's words. */
static bool
is_word(Str text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == text.len &&
		    pg_strncasecmp(text.data, *words, text.len) == 0)
			return true;
	return false;
}

void
fields_boolean(FieldErrors *errors, const JsonValue *object, const char *name,
               bool *value)
{
	static const char *const yes[] = {"t", "y", "yes", "true", "on", "1", NULL};
	static const char *const no[] = {"f", "n", "no", "false", "off", "0", NULL};
	const JsonValue *member = find_member(object, name);
	Str text;

	*value = false;
	if (member == NULL)
		return;
	text = member->type == JSON_STRING ? member->string : member->raw;
	if (member->type == JSON_NULL)
		fields_add(errors, name, "This field may not be null.");
	else if (member->type == JSON_ARRAY || member->type == JSON_OBJECT)
		fields_add(errors, name, "Must be a valid boolean.");
	else if (is_word(text, yes))
		*value = true;
	else if (!is_word(text, no))
		fields_add(errors, name, "Must be a valid boolean.");
}

/*
 * A float as jsonb keeps it apart from an int: all its digits, and a point.  Returns false
 * if no float is so large.
 */
static bool
write_float(Str raw, Str *text)
{
	char shortest[32];
	char *digits;
	double number;

	if (!py_float(raw, &number) || isinf(number) || isnan(number))
		return false;
	shortest[py_float_repr(number, shortest)] = '\0';
	if (strchr(shortest, 'e') == NULL)
	{
		*text = str_copy(str_make(shortest, strlen(shortest)));
		return true;
	}
	digits = DatumGetCString(DirectFunctionCall1(
		numeric_out,
		DirectFunctionCall3(numeric_in, CStringGetDatum(shortest),
	                        ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
	if (strchr(digits, '.') == NULL)
		digits = psprintf("%s.0", digits);
	*text = str_make(digits, strlen(digits));
	return true;
}

/* Makes the scalar that a trait's value is kept as; returns its fault, or NULL. */
static const char *
normalize_value(JsonValue *value)
{
	if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
		*value = json_make_string(py_str_text(value));
	if (value->type == JSON_NUMBER && value_from_json(value).type != VALUE_INT &&
	    !write_float(value->raw, &value->raw))
		return "A valid number is required.";
	if (value->type == JSON_STRING &&
	    fields_length(value->string) > TRAIT_VALUE_MAX_LENGTH)
		return "Value string is too long. Must be less than 2000 character";
	return NULL;
}

void
fields_trait(FieldErrors *errors, const JsonValue *object, HttpTrait *trait)
{
	const JsonValue *value = json_get(object, STR("trait_value"));
	const char *fault;

	fields_text(errors, object, "trait_key", false, TRAIT_KEY_MAX_LENGTH, &trait->key);
	trait->value =
		value != NULL ? *value : (JsonValue){.type = JSON_NULL, .raw = STR_INIT("null")};
	fault = normalize_value(&trait->value);
	if (fault != NULL)
		fields_add(errors, "trait_value", fault);
	fields_boolean(errors, object, "transient", &trait->transient);
}
