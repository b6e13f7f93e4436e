/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: lists of NAME=VALUE.
 *
 * Nothing of danchid's or the agent's own environment gets into a container's: it has what Danchi
 * sets, what the image sets and what the user sets, the later ones winning.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#define DN_ENV_MAX 1024
/* execve(2) takes 128 KiB for one; all of them travel in one document with the rest. */
#define DN_ENV_VALUE_MAX_BYTES (32 * 1024)
#define DN_ENV_TOTAL_MAX_BYTES (256 * 1024)

/* @env: NULL or a list.  @what ("--env", "image") is for the error; @code is its code. */
gboolean dn_env_check (char **env, const char *what, int code, GError **error);

/* Sets what @env (NULL or a list, checked) holds in @list, an array of owned strings: a name that
 * is there already keeps its place and gets the new value. */
void dn_env_merge (GPtrArray *list, char **env);

/* Whether @list sets @name. */
gboolean dn_env_has (GPtrArray *list, const char *name);
