/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as text: GKeyFile's format, read strictly.
 *
 * Every key of the fixed groups has to be there (but [cgroup] memory_mib and cpu_shares), so that
 * no container is confined by what somebody forgot; what is unknown, stands twice or has a value of
 * the wrong kind is an error that names file, group and key.  config/profiles/strict.conf shows
 * and explains every key.
 *
 * Pure.
 */
#pragma once

#include "profile.h"

#define DN_PROFILE_MAX_BYTES (64 * 1024)
#define DN_PROFILE_TABLE_MAX 64 /* keys of a free-form group */

/* @what: the file's name, for errors.  (transfer full): NULL with DN_ERROR_CONFIG */
DnProfile *dn_profile_parse (const char *text, gsize size, const char *what, GError **error);

/* The canonical text: every key in one order, no comments.  dn_profile_parse() reads it again to
 * the same profile; its SHA-256 is the profile's.  (transfer full) */
char *dn_profile_print (const DnProfile *profile);
