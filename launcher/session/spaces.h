/* SPDX-License-Identifier: Apache-2.0 */
/* A session's namespaces: user, mount, network, IPC.
 *
 * They are made once and live as long as any process in them; which those are is found by the mark
 * that the session's /run has (veil.h), so that nothing has to be remembered that a kill -9 could
 * leave wrong.  Processes keep the host's numbers: there is no pid namespace, whose first process
 * would take all guests with it.
 *
 * Privilege: an ordinary user's, with subordinate ids (subids.h) and unprivileged user namespaces.
 * Source: user_namespaces(7), setns(2), newuidmap(1).
 */
#pragma once

#include <glib.h>

/* Any process of the session whose run directory is @run; 0: there is none. */
gint dn_spaces_find (const char *run);

/* Makes this process one of the namespaces of @pid, with all capabilities in them; one thread. */
gboolean dn_spaces_join (gint pid, GError **error);

/* In the process that is to have new namespaces: makes them, and waits for its ids.  @ask_fd,
 * @answer_fd: pipes to whoever calls dn_spaces_map() for it. */
gboolean dn_spaces_make (int ask_fd, int answer_fd, GError **error);

/* In its parent: gives process @pid its ids, once it asks.  @what fails is told to it, too. */
gboolean dn_spaces_map (gint pid, int ask_fd, int answer_fd, GError **error);
