/* SPDX-License-Identifier: Apache-2.0 */
/* What a failed pull says: a sentence for each code of the task's report, and what to do.  Pure. */
#pragma once

#include <glib.h>

/* Sets @error.  @reference: what was asked for; @code and @text: of the report, class 2 */
void dn_pull_error_set (GError **error, const char *reference, const char *code, const char *text);

/* In a few words, for "trying again"; static text. */
const char *dn_pull_error_words (const char *code);

/* The registry in @reference. (transfer full) */
char *dn_pull_registry_of (const char *reference);
