/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container may run: its labels are its context's, and its context is one that this host
 * takes.
 *
 *     [host]
 *     accepts = stage:prod;stage:test;tenant:acme
 *
 * For every kind (tenant, stage, tier) that is named there the context's value has to be one of
 * those named; a kind that is not named is free.  Nothing named: this host takes every context.
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

typedef enum
{
  DN_LABEL_TENANT,
  DN_LABEL_STAGE,
  DN_LABEL_TIER,
  DN_LABELS, /* how many */
} DnLabel;

extern const char *const dn_label_words[DN_LABELS];

/* By DnLabel; borrowed. */
typedef struct
{
  const char *values[DN_LABELS];
} DnLabels;

/* As dn_policy_check(). */
gboolean dn_placement_check_accepts (char **accepts, const char *what, const DnKeyPlaces *places,
                                     GError **error);

/* Whether a host takes a context; @ret_label (out): else, which label it is about. */
gboolean dn_placement_is_accepted (char **accepts, const DnLabels *context, DnLabel *ret_label);

/* What a host takes of a kind: "prod, test"; "" where that is free. (transfer full) */
char *dn_placement_list (char **accepts, DnLabel label);
