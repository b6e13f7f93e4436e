/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits of processes as --ulimit names them.
 *
 * Pure.  Source: getrlimit(2); Docker's names.
 */
#pragma once

#include <glib.h>

#define DN_ULIMIT_NONE (-1)

/* What any container may ask for as open files: the kernel's default for fs.nr_open. */
#define DN_ULIMIT_NOFILE_MAX 1048576

typedef struct
{
  const char *type; /* "RLIMIT_NOFILE", of static life */
  gint64 soft;      /* DN_ULIMIT_NONE: unlimited */
  gint64 hard;
} DnUlimit;

/* @text: NAME=SOFT[:HARD], numbers or "unlimited" or -1.  DN_ERROR_USAGE, or DN_ERROR_DENIED for
 * limits that give power over others. */
gboolean dn_ulimit_parse (const char *text, DnUlimit *ret_ulimit, GError **error);

/* Likewise for a profile, where those limits may stand too, but only to give no such power: nice
 * and rtprio as 0. */
gboolean dn_ulimit_parse_any (const char *text, DnUlimit *ret_ulimit, GError **error);

/* What --ulimit calls it. */
const char *dn_ulimit_name (const DnUlimit *ulimit);
