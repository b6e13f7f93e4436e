/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/profile.c launcher/spec/profile-file.c launcher/spec/profile-table.c
   launcher/spec/capability.c launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/ulimit.c
   launcher/common/key-*.c launcher/common/names.c launcher/common/error.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* A caller's own profile: what is taken has a canonical text, which is the same profile. */
#include <stdint.h>
#include <string.h>

#include "../../launcher/spec/profile-file.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnProfile) first = dn_profile_parse ((const char *) data, size, "fuzz", NULL);
  g_autoptr (DnProfile) second = NULL;
  g_autofree char *text = NULL;

  if (first == NULL)
    return 0;
  text = dn_profile_print (first);
  second = dn_profile_parse (text, strlen (text), "fuzz", NULL);
  if (second == NULL || !g_str_equal (first->sha256, second->sha256))
    g_error ("not the same profile: %s", text);
  return 0;
}
