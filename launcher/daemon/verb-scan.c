/* SPDX-License-Identifier: Apache-2.0 */
/* The verb that scans an image; see ../images/scan-run.h. */
#include "../images/image-scan.h"
#include "gate.h"
#include "lookup.h"
#include "verbs.h"

DN_VERB (image_scan)
{
  g_autofree char *text = NULL;
  gboolean allow_emulation = FALSE;
  const DnJsonField fields[] = {
    { "image", DN_JSON_STRING, TRUE, &text },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnImage) image = NULL;
  g_autoptr (DnScan) scan = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || !dn_gate_may_emulate (request, allow_emulation, error))
    return NULL;
  image = dn_lookup_image (request, text, error);
  if (image == NULL)
    return NULL;
  scan = dn_image_scan_make (request, image, allow_emulation, error);
  if (scan == NULL)
    return NULL;
  ok = json_object_new ();
  json_object_set_string_member (ok, "id", image->id);
  json_object_set_object_member (ok, "scan", dn_scan_to_json (scan));
  return ok;
}
