/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a guest's relay and ends it.
 *
 * The relay gets exactly four descriptors besides its standard ones: two listening sockets, the
 * console ring and the lock file whose lock it holds as long as it lives.  It opens nothing by
 * path.  It is not bound to danchid's life.
 *
 * Privilege: root; the relay gives it up itself (launcher/confined/lockdown.h).
 */
#pragma once

#include "journal.h"

/**
 * dn_relay_process_start:
 * @directory: the guest's directory under RUN: relay.sock, console.sock, ring and lock lie there
 * @entry: its relay_pid and relay_start_ticks are set; the caller writes it to the journal
 *
 * Binds the sockets anew, so that it serves the first start and every later one.  The relay's
 * standard error goes to STATE/log/relay-ID.log.
 */
gboolean dn_relay_process_start (const char *directory, DnJournalEntry *entry, GError **error);

/* Ends the recorded relay, if it is still that process, and reaps it where it is our child.
 * Returns: TRUE when it is gone. */
gboolean dn_relay_process_end (DnJournalEntry *entry, guint wait_ms);

/* Whether somebody holds the relay's lock in @directory. */
gboolean dn_relay_process_is_alive (const char *directory);

/* (transfer full) */
char *dn_relay_process_log_path (const char *id);
