/* SPDX-License-Identifier: Apache-2.0 */
/* What an auditor should mind: from the audit's document to its findings, verdicts and summary.
 *
 * Pure: what is not in the document has no influence, so a document that was kept can be judged
 * anew.  Each rule is a row of one table with its id, severity, demand and remedy; docs/audit.md
 * lists the same rows, and a test compares the two.  Facts that are absent (null) are no findings,
 * but for the rules that say so: silence is reported as "not known" where it matters.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "severity.h"

#define DN_FINDING_IMAGE_AGE_DAYS 90

typedef struct
{
  guint image_age_days; /* the oldest that is no finding */
} DnFindingLimits;

typedef struct DnFindingRule DnFindingRule;

/* The row's public part, for tests and pages. */
typedef struct
{
  const char *id;
  DnSeverity severity;
  const char *demand;
  const char *remedy;
} DnFindingFacts;

/* The @index-th row; NULL after the last. */
const DnFindingFacts *dn_finding_rule (guint index);

/* The findings of @document, the worst first. (transfer full) */
JsonArray *dn_finding_find_all (JsonObject *document, const DnFindingLimits *limits);

/**
 * dn_finding_conclude:
 *
 * Sets "findings" and "summary" of @document and "verdict" of each of its contexts: "bad" with a
 * finding of high or critical, "attention" with one of low or medium, else "good".
 */
void dn_finding_conclude (JsonObject *document, const DnFindingLimits *limits);

/* Whether @findings hold one at or above @severity. */
gboolean dn_finding_reaches (JsonArray *findings, DnSeverity severity);
