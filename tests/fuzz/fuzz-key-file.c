/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/daemon/scan-settings.c launcher/images/reference.c
 * launcher/pods/pod-settings.c
 * launcher/images/scan-disk.c launcher/daemon/context-definition.c launcher/daemon/settings.c
 * launcher/network/plan.c launcher/daemon/host-access.c launcher/spec/access.c
 * launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
 * launcher/common/paths.c launcher/spec/policy.c launcher/spec/terms.c
 * launcher/spec/bind-policy.c launcher/spec/signing-key.c launcher/spec/placement.c
 * launcher/spec/reference-glob.c launcher/spec/profile.c launcher/spec/capability.c
 * launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/network-policy.c
 * launcher/base/network-rule.c launcher/base/public-address.c launcher/common/json.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* A context's file and danchi.conf; what is taken is printed and taken again, every value stands
 * in a line of the file, and what is refused names one. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/daemon/context-definition.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
count_lines (const uint8_t *data, size_t size)
{
  guint lines = 1;

  for (size_t i = 0; i < size; i++)
    lines += data[i] == '\n';
  return lines;
}

/* "file 'fuzz:LINE': ..." */
static void
check_message (const char *message, guint lines)
{
  guint64 line;

  if (!g_str_has_prefix (message, "file 'fuzz:"))
    abort ();
  line = g_ascii_strtoull (message + strlen ("file 'fuzz:"), NULL, 10);
  if (line < 1 || line > lines)
    abort ();
}

static void
check_places (const DnKey *keys, const DnKeyPlaces *places, guint lines)
{
  for (; keys->group != NULL; keys++)
    if (dn_key_places_find (places, keys->group, keys->key) > lines)
      abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnSettings) settings = dn_settings_new ("fuzz"), built_in = dn_settings_new ("fuzz");
  g_autoptr (GError) error = NULL, second_error = NULL;
  guint lines = count_lines (data, size);
  DnContextDefinition first, second;
  DnKey keys[DN_CONTEXT_KEYS + 1];

  if (size > 65536)
    return 0;
  if (!dn_settings_parse (settings, (const char *) data, size, &error))
    check_message (error->message, lines);
  dn_context_definition_init (&first, built_in);
  dn_context_definition_init (&second, built_in);
  if (dn_context_definition_parse (&first, (const char *) data, size, "fuzz", &second_error))
    {
      g_autofree char *text = dn_context_definition_print (&first), *again = NULL;

      dn_context_definition_fill_keys (&first, keys);
      check_places (keys, first.origin.places, lines);
      if (!dn_context_definition_parse (&second, text, strlen (text), "fuzz", NULL))
        abort ();
      again = dn_context_definition_print (&second);
      if (strcmp (text, again) != 0)
        abort ();
    }
  else
    check_message (second_error->message, lines);
  dn_context_definition_clear (&first);
  dn_context_definition_clear (&second);
  return 0;
}
