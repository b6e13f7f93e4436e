/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the decision: admission.c asks the rules of placement and image,
 * admission-confinement.c those of confinement. */
#pragma once

#include "admission.h"

/* Refuses: "MESSAGE (rule WORD, FILE:LINE)", and @hint on a line of its own. Returns FALSE. */
gboolean dn_admission_refuse (const DnAdmission *admission, DnRule rule, const char *message,
                              const char *hint, GError **error);

/* The rules from DN_RULE_PROFILE on. */
gboolean dn_admission_decide_confinement (const DnAdmission *admission, DnVerdict *verdict,
                                          GError **error);
