/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/options*.c launcher/spec/restart-policy.c launcher/spec/health-times.c
   launcher/spec/profile*.c launcher/spec/tmpfs.c launcher/spec/mount-*.c launcher/spec/c[ap]*.c
   launcher/spec/env.c launcher/common/names.c launcher/spec/u*t.c launcher/spec/quantity.c
   launcher/common/secret-spec.c launcher/spec/secrets-check.c
   launcher/common/signal-name.c launcher/common/[ej]*.c launcher/common/key-*.c
   launcher/common/paths.c launcher/spec/network-*.c launcher/spec/port-spec.c
   launcher/base/network-rule.c launcher/base/public-address.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libseccomp libvirt */

/* What is taken is stored and read back, to the same. */
#include <stdint.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/spec/spec.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (JsonNode) root = dn_json_parse ((const char *) data, size, 4096, "input", NULL);
  g_autoptr (JsonNode) stored = NULL, again = NULL;
  g_autoptr (DnContainerOptions) options = NULL, back = NULL;
  g_autofree char *first = NULL, *second = NULL;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return 0;
  options = dn_container_options_read (json_node_get_object (root), NULL);
  if (options == NULL)
    return 0;
  stored = dn_container_options_to_json (options);
  back = dn_container_options_read (json_node_get_object (stored), NULL);
  if (back == NULL)
    g_error ("what was stored is refused");
  again = dn_container_options_to_json (back);
  first = dn_json_to_text (stored, FALSE);
  second = dn_json_to_text (again, FALSE);
  if (strcmp (first, second) != 0)
    g_error ("%s became %s", first, second);
  return 0;
}
