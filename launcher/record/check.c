/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdarg.h>
#include <string.h>

#include "files.h"

#define SHORT 12 /* of a hash, in words */

typedef struct
{
  DnRecordHead head;
  char *name; /* owned */
  gboolean is_live;
  gboolean is_met;
} Anchor;

static void
free_anchor (gpointer data)
{
  Anchor *anchor = data;

  g_free (anchor->name);
  g_free (anchor);
}

static void
free_finding (gpointer data)
{
  DnRecordFinding *finding = data;

  g_free (finding->file);
  g_free (finding->words);
  g_free (finding);
}

DnRecordCheck *
dn_record_check_new (guint64 first_seq)
{
  DnRecordCheck *check = g_new0 (DnRecordCheck, 1);

  check->findings = g_ptr_array_new_with_free_func (free_finding);
  check->remarks = g_ptr_array_new_with_free_func (free_finding);
  check->anchors = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_anchor);
  check->first_seq = first_seq;
  check->file = g_strdup ("");
  return check;
}

void
dn_record_check_free (DnRecordCheck *check)
{
  if (check == NULL)
    return;
  g_ptr_array_unref (check->findings);
  g_ptr_array_unref (check->remarks);
  g_hash_table_unref (check->anchors);
  g_free (check->file);
  g_free (check);
}

static void add (DnRecordCheck *check, GPtrArray *list, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
add (DnRecordCheck *check, GPtrArray *list, const char *format, ...)
{
  DnRecordFinding *finding;
  va_list args;

  if (list->len >= DN_RECORD_FINDINGS_MAX)
    {
      check->more += list == check->findings;
      return;
    }
  finding = g_new0 (DnRecordFinding, 1);
  va_start (args, format);
  finding->words = g_strdup_vprintf (format, args);
  va_end (args);
  finding->file = g_strdup (check->file);
  finding->line = check->line;
  g_ptr_array_add (list, finding);
}

void
dn_record_check_anchor (DnRecordCheck *check, const DnRecordHead *head, const char *name,
                        gboolean is_live)
{
  Anchor *known = g_hash_table_lookup (check->anchors, &head->seq);
  Anchor *anchor;

  if (known != NULL)
    {
      if (strcmp (known->head.hash, head->hash) != 0)
        add (check, check->findings,
             "the anchors '%s' and '%s' disagree on line seq %" G_GUINT64_FORMAT, known->name, name,
             head->seq);
      known->is_live = known->is_live || is_live;
      return;
    }
  anchor = g_new0 (Anchor, 1);
  anchor->head = *head;
  anchor->name = g_strdup (name);
  anchor->is_live = is_live;
  g_hash_table_insert (check->anchors, &anchor->head.seq, anchor);
}

void
dn_record_check_file (DnRecordCheck *check, const char *name)
{
  if (check->has_torn_end)
    add (check, check->findings, "the file ends in the middle of a line, and is not the last one");
  check->has_torn_end = FALSE;
  g_free (check->file);
  check->file = g_strdup (name);
  check->line = 0;
  check->files++;
}

static void
check_first (DnRecordCheck *check, const DnRecordHead *head)
{
  check->first = *head;
  if (head->seq > check->first_seq)
    add (check, check->findings,
         "the record begins with line seq %" G_GUINT64_FORMAT ": lines %" G_GUINT64_FORMAT
         " to %" G_GUINT64_FORMAT " are missing",
         head->seq, check->first_seq, head->seq - 1);
  else if (head->seq == 1 && strcmp (head->prev, DN_RECORD_NO_HASH) != 0)
    add (check, check->findings, "the first line follows another one");
}

static void
check_order (DnRecordCheck *check, const DnRecordHead *head)
{
  const DnRecordHead *last = &check->last;

  if (head->seq <= last->seq)
    add (check, check->findings,
         "line seq %" G_GUINT64_FORMAT " comes after seq %" G_GUINT64_FORMAT
         ": inserted, repeated or moved",
         head->seq, last->seq);
  else if (head->seq > last->seq + 1)
    add (check, check->findings,
         "lines seq %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " are missing before this one",
         last->seq + 1, head->seq - 1);
  else if (strcmp (head->prev, last->hash) != 0)
    add (check, check->findings,
         "does not follow the line before it: that has hash %.*s, this one was written after %.*s",
         SHORT, last->hash, SHORT, head->prev);
  else if (head->time_us < last->time_us)
    add (check, check->findings, "is older than the line before it");
}

static void
meet_anchor (DnRecordCheck *check, const DnRecordHead *head)
{
  Anchor *anchor = g_hash_table_lookup (check->anchors, &head->seq);

  if (anchor == NULL)
    return;
  anchor->is_met = TRUE;
  if (strcmp (anchor->head.hash, head->hash) != 0)
    add (check, check->findings,
         "is not the line of anchor '%s': that has hash %.*s, this one %.*s", anchor->name, SHORT,
         anchor->head.hash, SHORT, head->hash);
}

/* What danchid itself wrote of its record.  The words stand at the start of a body of its own, so
 * no caller's text can be taken for them. */
static void
note_own_words (DnRecordCheck *check, const char *line, gsize size)
{
  static const struct
  {
    const char *key;
    const char *words;
    gboolean is_finding;
  } notes[] = {
    { "\",\"verb\":\"" DN_RECORD_VERB_BROKEN "\"",
      "danchid found here that the record did not end where its anchor said", TRUE },
    { "\",\"verb\":\"" DN_RECORD_VERB_LOST "\"",
      "danchid could not write some outcomes before this line: what it could not is counted in it",
      FALSE },
    { "\",\"verb\":\"" DN_RECORD_VERB_RECOVERED "\"",
      "danchid cut off half a line before this one, which a crash had left", FALSE },
  };
  g_autofree char *text = g_strndup (line, size);

  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++)
    {
      /* Behind prev's hash. */
      const char *found = strstr (text, notes[i].key);

      if (found != NULL && strstr (text, "\",\"verb\":\"") == found)
        add (check, notes[i].is_finding ? check->findings : check->remarks, "%s", notes[i].words);
    }
}

gboolean
dn_record_check_line (const char *line, gsize size, gboolean is_whole, gpointer data)
{
  DnRecordCheck *check = data;
  DnRecordHead head;
  gboolean is_true;

  check->line++;
  if (!is_whole)
    {
      check->has_torn_end = TRUE;
      return TRUE;
    }
  check->lines++;
  if (!dn_record_line_read (line, size, &head, &is_true))
    {
      add (check, check->findings, "is no line of a record: edited or inserted");
      return TRUE;
    }
  if (!is_true)
    add (check, check->findings,
         "line seq %" G_GUINT64_FORMAT " was edited: its hash is not that of its bytes", head.seq);
  if (check->first.seq == 0)
    check_first (check, &head);
  else
    check_order (check, &head);
  meet_anchor (check, &head);
  if (is_true)
    note_own_words (check, line, size);
  /* Its own words even where they are wrong: one change is one finding, or two. */
  check->last = head;
  return TRUE;
}

static void
end_anchor (DnRecordCheck *check, const Anchor *anchor)
{
  guint64 last = check->last.seq;

  /* Of a record that had no line yet. */
  if (anchor->head.seq == 0)
    {
      if (anchor->is_live && last > 0)
        add (check, check->remarks, "the anchor '%s' is older than the first line", anchor->name);
      return;
    }
  if (!anchor->is_met && anchor->head.seq > last)
    add (check, check->findings,
         "the record ends with line seq %" G_GUINT64_FORMAT ", anchor '%s' knows %" G_GUINT64_FORMAT
         ": lines are cut off at the end",
         last, anchor->name, anchor->head.seq);
  else if (!anchor->is_met && anchor->head.seq >= check->first_seq)
    add (check, check->findings,
         "line seq %" G_GUINT64_FORMAT " of anchor '%s' is not in the record", anchor->head.seq,
         anchor->name);
  else if (!anchor->is_met)
    add (check, check->remarks,
         "anchor '%s' is of line seq %" G_GUINT64_FORMAT ", which is archived", anchor->name,
         anchor->head.seq);
  else if (anchor->is_live && anchor->head.seq < last)
    add (check, check->remarks,
         "%" G_GUINT64_FORMAT " lines are younger than the anchor '%s': being written, or written "
         "right before a power loss",
         last - anchor->head.seq, anchor->name);
}

void
dn_record_check_end (DnRecordCheck *check)
{
  gboolean is_vouched = g_hash_table_size (check->anchors) > 0;
  GHashTableIter iter;
  Anchor *anchor;

  /* Half a line at the very end: an anchor tells whether a whole one has stood there. */
  if (check->has_torn_end)
    add (check, is_vouched ? check->remarks : check->findings,
         "the record ends in the middle of a line%s",
         is_vouched ? ": being written, or cut by a crash" : "");
  check->line = 0;
  g_free (check->file);
  check->file = g_strdup ("");
  g_hash_table_iter_init (&iter, check->anchors);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &anchor))
    end_anchor (check, anchor);
}

gboolean
dn_record_check_directory (DnRecordCheck *check, const char *directory, GError **error)
{
  g_autoptr (GArray) numbers = dn_record_files_list (directory, error);

  if (numbers == NULL)
    return FALSE;
  for (guint i = 0; i < numbers->len; i++)
    {
      g_autofree char *name = dn_record_file_name (g_array_index (numbers, guint, i));
      g_autofree char *path = g_build_filename (directory, name, NULL);

      dn_record_check_file (check, name);
      if (!dn_record_file_read (path, 0, dn_record_check_line, check, NULL, error))
        return FALSE;
    }
  dn_record_check_end (check);
  return TRUE;
}
