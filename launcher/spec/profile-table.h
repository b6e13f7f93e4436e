/* SPDX-License-Identifier: Apache-2.0 */
/* The free-form groups of a profile: [mounts], [tmpfs], [paths], [rlimits], [sysctls].
 *
 * Pure; inner half of profile-file.h.
 */
#pragma once

#include "profile.h"

typedef enum
{
  DN_PROFILE_MOUNTS,
  DN_PROFILE_TMPFS,
  DN_PROFILE_PATHS,
  DN_PROFILE_RLIMITS,
  DN_PROFILE_SYSCTLS,
  DN_PROFILE_TABLES, /* how many there are */
} DnProfileTable;

/* @tables: key, value, key, value of each, as the file has them.  DN_ERROR_CONFIG, naming file,
 * group and key. */
gboolean dn_profile_read_tables (DnProfile *profile, GPtrArray *tables[], const char *what,
                                 GError **error);

/* Appends the groups to @text as dn_profile_read_tables() reads them. */
void dn_profile_print_tables (const DnProfile *profile, GString *text);
