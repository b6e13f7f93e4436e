/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/verdict.c launcher/images/scan.c launcher/images/scan-lines.c
 * launcher/common/scan-words.c launcher/common/names.c
 * launcher/common/json.c launcher/common/error.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* A scanner's bytes: whatever the reader in the jail says of them, danchid takes, and it reads back
 * from image.json. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/images/scan-lines.h"
#include "../../launcher/intake/verdict.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
take_line (const char *line, gpointer data)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  if (strlen (line) > 1000 || !dn_scan_lines_add (data, words, NULL))
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnScanLines) lines = dn_scan_lines_new ();
  g_autoptr (DnScan) scan = NULL;
  g_autoptr (DnScan) again = NULL;
  g_autoptr (JsonObject) json = NULL;

  if (!dn_verdict_read ((const char *) data, size, take_line, lines, NULL))
    return 0;
  scan = dn_scan_lines_finish (lines, NULL);
  if (scan == NULL)
    abort ();
  json = dn_scan_to_json (scan);
  again = dn_scan_from_json (json, "fuzz", NULL);
  if (again == NULL)
    abort ();
  return 0;
}
