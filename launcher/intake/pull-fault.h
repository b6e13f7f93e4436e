/* SPDX-License-Identifier: Apache-2.0 */
/* What kept skopeo from fetching, from its words: one of a closed list.
 *
 * The words are partly the registry's.  They decide what the user reads and whether it is tried
 * again, no more.  Source: containers/image 5.22, Go's net, net/http and crypto/x509.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *code;  /* as in the report: launcher/images/pull.c has a sentence for each */
  gboolean is_brief; /* may be over in a moment: worth another try */
} DnPullFault;

/* @words: what skopeo wrote.  (transfer none): "other" where nothing fits */
const DnPullFault *dn_pull_fault_find (const char *words);

/* The last message of @words, without skopeo's frame around it. (transfer full) */
char *dn_pull_fault_message (const char *words);
