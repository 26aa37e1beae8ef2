/*
 * Python's int(), float(), repr() of a float, and %.
 *
 * Reading goes in two steps, as in Python: normalize() takes off the white space, makes
 * other scripts' digits ASCII and drops the underscores; what is left has to be of the
 * plain grammar.  Numbers are then converted by strtod(), which rounds correctly.
 */
#include "platform.h"

#include <math.h>

#include "common/shortest_dec.h"

#include "pynumber.h"
#include "unicode.h"

/* From here on a float is an even multiple of its neighbours' halves: see shorten(). */
#define FLOAT_INTEGRAL 9007199254740992.0

/* What Python's number readers strip: C's isspace(), ASCII only. */
static bool
is_ascii_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Appends text in ASCII, white space beyond ASCII as blanks and digits as 0 to 9.  Python
 * leaves the ASCII characters alone, so U+001C to U+001F stay and are no white space.
 * Returns false on any other character.
 */
static bool
transform(Str text, char *buffer, uint32 *length)
{
	*length = 0;
	for (uint32 at = 0; at < text.len;)
	{
		uint32 character = unicode_next(text, &at);
		int digit;

		if (character < 0x7F)
			buffer[(*length)++] = (char) character;
		else if (unicode_is_space(character))
			buffer[(*length)++] = ' ';
		else if ((digit = unicode_digit(character)) >= 0)
			buffer[(*length)++] = (char) ('0' + digit);
		else
			return false;
	}
	return true;
}

/* Drops underscores in place; returns false unless each stands between two digits. */
static bool
drop_underscores(char *text, uint32 *length)
{
	uint32 kept = 0;

	for (uint32 i = 0; i < *length; i++)
	{
		if (text[i] != '_')
			text[kept++] = text[i];
		else if (i == 0 || i + 1 == *length || !is_digit(text[i - 1]) ||
		         !is_digit(text[i + 1]))
			return false;
	}
	*length = kept;
	text[kept] = '\0';
	return true;
}

/* A number's text; nearly all need no memory. */
typedef struct Number
{
	char *text;
	uint32 length;
	char room[64];
} Number;

static void
release(Number *number)
{
	if (number->text != number->room)
		pfree(number->text);
}

/* Strips white space and underscores; returns false if it is no number's text. */
static bool
strip(char *buffer, uint32 *length)
{
	uint32 start = 0;

	while (*length > 0 && is_ascii_space(buffer[*length - 1]))
		(*length)--;
	while (start < *length && is_ascii_space(buffer[start]))
		start++;
	*length -= start;
	memmove(buffer, buffer + start, *length);
	return drop_underscores(buffer, length);
}

/*
 * Makes a NUL-terminated ASCII copy of a number's text, with no white space around it and
 * no underscores; it is to be released.  Returns false, with nothing to be released, if it
 * is no number's.
 */
static bool
normalize(Str text, Number *number)
{
	number->text =
		text.len < sizeof(number->room) ? number->room : palloc((Size) text.len + 1);
	if (transform(text, number->text, &number->length) &&
	    strip(number->text, &number->length))
		return true;
	release(number);
	return false;
}

bool
py_int(Str text, ContextValue *value)
{
	Number number;
	Str digits;
	bool negative;
	bool valid;

	if (!normalize(text, &number))
		return false;
	digits = str_make(number.text, number.length);
	negative = number.text[0] == '-';
	if (negative || number.text[0] == '+')
		digits = str_make(digits.data + 1, digits.len - 1);
	valid = digits.len > 0 && digits.len <= PY_INT_MAX_DIGITS;
	for (uint32 i = 0; i < digits.len && valid; i++)
		valid = is_digit(digits.data[i]);
	if (valid)
		*value = value_from_digits(digits, negative);
	release(&number);
	return valid;
}

static const char *
skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

/* Whether a text without its sign is a decimal number: 1, 1., .1, 1.5e-3. */
static bool
is_decimal(const char *text)
{
	const char *end = skip_digits(text);
	size_t digits = end - text;

	if (*end == '.')
	{
		text = end + 1;
		end = skip_digits(text);
		digits += end - text;
	}
	if (digits == 0)
		return false;
	if (*end == 'e' || *end == 'E')
	{
		text = end + 1;
		if (*text == '-' || *text == '+')
			text++;
		end = skip_digits(text);
		if (end == text)
			return false;
	}
	return *end == '\0';
}

bool
py_float(Str text, double *number)
{
	Number copy;
	bool valid;
	const char *unsigned_text;

	if (!normalize(text, &copy))
		return false;
	unsigned_text = copy.text + (*copy.text == '-' || *copy.text == '+' ? 1 : 0);
	/* a NUL within the text would end it too early */
	valid = strlen(copy.text) == copy.length &&
	        (is_decimal(unsigned_text) || pg_strcasecmp(unsigned_text, "nan") == 0 ||
	         pg_strcasecmp(unsigned_text, "inf") == 0 ||
	         pg_strcasecmp(unsigned_text, "infinity") == 0);
	if (valid)
		*number = strtod(copy.text, NULL);
	release(&copy);
	return valid;
}

bool
py_int_to_float(const ContextValue *integer, double *number)
{
	if (integer->digits.data == NULL)
		*number = (double) integer->integer;
	else
	{
		Str copy = str_copy(integer->digits);

		*number = strtod(copy.data, NULL);
		pfree(unconstify(char *, copy.data));
	}
	return !isinf(*number);
}

/*
 * Splits a text like -1.25e+30 or 0.00125 into its digits, without zeros at either end,
 * and returns where the decimal point is: that many digits stand before it.
 */
static int
split(const char *text, char *digits)
{
	int count = 0;
	int point = 0;
	bool fraction = false;

	for (; *text != '\0' && *text != 'e'; text++)
	{
		if (*text == '.')
			fraction = true;
		else if (is_digit(*text) && (count > 0 || *text != '0'))
		{
			digits[count++] = *text;
			point += fraction ? 0 : 1;
		}
		else if (*text == '0' && fraction)
			point--;
	}
	if (*text == 'e')
		point += atoi(text + 1);
	while (count > 1 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';
	return point;
}

/*
 * Looks for digits fewer than Ryu's that read back as the same float.
 *
 * PostgreSQL's Ryu takes no number that lies right in the middle between two floats;
 * Python does where reading it back rounds to the float in question, so that 1e23 is not
 * 9.999999999999999e+22.  Only floats of 2^53 and above have such middles that are
 * shorter.
 */
static int
shorten(double number, char *digits, int point)
{
	int length = (int) strlen(digits);

	for (int count = 1; count < length; count++)
	{
		char candidate[40];

		snprintf(candidate, sizeof(candidate), "%.*e", count - 1, number);
		if (strtod(candidate, NULL) == number)
			return split(candidate, digits);
	}
	return point;
}

/* Writes digits with the exponent that puts the point behind the first. */
static int
write_exponent(char *buffer, const char *digits, int exponent)
{
	return sprintf(buffer, "%c%s%se%c%02d", digits[0], digits[1] == '\0' ? "" : ".",
	               digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
}

/* Writes digits with point of them before the decimal point, and zeros as needed. */
static int
write_fixed(char *buffer, const char *digits, int point)
{
	int length = (int) strlen(digits);

	if (point <= 0)
		return sprintf(buffer, "0.%.*s%s", -point, "0000", digits);
	if (point >= length)
		return sprintf(buffer, "%s%.*s.0", digits, point - length, "0000000000000000");
	return sprintf(buffer, "%.*s.%s", point, digits, digits + point);
}

int
py_float_repr(double number, char *buffer)
{
	char shortest[DOUBLE_SHORTEST_DECIMAL_LEN];
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	int sign = 0;
	int point;

	if (isnan(number))
		return sprintf(buffer, "nan");
	if (signbit(number))
	{
		buffer[sign++] = '-';
		number = -number;
	}
	if (isinf(number))
		return sign + sprintf(buffer + sign, "inf");
	if (number == 0)
		return sign + sprintf(buffer + sign, "0.0");
	double_to_shortest_decimal_buf(number, shortest);
	point = split(shortest, digits);
	if (number >= FLOAT_INTEGRAL)
		point = shorten(number, digits, point);
	if (point <= -4 || point > 16)
		return sign + write_exponent(buffer + sign, digits, point - 1);
	return sign + write_fixed(buffer + sign, digits, point);
}

double
py_modulo(double a, double b)
{
	double rest = fmod(a, b);

	if (rest == 0)
		return copysign(0.0, b);
	if ((b < 0) != (rest < 0))
		rest += b;
	return rest;
}
