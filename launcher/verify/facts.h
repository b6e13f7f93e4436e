/* SPDX-License-Identifier: Apache-2.0 */
/* What was observed of one subject: names with values, from a guest's FACTs or the host's /proc.
 *
 * A guest's are hostile: there are at most DN_FACTS_MAX, each of bounded length, and every text is
 * made printable as it comes in.  What does not fit is left out and makes the whole incomplete,
 * which is a failure like any other.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"
#include "../../protocol/verify.h"

typedef struct
{
  char *value; /* owned; printable */
  guint count; /* threads that have it */
  guint pid;   /* one of them; 0: of no process */
} DnVerifyFact;

typedef struct DnVerifyFacts DnVerifyFacts;

DnVerifyFacts *dn_verify_facts_new (void);
void dn_verify_facts_free (DnVerifyFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnVerifyFacts, dn_verify_facts_free)

/* Adds what this process has seen itself; what is there already is counted once more. */
void dn_verify_facts_add (DnVerifyFacts *facts, const char *name, const char *value);

/* Adds the payload of a FACT; one that is not well formed makes the facts incomplete. */
void dn_verify_facts_take (DnVerifyFacts *facts, const guint8 *payload, guint32 size);

/* The values of @name, at least one. (transfer none) (element-type DnVerifyFact); NULL: none. */
const GPtrArray *dn_verify_facts_find (const DnVerifyFacts *facts, const char *name);

/* Names that begin with @prefix, sorted. (transfer full) (element-type utf8) */
GPtrArray *dn_verify_facts_list (const DnVerifyFacts *facts, const char *prefix);

/* Whether the observer said that this is all, and nothing was left out here. */
gboolean dn_verify_facts_are_complete (const DnVerifyFacts *facts);
