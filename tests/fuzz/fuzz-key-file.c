/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/context-definition.c launcher/daemon/settings.c
 * launcher/daemon/host-access.c launcher/spec/access.c
 * launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
 * launcher/common/paths.c launcher/spec/policy.c launcher/spec/profile.c
 * launcher/spec/capability.c launcher/spec/tmpfs.c launcher/spec/quantity.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* A context's file; what is taken is printed and taken again. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/daemon/context-definition.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnSettings settings;
  DnContextDefinition first, second;

  dn_settings_init (&settings);
  dn_context_definition_init (&first, &settings);
  dn_context_definition_init (&second, &settings);
  if (size <= 65536
      && dn_context_definition_parse (&first, (const char *) data, size, "fuzz", NULL))
    {
      g_autofree char *text = dn_context_definition_print (&first);

      if (!dn_context_definition_parse (&second, text, strlen (text), "fuzz", NULL)
          || strcmp (first.tenant, second.tenant) != 0)
        abort ();
    }
  dn_context_definition_clear (&first);
  dn_context_definition_clear (&second);
  dn_settings_clear (&settings);
  return 0;
}
