/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the agent about one container. */
#pragma once

#include "container.h"

typedef int (*DnPackFunc) (const void *message, guint8 *ret_bytes, gsize size);

/* How long an agent may take for what it does at once; emulated guests are slow. */
#define DN_CALL_TIMEOUT_MS 20000

/* dn_guest_call() with a request and no answer but REPLY. */
gboolean dn_container_call (DnGuest *guest, guint16 type, gpointer message, DnPackFunc pack,
                            guint timeout_ms, GError **error);

/* The guest in which @container runs or is paused. (transfer full); NULL with DN_ERROR_CONFLICT. */
DnGuest *dn_container_get_guest (DnContainer *container, GError **error);

/* SIGNAL to process @process; @flags: DN_SIGNAL_*. */
gboolean dn_container_signal (DnContainer *container, guint32 process, int signal, guint32 flags,
                              GError **error);

/* PAUSE and RESUME, with op_lock held. */
gboolean dn_container_pause (DnContainer *container, GError **error);
gboolean dn_container_unpause (DnContainer *container, GError **error);

/* Waits until the container neither runs nor is paused.  Returns FALSE after @timeout_ms. */
gboolean dn_container_wait_ended (DnContainer *container, guint timeout_ms);

/* The signal that asks this container to end: its own, its image's, or SIGTERM.
 * @timeout_s: (inout): below 0: set to its own, or the default */
int dn_container_stop_signal (DnContainer *container, gint64 *timeout_s);

/* With op_lock held: asks the container to end, by @signal (0: its stop signal), and makes it after
 * @timeout_s (-1: its own, by default 10).  TRUE at once for one that does not run. */
gboolean dn_container_stop (DnContainer *container, int signal, gint64 timeout_s, GError **error);

/* With op_lock held: SIGKILL, and waits until it has ended. */
gboolean dn_container_kill (DnContainer *container, GError **error);
