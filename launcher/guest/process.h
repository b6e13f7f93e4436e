/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of the host, by pid and by uid, without mistaking one for another.
 *
 * A pid may be somebody else's by the time it is used.  So a recorded process is named by pid and
 * start time, and is signalled through a pidfd that was opened before both were compared.
 * Privilege: CAP_KILL for processes of guests' uids.
 * Source: pidfd_open(2), proc(5).
 */
#pragma once

#include <glib.h>

/* Start time in clock ticks since boot, 0 when there is no such process (or it is a zombie). */
guint64 dn_process_start_ticks (gint pid);

/* Whether the process that was recorded with this start time still lives. */
gboolean dn_process_is_alive (gint pid, guint64 start_ticks);

/**
 * dn_process_kill:
 * @wait_ms: how long to wait for the process's end
 *
 * SIGKILL to exactly that process.  Returns: TRUE when it is gone
 */
gboolean dn_process_kill (gint pid, guint64 start_ticks, guint wait_ms);

/* Sends @signal to exactly that process; FALSE when it is not there or errno says otherwise. */
gboolean dn_process_signal (gint pid, guint64 start_ticks, int signal);

/* The real uid of a process.  FALSE: there is none of this number. */
gboolean dn_process_get_uid (gint pid, guint *ret_uid);

/* Pids whose real uid is @uid. (transfer full) (element-type gint) */
GArray *dn_process_list_of_uid (guint uid);

/* The first process of @uid whose command's name begins with @prefix, or 0. */
gint dn_process_find (guint uid, const char *prefix);

/* Likewise for every uid at once, which reads /proc once and not for each: uid → pid.  (transfer
 * full): g_hash_table_unref() it. */
GHashTable *dn_process_find_all (const char *prefix);

/* Ends all processes of a uid that belongs to one guest alone; never call it with another.
 * Returns: how many were killed; *ret_left is how many outlived @wait_ms. */
guint dn_process_kill_uid (guint uid, guint wait_ms, guint *ret_left);
