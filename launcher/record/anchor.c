/* SPDX-License-Identifier: Apache-2.0 */
#include "anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CHECK_DIGITS 16
#define CHECK_KEY " check="

char *
dn_record_anchor_print (const DnRecordHead *head)
{
  g_autofree char *text = g_strdup_printf ("danchi-record-anchor 1 seq=%" G_GUINT64_FORMAT
                                           " time_us=%" G_GINT64_FORMAT " hash=%s",
                                           head->seq, head->time_us, head->hash);
  g_autofree char *check = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

  return g_strdup_printf ("%s" CHECK_KEY "%.*s\n", text, CHECK_DIGITS, check);
}

/* Read leniently, then compared with what would have been printed: strict to the byte. */
static gboolean
parse_line (const char *line, DnRecordHead *ret_head)
{
  DnRecordHead head = { 0 };
  g_autofree char *again = NULL;

  if (sscanf (line,
              "danchi-record-anchor 1 seq=%" G_GUINT64_FORMAT " time_us=%" G_GINT64_FORMAT
              " hash=%64[0-9a-f]",
              &head.seq, &head.time_us, head.hash)
          != 3
      || strlen (head.hash) != DN_RECORD_HASH_DIGITS)
    return FALSE;
  again = dn_record_anchor_print (&head);
  g_strchomp (again);
  if (strcmp (again, line) != 0)
    return FALSE;
  *ret_head = head;
  return TRUE;
}

gboolean
dn_record_anchor_parse (const char *text, gsize size, DnRecordHead *ret_head)
{
  g_autofree char *copy = g_strndup (text, size);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
  gboolean has_any = FALSE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      DnRecordHead head;

      if (!parse_line (g_strstrip (lines[i]), &head) || (has_any && head.seq <= ret_head->seq))
        continue;
      *ret_head = head;
      has_any = TRUE;
    }
  return has_any;
}

gboolean
dn_record_anchor_load (const char *path, DnRecordHead *ret_head, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  g_autofree char *text = g_malloc (DN_RECORD_ANCHOR_FILE_MAX_BYTES);
  gsize size = 0;
  ssize_t n = 0;

  if (fd < 0 && errno == ENOENT)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "anchor '%s': there is none", path);
  while (fd >= 0 && size < DN_RECORD_ANCHOR_FILE_MAX_BYTES
         && ((n = read (fd, text + size, DN_RECORD_ANCHOR_FILE_MAX_BYTES - size)) > 0
             || (n < 0 && errno == EINTR)))
    size += n > 0 ? (gsize) n : 0;
  if (fd < 0 || n < 0)
    return dn_throw_errno (error, "anchor '%s'", path);
  return dn_record_anchor_parse (text, size, ret_head)
         || dn_throw (error, DN_ERROR_CONFIG, "anchor '%s': holds no whole anchor", path);
}
