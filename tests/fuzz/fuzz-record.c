/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/record/line.c launcher/record/anchor.c launcher/record/check.c
 * launcher/record/files.c launcher/record/entry.c launcher/record/args.c launcher/common/json.c
 * launcher/common/names.c launcher/common/error.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* A record as somebody may have left it: the check ends, and what differs from a whole record by
 * as much as a byte has a finding.  The same bytes as an anchor, and as a caller's arguments. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/record/anchor.h"
#include "../../launcher/record/args.h"
#include "../../launcher/record/check.h"
#include "../../launcher/record/entry.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
check_text (const char *text, size_t size, const DnRecordHead *anchor)
{
  g_autoptr (DnRecordCheck) check = dn_record_check_new (1);
  const char *at = text, *newline;

  if (anchor != NULL)
    dn_record_check_anchor (check, anchor, "anchor", TRUE);
  dn_record_check_file (check, "0001.jsonl");
  while ((newline = memchr (at, '\n', size - (size_t) (at - text))) != NULL)
    {
      (void) dn_record_check_line (at, (gsize) (newline - at), TRUE, check);
      at = newline + 1;
    }
  if (at < text + size)
    (void) dn_record_check_line (at, size - (size_t) (at - text), FALSE, check);
  dn_record_check_end (check);
  return check->findings->len;
}

/* Of the first bytes a body is made; the rest overwrites what is sealed. */
static void
try_overwriting (const uint8_t *data, size_t size)
{
  DnRecordHead head = { .seq = 1, .time_us = 5 };
  g_autofree char *line = NULL, *changed = NULL;
  size_t length, at;

  g_strlcpy (head.prev, DN_RECORD_NO_HASH, sizeof head.prev);
  line = dn_record_line_seal ("{\"verb\":\"gc\",\"phase\":\"whole\"}", &head);
  length = strlen (line);
  changed = g_memdup2 (line, length);
  if (size < 2)
    return;
  at = data[0] % length;
  memcpy (changed + at, data + 1, MIN (size - 1, length - at));
  if ((check_text (changed, length, &head) == 0) != (memcmp (changed, line, length) == 0))
    abort ();
}

static void
try_arguments (const char *text, size_t size)
{
  g_autoptr (JsonNode) node = dn_json_parse (text, size, 1 << 20, "args", NULL);
  g_autoptr (DnRecordEntry) entry = dn_record_entry_new (DN_RECORD_REQUEST, "gc");
  g_autofree char *body = NULL;
  g_autoptr (JsonNode) again = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  entry->args = dn_record_args_pick (json_node_get_object (node));
  body = dn_record_entry_print (entry);
  if (strlen (body) > DN_RECORD_BODY_MAX_BYTES || strchr (body, '\n') != NULL)
    abort ();
  again = dn_json_parse (body, strlen (body), DN_RECORD_LINE_MAX_BYTES, "body", NULL);
  if (again == NULL)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnRecordHead anchor;

  (void) check_text ((const char *) data, size, NULL);
  (void) dn_record_anchor_parse ((const char *) data, size, &anchor);
  try_overwriting (data, size);
  try_arguments ((const char *) data, size);
  return 0;
}
