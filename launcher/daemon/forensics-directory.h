/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/forensics/ID: where libvirt writes a guest's memory, which it does by path alone.
 *
 * One directory for each dump, 0700, for as long as it takes to write and open it.
 */
#pragma once

#include <glib.h>

/* (transfer full): a fresh directory, or NULL with DN_ERROR_FAILED */
char *dn_forensics_directory_begin (GError **error);
void dn_forensics_directory_end (const char *path);

/* Removes those that a danchid before this one left; leaves alone what is in use.  Adds a line to
 * @removed for each. */
void dn_forensics_directory_sweep (GPtrArray *removed);
