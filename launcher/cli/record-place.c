/* SPDX-License-Identifier: Apache-2.0 */
#include "record-place.h"

#include "../common/paths.h"

char *
dn_record_place_directory (void)
{
  return g_build_filename (dn_paths ()->state, "audit", NULL);
}

char *
dn_record_place_anchor (void)
{
  g_autofree char *path = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  char *anchor = NULL;

  /* danchid reads the file strictly; here a wrong one means what no file means. */
  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    anchor = g_key_file_get_value (file, "audit", "anchor", NULL);
  return anchor != NULL ? g_strchomp (anchor)
                        : g_build_filename (dn_paths ()->state, "audit-anchor", "head", NULL);
}
