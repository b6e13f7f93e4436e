/* SPDX-License-Identifier: Apache-2.0 */
/* danchi audit verify-log and danchi audit anchor: whether the audit record is what it was.
 *
 * Without a directory: this host's, with the anchor that danchid keeps; with one: a copy, anywhere,
 * with the anchors that are given.  Needs no danchid, and root only where the files are root's. */
#include <stdio.h>

#include "../common/error.h"
#include "../record/anchor.h"
#include "../record/check.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "record-place.h"
#include "units.h"

typedef struct
{
  char **anchors; /* owned */
  char *first;    /* owned */
} VerifyOptions;

/* Before the files are read: a record that is being written is then longer than its anchor says,
 * and never shorter. */
static gboolean
add_anchor (DnRecordCheck *check, const char *path, gboolean is_live, GError **error)
{
  DnRecordHead anchor;

  if (!dn_record_anchor_load (path, &anchor, error))
    return FALSE;
  dn_record_check_anchor (check, &anchor, path, is_live);
  return TRUE;
}

static gboolean
add_anchors (DnRecordCheck *check, char **anchors, const char *directory, GError **error)
{
  g_autofree char *live = dn_record_place_anchor ();

  for (; anchors != NULL && *anchors != NULL; anchors++)
    if (!add_anchor (check, *anchors, FALSE, error))
      return FALSE;
  return directory != NULL || add_anchor (check, live, TRUE, error);
}

static void
print_findings (GPtrArray *findings, const char *prefix)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const DnRecordFinding *finding = findings->pdata[i];
      g_autofree char *place = finding->line > 0 ? g_strdup_printf ("%s:%" G_GUINT64_FORMAT ": ",
                                                                    finding->file, finding->line)
                                                 : g_strdup ("");
      g_autofree char *line = g_strconcat (prefix, place, finding->words, NULL);

      dn_print_line (line);
    }
}

static void
print_text (const DnRecordCheck *check, gboolean has_anchor)
{
  guint64 count = check->findings->len + check->more;

  print_findings (check->findings, "");
  if (check->more > 0)
    printf ("and %" G_GUINT64_FORMAT " more\n", check->more);
  print_findings (check->remarks, "note: ");
  if (!has_anchor)
    puts ("note: no anchor was given: that the end was cut off cannot be seen");
  printf ("%" G_GUINT64_FORMAT " lines in %" G_GUINT64_FORMAT " files, seq %" G_GUINT64_FORMAT
          " to %" G_GUINT64_FORMAT ": ",
          check->lines, check->files, check->first.seq, check->last.seq);
  if (count == 0)
    puts ("nothing was changed");
  else
    printf ("%" G_GUINT64_FORMAT " findings\n", count);
}

static JsonArray *
findings_to_json (GPtrArray *findings)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < findings->len; i++)
    {
      const DnRecordFinding *finding = findings->pdata[i];
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "file", finding->file);
      json_object_set_int_member (object, "line", (gint64) finding->line);
      json_object_set_string_member (object, "what", finding->words);
      json_array_add_object_element (array, object);
    }
  return array;
}

static void
print_json (const DnRecordCheck *check, gboolean has_anchor)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_boolean_member (object, "is_whole", check->findings->len == 0);
  json_object_set_boolean_member (object, "has_anchor", has_anchor);
  json_object_set_int_member (object, "lines", (gint64) check->lines);
  json_object_set_int_member (object, "files", (gint64) check->files);
  json_object_set_int_member (object, "first_seq", (gint64) check->first.seq);
  json_object_set_int_member (object, "last_seq", (gint64) check->last.seq);
  json_object_set_string_member (object, "last_hash", check->last.hash);
  json_object_set_array_member (object, "findings", findings_to_json (check->findings));
  json_object_set_int_member (object, "more_findings", (gint64) check->more);
  json_object_set_array_member (object, "notes", findings_to_json (check->remarks));
  dn_print_object (object);
}

static int
verify (DnCli *cli, const VerifyOptions *options, const char *directory)
{
  g_autofree char *own = dn_record_place_directory ();
  g_autoptr (DnRecordCheck) check = NULL;
  g_autoptr (GError) error = NULL;
  gboolean has_anchor = directory == NULL || options->anchors != NULL;
  gint64 first = 1;

  if (options->first != NULL && !dn_units_parse_int (options->first, 1, G_MAXINT64, &first, &error))
    return dn_cli_fail_usage (cli, "--first: %s", error->message);
  check = dn_record_check_new ((guint64) first);
  if (!add_anchors (check, options->anchors, directory, &error)
      || !dn_record_check_directory (check, directory != NULL ? directory : own, &error))
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    print_json (check, has_anchor);
  else
    print_text (check, has_anchor);
  return check->findings->len == 0 ? DN_EXIT_DONE : DN_EXIT_FAILED;
}

int
dn_cmd_audit_verify_log (DnCli *cli, char **words)
{
  VerifyOptions options = { 0 };
  g_auto (GStrv) rest = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "anchor", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.anchors,
      "What danchi audit anchor printed, at any time; may be given again", "FILE" },
    { "first", 0, 0, G_OPTION_ARG_FILENAME, &options.first,
      "The first line that has to be there; those before are archived", "SEQ" },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 1, &rest, &status))
    status = verify (cli, &options, rest[0]);
  g_strfreev (options.anchors);
  g_free (options.first);
  return status;
}

int
dn_cmd_audit_anchor (DnCli *cli, char **words)
{
  const GOptionEntry entries[] = { DN_OPTION_END };
  g_autofree char *path = dn_record_place_anchor ();
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  g_autoptr (JsonObject) object = NULL;
  DnRecordHead anchor;
  int status;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  if (!dn_record_anchor_load (path, &anchor, &error))
    return dn_cli_fail (cli, error);
  line = dn_record_anchor_print (&anchor);
  if (!cli->is_json)
    {
      fputs (line, stdout);
      return DN_EXIT_DONE;
    }
  object = json_object_new ();
  json_object_set_int_member (object, "seq", (gint64) anchor.seq);
  json_object_set_int_member (object, "time_us", anchor.time_us);
  json_object_set_string_member (object, "hash", anchor.hash);
  json_object_set_string_member (object, "anchor", g_strchomp (line));
  dn_print_object (object);
  return DN_EXIT_DONE;
}
