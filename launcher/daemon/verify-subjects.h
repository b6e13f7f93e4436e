/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the verb verify looks at: contexts with a guest, and containers that run. */
#pragma once

#include "container.h"
#include "request.h"

typedef struct
{
  GPtrArray *contexts;   /* owned, of DnContext, references */
  GPtrArray *containers; /* owned, of DnContainer, references */
} DnVerifySubjects;

void dn_verify_subjects_free (DnVerifySubjects *subjects);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnVerifySubjects, dn_verify_subjects_free)

/**
 * dn_verify_subjects_choose:
 * @names: of containers, with which their context comes, or of contexts, with which all that runs
 *   in them comes; NULL or empty: everything
 *
 * Returns: (transfer full): or NULL with DN_ERROR_NOT_FOUND, DN_ERROR_CONFLICT for a container that
 *   does not run
 */
DnVerifySubjects *dn_verify_subjects_choose (DnRequest *request, char **names, GError **error);

/* Judges them.  Guests are asked until @end_us (monotonic); what they did not answer by then is
 * unknown, and a note says why.  Returns: (transfer full): what the verb verify answers */
JsonObject *dn_verify_run (DnDaemon *daemon, const DnVerifySubjects *subjects, gint64 end_us);
