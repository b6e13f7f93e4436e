/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name and as sets of bits, numbered as the kernel numbers them.
 *
 * Whether a container may have one is not decided here: admission.h.
 *
 * Pure.  Source: capabilities(7), <linux/capability.h>.
 */
#pragma once

#include <glib.h>

/* Whether @name is a capability, in either case, with or without "CAP_"; then @ret_bit has it. */
gboolean dn_capability_bit (const char *name, guint64 *ret_bit);

/* "CHOWN", ... of a set, by number.  (transfer full): NULL-terminated */
char **dn_capability_names (guint64 set);

/* Checks the words of --cap-add and --cap-drop, each NULL or a list: DN_ERROR_USAGE for what is no
 * capability, DN_ERROR_DENIED for ALL in @add, which is refused always. */
gboolean dn_capability_check (char **add, char **drop, GError **error);

/* The set that @names, checked before, stand for; "ALL" is every one.  NULL: none. */
guint64 dn_capability_set (char **names);
