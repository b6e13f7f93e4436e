/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that a container's filter refused, as its guest counts them (REFUSED).
 *
 * Every number and name here is the guest's word: shown, and nothing is decided by it.  A container
 * has at most DN_REFUSALS_MAX kinds, counts only grow, and an event is due for the first of a kind
 * and then each time its count has grown tenfold: so a guest can cause DN_REFUSALS_MAX * 20 events
 * in a container's run and no more.
 *
 * Pure, but for the names from libseccomp's tables.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

#define DN_REFUSALS_MAX 33 /* as many as the agent tells apart, and the others */

typedef struct
{
  guint32 call;
  guint32 arch;   /* AUDIT_ARCH_* */
  guint32 action; /* SECCOMP_RET_*, without its data */
  guint32 error;  /* an errno; 0: not known */
  guint64 count;
  guint64 told; /* the count at the last event */
  gint64 first_us;
  gint64 last_us;
  char program[4 * DN_PROGRAM_BYTES]; /* cleaned for JSON and terminals */
} DnRefusal;

/**
 * dn_refusals_take:
 * @refusals: (inout): NULL, or of DnRefusal: g_array_unref() it
 * @ret_refusal: (out): a copy of what it became; set only on success
 *
 * Returns: whether an event is due
 */
gboolean dn_refusals_take (GArray **refusals, const DnMsgRefused *refused, gint64 now_us,
                           DnRefusal *ret_refusal);

/* "mount", "(others)", or "call 12345" where libseccomp has no name for it. (transfer full) */
char *dn_refusal_call_name (const DnRefusal *refusal);

/* "EPERM"; "error" where it is not known which; "SIGSYS" where the process was ended or signalled;
 * "logged" where it went on. (transfer full) */
char *dn_refusal_action_name (const DnRefusal *refusal);

/* For inspect and the state file.  (transfer full); NULL for none. */
JsonArray *dn_refusals_to_json (GArray *refusals);

/* Of the state file.  (transfer full): NULL with DN_ERROR_CONFIG */
GArray *dn_refusals_read (JsonArray *array, const char *what, GError **error);
