/*
 * What Python's Unicode database says of a character, as far as int(), float() and repr()
 * ask.  The answers are Unicode 14's, as in Python 3.11, whatever libraries are there.
 */
#ifndef FLAGSMITH_UNICODE_H
#define FLAGSMITH_UNICODE_H

#include "str.h"

/* A byte that begins no character reads as this; valid text never holds it. */
#define UNICODE_INVALID 0x110000

/*
 * The character at text.data[*at], which must be less than text.len; moves *at behind it.
 * Bytes that are no UTF-8 give UNICODE_INVALID one by one.
 */
extern uint32 unicode_next(Str text, uint32 *at);

/* Writes the character as UTF-8 (surrogates too), up to 4 bytes; returns how many. */
extern int unicode_encode(uint32 character, char *buffer);

/* Whether any byte is beyond ASCII. */
extern bool unicode_is_ascii(Str text);

/* str.isspace() of one character. */
extern bool unicode_is_space(uint32 character);

/* The value of a decimal digit of any script (category Nd), or -1. */
extern int unicode_digit(uint32 character);

/* str.isprintable() of one character. */
extern bool unicode_is_printable(uint32 character);

#endif
