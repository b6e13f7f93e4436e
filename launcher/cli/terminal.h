/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal in raw mode, and back on every way out.
 *
 * In raw mode each key goes to the process in the container, which has a terminal of its own that
 * echoes and turns ctrl-c into a signal.  A shell that gets its terminal back raw is unusable, so
 * the old state is restored by dn_terminal_restore(), at exit, and by handlers for every signal
 * that ends this process.  (Nothing can be done about SIGKILL: `reset` or `stty sane` then.)
 *
 * There is one terminal, standard input, and its state is the one thing here that lives in static
 * variables: handlers and atexit(3) have nothing else to reach it by.
 *
 * Source: termios(3), signal-safety(7): tcsetattr() may be called in a handler.
 */
#pragma once

#include <glib.h>

/* Whether standard input is a terminal. */
gboolean dn_terminal_is_there (void);

/* The size of the terminal on stdin, stdout or stderr; 0 by 0 where there is none. */
void dn_terminal_get_size (guint16 *ret_rows, guint16 *ret_columns);

/* Remembers standard input's state and makes it raw.  DN_ERROR_FAILED. */
gboolean dn_terminal_make_raw (GError **error);

/* Raw again, after dn_terminal_restore() or after this process was stopped. */
void dn_terminal_resume (void);

/* Back to what dn_terminal_make_raw() found; may be called at any time, also without it. */
void dn_terminal_restore (void);

/* Restores, then ends (or stops) this process by @signal's default action, so that whoever waits
 * for it sees the true reason.  Returns only for a signal that stops, after the process goes on. */
void dn_terminal_die (int signal);
