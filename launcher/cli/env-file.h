/* SPDX-License-Identifier: Apache-2.0 */
/* Environment for a container: from -e words and --env-file files.
 *
 * NAME=VALUE is taken as it is; a NAME alone takes the caller's own value and is left out when the
 * caller has none.  In a file each line is one of these; empty lines and lines that start with #
 * are skipped, blanks before a name too; nothing is unquoted.  Pure but for reading the file.
 */
#pragma once

#include <glib.h>

#define DN_ENV_FILE_MAX_BYTES (1024 * 1024)

/* Appends one word to @env; @variables is the caller's, as g_get_environ().  DN_ERROR_USAGE for an
 * empty or odd name, or a value that is no UTF-8. */
gboolean dn_env_add (GPtrArray *env, const char *word, char **variables, GError **error);

/* Appends a file's lines, given as @text; @what names it in errors. */
gboolean dn_env_add_text (GPtrArray *env, const char *text, char **variables, const char *what,
                          GError **error);

/* Files first, then words, so that -e wins: a NULL-terminated list for the API. (transfer full) */
char **dn_env_collect (char **files, char **words, GError **error);
