/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/pull-manifest.c launcher/intake/pull-fault.c launcher/common/json.c
   launcher/common/error.c launcher/base/intake-order.c */
/* Packages: glib-2.0 json-glib-1.0 */

/* What a registry answers, as the jail reads it: manifests, and skopeo's words about them; and
 * danchid's order, which has one form. */
#include "../../launcher/base/intake-order.h"
#include "../../launcher/intake/pull-fault.h"
#include "../../launcher/intake/pull-manifest.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnManifest) manifest = dn_manifest_parse ((const char *) data, size, NULL);
  g_autofree char *words = g_strndup ((const char *) data, size);
  g_autofree char *message = dn_pull_fault_message (words);
  DnIntakeOrder order;

  if (manifest != NULL && manifest->is_index && !dn_manifest_is_digest (manifest->chosen))
    g_error ("chosen: %s", manifest->chosen);
  for (guint i = 0; manifest != NULL && i < manifest->blobs->len; i++)
    if (!dn_manifest_is_digest (((DnManifestBlob *) manifest->blobs->pdata[i])->digest))
      g_error ("a blob's digest has another form");
  if (dn_pull_fault_find (words)->code == NULL || strlen (message) > size)
    g_error ("a fault without a code");
  if (dn_intake_order_parse (words, &order) == 0 && (order.uid == 0 || order.gid == 0))
    g_error ("an order for root");
  return 0;
}
