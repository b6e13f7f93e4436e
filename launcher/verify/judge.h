/* SPDX-License-Identifier: Apache-2.0 */
/* Promised against observed: one line for each control.
 *
 * UNKNOWN, what was not observed, counts as a failure: a guest that keeps silent must not look
 * better than one that tells.  Pure.
 */
#pragma once

#include "facts.h"
#include "promise.h"

typedef enum
{
  DN_VERDICT_OK,
  DN_VERDICT_DIFFERS,
  DN_VERDICT_UNKNOWN,
  DN_VERDICT_ABSENT, /* nothing is promised: neither kept nor broken */
} DnVerdict;

/* "ok", "DIFFERS", "UNKNOWN", "absent" */
extern const char *const dn_verdict_words[];

typedef struct
{
  char *control; /* owned, as all texts */
  char *demand;
  char *promised;
  char *actual;
  DnVerdict verdict;
} DnVerifyLine;

/* A line for each promise, in their order, and one for the observation as a whole ("observed").
 * (transfer full) (element-type DnVerifyLine) */
GPtrArray *dn_verify_judge (const GPtrArray *promises, const DnVerifyFacts *facts);

/* Whether one value keeps a promise (not for DN_HOW_NO_OTHERS). */
DnVerdict dn_verify_judge_value (const DnVerifyPromise *promise, const char *value);
