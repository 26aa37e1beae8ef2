/*
 * Health: does the program live, can it answer?
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "request.h"

/* Answers as Flagsmith's edge proxy does: 200 if the database answers, else 503. */
void health_answer(Request *request);

/* Answers 200. */
void health_answer_liveness(Request *request);

#endif
