/*
 * Regular expressions on PCRE2.
 *
 * Python's re.match() is a search that may not begin behind the text's first character.
 *
 * Memory is the current context's, except for what is made once in a process and for the
 * JIT's code.
 */
#include "platform.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "regex.h"
#include "regex_translate.h"

/* The stack of compiled code: PCRE2's own is 32 kB.  Where it ends the interpreter goes on. */
#define JIT_STACK_MIN (32 * 1024)
#define JIT_STACK_MAX (1024 * 1024)

struct Regex
{
	pcre2_code *code;
	size_t size; /* of the code, in bytes */
};

/* Made when first needed, for the rest of the process: limits, and the JIT's stack. */
static pcre2_match_context *limits = NULL;

static void *
allocate(size_t size, void *unused pg_attribute_unused())
{
	/* palloc throws at this size, which PCRE2 could not bear */
	if (size > PG_INT32_MAX / 2)
		return NULL;
	return palloc_extended(size, MCXT_ALLOC_NO_OOM);
}

static void
release(void *memory, void *unused pg_attribute_unused())
{
	if (memory != NULL)
		pfree(memory);
}

/* Makes what the process needs once; false if memory is short. */
static bool
prepare(void)
{
	pcre2_jit_stack *stack;

	if (limits != NULL)
		return true;
	limits = pcre2_match_context_create(NULL);
	if (limits == NULL)
		return false;
	pcre2_set_heap_limit(limits, REGEX_HEAP_LIMIT);
	stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	if (stack != NULL)
		pcre2_jit_stack_assign(limits, NULL, stack);
	return true;
}

/* Compiles PCRE2's syntax in the given settings; NULL if it is refused. */
static pcre2_code *
compile(StringInfo pattern, bool caseless, pcre2_compile_context *settings)
{
	uint32 options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOTALL |
	                 PCRE2_ALT_CIRCUMFLEX | PCRE2_USE_OFFSET_LIMIT;
	int error;
	PCRE2_SIZE offset;

	if (settings == NULL)
		return NULL;
	pcre2_set_newline(settings, PCRE2_NEWLINE_LF);
	/* the translation can need two groups where Python has one */
	pcre2_set_parens_nest_limit(settings, 2 * REGEX_MAX_NESTING + 10);
	pcre2_set_compile_extra_options(settings, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
	return pcre2_compile((PCRE2_SPTR) pattern->data, pattern->len,
	                     options | (caseless ? PCRE2_CASELESS : 0), &error, &offset,
	                     settings);
}

Regex *
regex_compile(Str pattern)
{
	StringInfoData translation;
	pcre2_general_context *memory;
	pcre2_compile_context *settings;
	pcre2_code *code = NULL;
	bool caseless;
	Regex *regex;

	initStringInfo(&translation);
	if (prepare() && regex_translate(pattern, &translation, &caseless))
	{
		memory = pcre2_general_context_create(allocate, release, NULL);
		settings = pcre2_compile_context_create(memory);
		code = compile(&translation, caseless, settings);
		pcre2_compile_context_free(settings);
		pcre2_general_context_free(memory);
	}
	pfree(translation.data);
	if (code == NULL)
		return NULL;
	/* it may fail where no memory can be made executable: then the interpreter serves */
	(void) pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	regex = palloc(sizeof(Regex));
	regex->code = code;
	if (pcre2_pattern_info(code, PCRE2_INFO_SIZE, &regex->size) != 0)
		regex->size = 0;
	return regex;
}

void
regex_free(Regex *regex)
{
	pcre2_code_free(regex->code);
	pfree(regex);
}

/* How many steps a match may take: see regex.h. */
static uint32
step_limit(const Regex *regex, uint32 length)
{
	uint32 steps = REGEX_WORK / Max(length, 1);

	if (length <= REGEX_LONG_TEXT)
	{
		steps = Max(steps, Max(REGEX_MIN_STEPS, REGEX_STEPS_PER_BYTE * length));
		steps = Min(steps, REGEX_MAX_STEPS);
	}
	if (regex->size > REGEX_LONG_CODE)
		steps = (uint32) ((uint64) steps * REGEX_LONG_CODE / regex->size);
	return Max(steps, REGEX_FEW_STEPS);
}

bool
regex_match(const Regex *regex, Str text)
{
	PCRE2_SPTR subject = (PCRE2_SPTR) (text.len > 0 ? text.data : "");
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
	int result;

	if (data == NULL)
		return false;
	pcre2_set_match_limit(limits, step_limit(regex, text.len));
	pcre2_set_offset_limit(limits, 0);
	result = pcre2_match(regex->code, subject, text.len, 0, 0, data, limits);
	if (result == PCRE2_ERROR_JIT_STACKLIMIT)
		result =
			pcre2_match(regex->code, subject, text.len, 0, PCRE2_NO_JIT, data, limits);
	pcre2_match_data_free(data);
	return result >= 0;
}
