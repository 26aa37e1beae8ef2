/*
 * The grammar is regular and has no choice in it that needs going back, so the parser
 * walks the text once, cutting one piece after the other off its front.
 *
 * Numbers are kept and compared as digits: they may be longer than any integer type.
 */
#include "platform.h"

#include "pynumber.h"
#include "semver.h"

static bool cut_number(Str *rest, Str *number);
static bool cut_char(Str *rest, char c);
static bool cut_identifiers(Str *rest, bool plain_numbers, Str *identifiers);
static int compare_prereleases(Str a, Str b);

bool
semver_parse(Str text, SemVer *version)
{
	SemVer parsed = {.prerelease = STR(""), .build = STR("")};
	Str rest = text;

	if (!cut_number(&rest, &parsed.major) || !cut_char(&rest, '.') ||
	    !cut_number(&rest, &parsed.minor) || !cut_char(&rest, '.') ||
	    !cut_number(&rest, &parsed.patch))
		return false;
	if (cut_char(&rest, '-') && !cut_identifiers(&rest, true, &parsed.prerelease))
		return false;
	if (cut_char(&rest, '+') && !cut_identifiers(&rest, false, &parsed.build))
		return false;
	/* "$" in the pattern of Python's semver 3.0, which Flagsmith runs, sees past it */
	cut_char(&rest, '\n');
	if (rest.len > 0)
		return false;
	*version = parsed;
	return true;
}

/* Orders digits without leading zeros by their value. */
static int
compare_numbers(Str a, Str b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.data, b.data, a.len);
}

int
semver_compare(const SemVer *a, const SemVer *b)
{
	int order = compare_numbers(a->major, b->major);

	if (order == 0)
		order = compare_numbers(a->minor, b->minor);
	if (order == 0)
		order = compare_numbers(a->patch, b->patch);
	if (order != 0)
		return order;

	/* A release comes after its prereleases. */
	if (a->prerelease.len == 0 || b->prerelease.len == 0)
		return (a->prerelease.len == 0) - (b->prerelease.len == 0);
	return compare_prereleases(a->prerelease, b->prerelease);
}

bool
semver_contains(const SemVer *version, Str value)
{
	/* A piece that is not there is empty, which is not to equal the empty value. */
	if (value.len == 0)
		return false;
	return str_equal(version->prerelease, value) || str_equal(version->build, value);
}

/* Cuts the first len bytes off rest. */
static Str
cut(Str *rest, uint32 len)
{
	Str front = {rest->data, len};

	rest->data += len;
	rest->len -= len;
	return front;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_identifier_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Whether text, which is not empty, is all digits. */
static bool
is_number(Str text)
{
	for (uint32 i = 0; i < text.len; i++)
		if (!is_digit(text.data[i]))
			return false;
	return true;
}

static inline bool
has_leading_zero(Str number)
{
	return number.len > 1 && number.data[0] == '0';
}

/* The package makes an int of it, which Python does not with too many digits. */
static bool
cut_number(Str *rest, Str *number)
{
	uint32 len = 0;

	while (len < rest->len && is_digit(rest->data[len]))
		len++;
	if (len == 0 || len > PY_INT_MAX_DIGITS)
		return false;
	*number = cut(rest, len);
	return !has_leading_zero(*number);
}

static bool
cut_char(Str *rest, char c)
{
	if (rest->len == 0 || rest->data[0] != c)
		return false;
	cut(rest, 1);
	return true;
}

/* Cuts one identifier off, which may come out empty. */
static Str
cut_identifier(Str *rest)
{
	uint32 len = 0;

	while (len < rest->len && is_identifier_char(rest->data[len]))
		len++;
	return cut(rest, len);
}

/*
 * Cuts identifiers with dots between them off; plain_numbers says that numeric ones must
 * not have leading zeros.
 */
static bool
cut_identifiers(Str *rest, bool plain_numbers, Str *identifiers)
{
	const char *start = rest->data;

	do
	{
		Str identifier = cut_identifier(rest);

		if (identifier.len == 0)
			return false;
		if (plain_numbers && has_leading_zero(identifier) && is_number(identifier))
			return false;
	} while (cut_char(rest, '.'));
	*identifiers = str_make(start, rest->data - start);
	return true;
}

/* Orders two identifiers: numbers by value, and before all others, which go by ASCII. */
static int
compare_identifiers(Str a, Str b)
{
	bool a_is_number = is_number(a);
	bool b_is_number = is_number(b);

	if (a_is_number != b_is_number)
		return a_is_number ? -1 : 1;
	return a_is_number ? compare_numbers(a, b) : str_compare(a, b);
}

/* The first difference decides; where one list ends before the other, it is the lesser. */
static int
compare_prereleases(Str a, Str b)
{
	bool more_a, more_b;

	do
	{
		int order = compare_identifiers(cut_identifier(&a), cut_identifier(&b));

		if (order != 0)
			return order;
		more_a = cut_char(&a, '.');
		more_b = cut_char(&b, '.');
	} while (more_a && more_b);
	return more_a - more_b;
}
