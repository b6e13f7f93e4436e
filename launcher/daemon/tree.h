/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of danchid's own: making and removing them. */
#pragma once

#include <glib.h>

/* Makes @path (its parent must exist) or takes it as it is, sets @mode whatever the umask, and
 * refuses what is no directory or belongs to somebody else.  DN_ERROR_FAILED. */
gboolean dn_tree_make (const char *path, guint mode, GError **error);

/* Removes @path and what is below it; follows no symbolic link, crosses no mount.  TRUE too when
 * there is none. */
gboolean dn_tree_remove (const char *path, GError **error);
