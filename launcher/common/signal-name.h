/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as people write them: "KILL", "SIGKILL", "sigkill", "9", "RTMIN+3".
 *
 * The numbers are Linux's on x86-64, for host and guest alike.  Pure.
 */
#pragma once

#include <glib.h>

#define DN_SIGNAL_NUMBER_MAX 64

/* Returns: the number, or -1 for what is no signal. */
int dn_signal_from_text (const char *text);

/* Likewise, with DN_ERROR_USAGE for what is no signal. */
gboolean dn_signal_parse (const char *text, guint *ret_signal, GError **error);
