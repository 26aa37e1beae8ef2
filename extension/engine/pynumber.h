/*
 * Numbers as Python reads, writes and divides them.  Flagsmith's engine leaves these to
 * Python's int(), float(), repr() and %, so its answers hang on their every habit.
 */
#ifndef FLAGSMITH_PYNUMBER_H
#define FLAGSMITH_PYNUMBER_H

#include "value.h"

/* Python refuses to read an int of more digits than this (sys.int_info). */
#define PY_INT_MAX_DIGITS 4300

/*
 * Python's int(text): surrounding white space, a sign, single underscores between digits,
 * any script's decimal digits.  Returns false where Python raises ValueError.  Digits
 * beyond int64 are new in the current memory context.
 */
extern bool py_int(Str text, ContextValue *value);

/* Python's float(text), likewise; also inf, infinity, nan in any case. */
extern bool py_float(Str text, double *number);

/* Python's float(int): rounds half to even; false where Python raises OverflowError. */
extern bool py_int_to_float(const ContextValue *integer, double *number);

/* Python's repr(number) into buffer (at least 32 bytes); returns its length. */
extern int py_float_repr(double number, char *buffer);

/* Python's a % b on floats, b not 0: the result has the sign of b. */
extern double py_modulo(double a, double b);

#endif
