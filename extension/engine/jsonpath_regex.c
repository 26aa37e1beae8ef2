/*
 * The regular expressions of JSONPath's match() and search(): I-Regexp, RFC 9485, which
 * is small enough to be checked and translated to PCRE2 in one pass.
 *
 * As the Python package does it: a count in braces has one digit, so a{10} is no
 * I-Regexp; `^` and `$` are characters to the RFC but anchors here, the latter also
 * before a final newline; `.` is no newline and no carriage return.
 *
 * What is not as there: search() takes a class with a doubled &, | or ~ for an
 * operation on sets in Python, and for no I-Regexp here; nor is one a pattern whose
 * groups nest deeper than 250.  Characters have the categories that PCRE2 knows.
 *
 * What it may cost is limited over the whole search: PCRE2's own limits count anew at
 * every place of the text.  Where the limit is met the text does not match.
 */
#include "jsonpath_internal.h"

#include "lib/stringinfo.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* PCRE2 compiles no patterns much longer than this. */
#define MAX_PATTERN 65535

/* Steps of the matcher plus characters that it moves over: about 0.1 s. */
#define MAX_COST 8000000

/* Memory for backtracking, in kB. */
#define MAX_HEAP 65536

typedef struct Translator
{
	Str pattern;
	uint32 pos;
	bool set_operations; /* whether classes may have them in Python */
	StringInfoData output;
} Translator;

typedef struct Cost
{
	uint64 spent;
	PCRE2_SIZE position;
} Cost;

/* The next byte, or NUL at the end: it stands for nothing in the syntax. */
static char
peek(const Translator *translator)
{
	return translator->pos < translator->pattern.len
	           ? translator->pattern.data[translator->pos]
	           : '\0';
}

static bool
accept(Translator *translator, char c)
{
	if (translator->pos == translator->pattern.len || peek(translator) != c)
		return false;
	translator->pos++;
	return true;
}

static bool
contains(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Copies a character, escaped if it is ASCII punctuation and may have a meaning. */
static void
put_literal(Translator *translator)
{
	char c = translator->pattern.data[translator->pos++];

	if (contains("!\"#%&'()*+,-./:;<=>?@[\\]^_`{|}~", c))
		appendStringInfoChar(&translator->output, '\\');
	appendStringInfoChar(&translator->output, c);
}

/* \p{Lu} and \P{L}, their backslash already read. */
static bool
translate_category(Translator *translator)
{
	static const struct
	{
		char category;
		const char *parts;
	} categories[] = {{'L', "lmotu"}, {'M', "cen"},  {'N', "dlo"}, {'P', "cdefios"},
	                  {'Z', "lps"},   {'S', "ckmo"}, {'C', "cfno"}};
	uint32 begin = translator->pos++;

	if (!accept(translator, '{'))
		return false;
	for (int i = 0; i < (int) lengthof(categories); i++)
	{
		if (!accept(translator, categories[i].category))
			continue;
		if (contains(categories[i].parts, peek(translator)))
			translator->pos++;
		if (!accept(translator, '}'))
			return false;
		appendStringInfoChar(&translator->output, '\\');
		appendBinaryStringInfo(&translator->output, translator->pattern.data + begin,
		                       translator->pos - begin);
		return true;
	}
	return false;
}

/* An escape, its backslash already read; *is_set says whether it is a category. */
static bool
translate_escape(Translator *translator, bool *is_set)
{
	char c = peek(translator);

	*is_set = c == 'p' || c == 'P';
	if (*is_set)
		return translate_category(translator);
	if (!contains("()*+-.?[\\]^nrt{|}", c))
		return false;
	appendStringInfoChar(&translator->output, '\\');
	appendStringInfoChar(&translator->output, c);
	translator->pos++;
	return true;
}

/* A character or escape in a class. */
static bool
translate_member(Translator *translator, bool *is_set)
{
	*is_set = false;
	if (translator->pos == translator->pattern.len || contains("[]-", peek(translator)))
		return false;
	if (accept(translator, '\\'))
		return translate_escape(translator, is_set);
	if (translator->set_operations && contains("&|~", peek(translator)) &&
	    translator->pos + 1 < translator->pattern.len &&
	    translator->pattern.data[translator->pos + 1] == peek(translator))
		return false;
	put_literal(translator);
	/* the rest of a character of several bytes */
	while ((peek(translator) & 0xC0) == 0x80)
		put_literal(translator);
	return true;
}

/* A class, its left bracket already read.  A hyphen may come first and last. */
static bool
translate_class(Translator *translator)
{
	bool any = false;

	appendStringInfoChar(&translator->output, '[');
	if (accept(translator, '^'))
		appendStringInfoChar(&translator->output, '^');
	if (peek(translator) == '-')
	{
		put_literal(translator);
		any = true;
	}
	while (translator->pos < translator->pattern.len && !contains("]-", peek(translator)))
	{
		bool is_set;

		if (!translate_member(translator, &is_set))
			return false;
		any = true;
		if (is_set || peek(translator) != '-' ||
		    translator->pos + 1 >= translator->pattern.len ||
		    translator->pattern.data[translator->pos + 1] == ']')
			continue;
		translator->pos++;
		appendStringInfoChar(&translator->output, '-');
		if (!translate_member(translator, &is_set) || is_set)
			return false;
	}
	if (peek(translator) == '-')
		put_literal(translator);
	if (!any || !accept(translator, ']'))
		return false;
	appendStringInfoChar(&translator->output, ']');
	return true;
}

/* A count in braces, the left one already read. */
static bool
translate_count(Translator *translator)
{
	uint32 begin = translator->pos - 1;

	for (int bound = 0; bound < 2; bound++)
	{
		if (peek(translator) >= '0' && peek(translator) <= '9')
			translator->pos++;
		else if (bound == 0)
			return false;
		if (bound == 0 && !accept(translator, ','))
			break;
	}
	if (!accept(translator, '}'))
		return false;
	appendBinaryStringInfo(&translator->output, translator->pattern.data + begin,
	                       translator->pos - begin);
	return true;
}

/* What may follow an atom. */
static bool
translate_quantifier(Translator *translator)
{
	if (accept(translator, '{'))
		return translate_count(translator);
	if (contains("*+?", peek(translator)))
		appendStringInfoChar(&translator->output,
		                     translator->pattern.data[translator->pos++]);
	return true;
}

/* An atom that is no group. */
static bool
translate_atom(Translator *translator)
{
	bool is_set;

	if (accept(translator, '\\'))
		return translate_escape(translator, &is_set);
	if (accept(translator, '['))
		return translate_class(translator);
	if (accept(translator, '.'))
		appendStringInfoString(&translator->output, "[^\\r\\n]");
	else if (accept(translator, '^'))
		appendStringInfoString(&translator->output, "(?:^)");
	else if (accept(translator, '$'))
		appendStringInfoString(&translator->output, "(?:$)");
	else if (contains("*+?]{}", peek(translator)))
		return false;
	else
	{
		put_literal(translator);
		while ((peek(translator) & 0xC0) == 0x80)
			put_literal(translator);
	}
	return true;
}

/* Translates the whole pattern; returns false if it is no I-Regexp. */
static bool
translate(Translator *translator)
{
	uint32 groups = 0;

	while (translator->pos < translator->pattern.len)
	{
		if (accept(translator, '|'))
		{
			appendStringInfoChar(&translator->output, '|');
			continue;
		}
		if (accept(translator, '('))
		{
			groups++;
			appendStringInfoString(&translator->output, "(?:");
			continue;
		}
		if (accept(translator, ')'))
		{
			if (groups-- == 0)
				return false;
			appendStringInfoChar(&translator->output, ')');
		}
		else if (!translate_atom(translator))
			return false;
		if (!translate_quantifier(translator))
			return false;
	}
	return groups == 0;
}

/* Compiles a pattern; returns NULL if it is not valid. */
static pcre2_code *
compile(Str pattern, bool set_operations)
{
	Translator translator = {.pattern = pattern, .set_operations = set_operations};
	pcre2_compile_context *context;
	pcre2_code *code;
	int error;
	PCRE2_SIZE offset;

	if (pattern.len > MAX_PATTERN)
		return NULL;
	initStringInfo(&translator.output);
	if (!translate(&translator))
		return NULL;
	context = pcre2_compile_context_create(NULL);
	if (context == NULL)
		return NULL;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR) translator.output.data, translator.output.len,
	                     PCRE2_UTF | PCRE2_AUTO_CALLOUT, &error, &offset, context);
	pcre2_compile_context_free(context);
	return code;
}

/* Called by the matcher at each item of the pattern: gives up when that costs too much. */
static int
count_cost(pcre2_callout_block *block, void *data)
{
	Cost *cost = data;
	PCRE2_SIZE position = block->current_position;

	cost->spent += 1 + (position > cost->position ? position - cost->position : 0);
	cost->position = position;
	return cost->spent > MAX_COST ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static bool
run(const pcre2_code *code, Str text, uint32 options)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	Cost cost = {0};
	bool matches = false;

	if (context != NULL && match != NULL)
	{
		pcre2_set_callout(context, count_cost, &cost);
		pcre2_set_heap_limit(context, MAX_HEAP);
		matches = pcre2_match(code, (PCRE2_SPTR) text.data, text.len, 0, options, match,
		                      context) >= 0;
	}
	pcre2_match_data_free(match);
	pcre2_match_context_free(context);
	return matches;
}

static bool
compile_and_run(Str pattern, Str text, bool set_operations, uint32 options)
{
	pcre2_code *code = compile(pattern, set_operations);
	bool matches;

	if (code == NULL)
		return false;
	matches = run(code, text, options);
	pcre2_code_free(code);
	return matches;
}

bool
jsonpath_regex_match(Str pattern, Str text)
{
	return compile_and_run(pattern, text, false, PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}

bool
jsonpath_regex_search(Str pattern, Str text)
{
	return compile_and_run(pattern, text, true, 0);
}
