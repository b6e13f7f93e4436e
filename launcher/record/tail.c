/* SPDX-License-Identifier: Apache-2.0 */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/autofd.h"
#include "../common/error.h"

/* The end of one file. */
typedef struct
{
  gint64 size;
  gint64 end; /* of the last true line in it */
  DnRecordHead last;
  gboolean denies_anchor;
  gboolean is_seen_whole;
} End;

void
dn_record_tail_clear (DnRecordTail *tail)
{
  g_clear_pointer (&tail->broken, g_free);
}

static void
read_lines (End *end, const char *text, gsize size, gint64 offset, const DnRecordHead *anchor)
{
  const char *at = text;
  const char *newline;

  while ((newline = memchr (at, '\n', size - (gsize) (at - text))) != NULL)
    {
      DnRecordHead head;
      gboolean is_true;

      if (dn_record_line_read (at, (gsize) (newline - at), &head, &is_true) && is_true)
        {
          end->last = head;
          end->end = offset + (newline + 1 - text);
          end->denies_anchor = end->denies_anchor
                               || (anchor != NULL && head.seq == anchor->seq
                                   && strcmp (head.hash, anchor->hash) != 0);
        }
      at = newline + 1;
    }
}

static gboolean
read_end (const char *path, const DnRecordHead *anchor, End *end, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  g_autofree char *text = g_malloc (DN_RECORD_TAIL_BYTES);
  struct stat status;
  gint64 offset;
  gsize size = 0;

  *end = (End){ 0 };
  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "audit record '%s'", path);
  offset = MAX ((gint64) status.st_size - DN_RECORD_TAIL_BYTES, 0);
  while (size < DN_RECORD_TAIL_BYTES)
    {
      ssize_t n = pread (fd, text + size, DN_RECORD_TAIL_BYTES - size, offset + (gint64) size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "audit record '%s'", path);
      if (n == 0)
        break;
      size += (gsize) n;
    }
  end->size = offset + (gint64) size;
  end->is_seen_whole = offset == 0;
  read_lines (end, text, size, offset, anchor);
  return TRUE;
}

static void
judge (DnRecordTail *tail, const DnRecordHead *anchor, const End *end)
{
  guint64 last = tail->last.seq;

  if (end->last.seq == 0 && end->size > 0 && !end->is_seen_whole)
    tail->broken = g_strdup ("its last file ends with no line of a record");
  else if (anchor == NULL && last > 0)
    tail->broken = g_strdup_printf (
        "it ends with line seq %" G_GUINT64_FORMAT ", and its anchor is gone or damaged", last);
  else if (anchor != NULL && anchor->seq > last)
    tail->broken = g_strdup_printf ("it ends with line seq %" G_GUINT64_FORMAT
                                    ", its anchor knows %" G_GUINT64_FORMAT " with hash %s",
                                    last, anchor->seq, anchor->hash);
  else if (end->denies_anchor)
    tail->broken = g_strdup_printf ("its line seq %" G_GUINT64_FORMAT
                                    " is not the one that its anchor knows with hash %s",
                                    anchor->seq, anchor->hash);
}

gboolean
dn_record_tail_find (const char *directory, const DnRecordHead *anchor, DnRecordTail *ret_tail,
                     GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GArray) numbers = dn_record_files_list (directory, &local);
  DnRecordTail tail = { 0 };
  End last_end = { 0 };

  if (numbers == NULL && !g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  /* Backwards: a crash right after a new file was begun leaves that without a line. */
  for (guint i = numbers != NULL ? numbers->len : 0; i > 0 && tail.last.seq == 0; i--)
    {
      guint number = g_array_index (numbers, guint, i - 1);
      g_autofree char *name = dn_record_file_name (number);
      g_autofree char *path = g_build_filename (directory, name, NULL);
      End end;

      if (!read_end (path, anchor, &end, error))
        return FALSE;
      tail.last = end.last;
      if (tail.number == 0)
        {
          tail.number = number;
          tail.size_bytes = end.end;
          tail.cut_bytes = end.size - end.end;
          tail.is_empty = end.size == 0;
          last_end = end;
        }
      last_end.denies_anchor = last_end.denies_anchor || end.denies_anchor;
    }
  judge (&tail, anchor, &last_end);
  if (tail.broken != NULL)
    tail.cut_bytes = 0;
  *ret_tail = tail;
  return TRUE;
}
