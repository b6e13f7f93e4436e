/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-lines.h"

#include <string.h>

#include "../common/error.h"

/* What comes next; from ID to TITLE in the order of a finding's texts. */
typedef enum
{
  DUE_VERDICT,
  DUE_SUMMARY,
  DUE_COUNTS,
  DUE_FINDING,
  DUE_ID,
  DUE_PACKAGE,
  DUE_INSTALLED,
  DUE_FIXED,
  DUE_TITLE,
} Due;

static const struct
{
  const char *word;
  guint values;
  gsize max_bytes; /* of a text; 0: it has none */
} rules[] = {
  [DUE_VERDICT] = { "verdict", 1, 0 },
  [DUE_SUMMARY] = { "summary", 1, DN_SCAN_SUMMARY_BYTES },
  [DUE_COUNTS] = { "counts", DN_SCAN_SEVERITIES, 0 },
  [DUE_FINDING] = { "finding", 1, 0 },
  [DUE_ID] = { "id", 1, DN_SCAN_ID_BYTES },
  [DUE_PACKAGE] = { "package", 1, DN_SCAN_ID_BYTES },
  [DUE_INSTALLED] = { "installed", 1, DN_SCAN_VERSION_BYTES },
  [DUE_FIXED] = { "fixed", 1, DN_SCAN_VERSION_BYTES },
  [DUE_TITLE] = { "title", 1, DN_SCAN_TITLE_BYTES },
};

#define TEXTS (DUE_TITLE - DUE_ID + 1)

struct DnScanLines
{
  Due due;
  DnScan *scan;                    /* owned */
  gint64 left[DN_SCAN_SEVERITIES]; /* findings that may still come */
  DnScanSeverity severity;         /* of the last one */
  char *texts[TEXTS];              /* owned; of the one that is coming */
};

DnScanLines *
dn_scan_lines_new (void)
{
  DnScanLines *lines = g_new0 (DnScanLines, 1);

  lines->scan = dn_scan_new (DN_SCAN_ERROR, "");
  lines->severity = DN_SCAN_CRITICAL;
  return lines;
}

static void
clear_texts (DnScanLines *lines)
{
  for (guint i = 0; i < TEXTS; i++)
    g_clear_pointer (&lines->texts[i], g_free);
}

void
dn_scan_lines_free (DnScanLines *lines)
{
  if (lines == NULL)
    return;
  clear_texts (lines);
  dn_scan_unref (lines->scan);
  g_free (lines);
}

/* (transfer full): or NULL where it is no text that may stand here. */
static char *
read_text (const char *word, gsize max_bytes)
{
  g_autofree char *text = g_uri_unescape_string (word, NULL);

  if (text == NULL || strlen (text) > max_bytes || !g_utf8_validate (text, -1, NULL))
    return NULL;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return NULL;
  return g_steal_pointer (&text);
}

static gboolean
find_word (const char *const *words, guint count, const char *word, guint *ret_index)
{
  for (guint i = 0; i < count; i++)
    if (g_str_equal (words[i], word))
      {
        *ret_index = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
take_verdict (DnScanLines *lines, const char *word)
{
  guint index = 0;

  /* The first three: nobody says `error`. */
  if (!find_word (dn_scan_verdict_words, DN_SCAN_ERROR, word, &index))
    return FALSE;
  lines->scan->verdict = (DnScanVerdict) index;
  return TRUE;
}

static gboolean
take_counts (DnScanLines *lines, char **values)
{
  for (guint i = 0; i < DN_SCAN_SEVERITIES; i++)
    {
      guint64 value = 0;

      if (!g_ascii_string_to_unsigned (values[i], 10, 0, DN_SCAN_VERDICT_MAX_BYTES, &value, NULL))
        return FALSE;
      lines->scan->counts[i] = lines->left[i] = (gint64) value;
    }
  return TRUE;
}

/* The most severe first, and no more than are counted. */
static gboolean
take_finding (DnScanLines *lines, const char *word)
{
  guint severity = 0;

  if (!find_word (dn_scan_severity_words, DN_SCAN_SEVERITIES, word, &severity)
      || (DnScanSeverity) severity > lines->severity || lines->left[severity] == 0
      || lines->scan->findings->len >= DN_SCAN_FINDINGS_MAX)
    return FALSE;
  lines->left[severity]--;
  lines->severity = (DnScanSeverity) severity;
  return TRUE;
}

static gboolean
take_text (DnScanLines *lines, const char *word)
{
  char *text = read_text (word, rules[lines->due].max_bytes);

  if (text == NULL)
    return FALSE;
  if (lines->due == DUE_SUMMARY)
    {
      g_free (lines->scan->summary);
      lines->scan->summary = text;
      return TRUE;
    }
  lines->texts[lines->due - DUE_ID] = text;
  if (lines->due == DUE_TITLE)
    {
      dn_scan_add_finding (lines->scan, lines->severity, (const char *const *) lines->texts);
      clear_texts (lines);
    }
  return TRUE;
}

static gboolean
take (DnScanLines *lines, char **values)
{
  switch (lines->due)
    {
    case DUE_VERDICT:
      return take_verdict (lines, values[0]);
    case DUE_COUNTS:
      return take_counts (lines, values);
    case DUE_FINDING:
      return take_finding (lines, values[0]);
    case DUE_SUMMARY:
    case DUE_ID:
    case DUE_PACKAGE:
    case DUE_INSTALLED:
    case DUE_FIXED:
    case DUE_TITLE:
      return take_text (lines, values[0]);
    }
  g_assert_not_reached ();
}

gboolean
dn_scan_lines_add (DnScanLines *lines, char **words, GError **error)
{
  if (g_strv_length (words) != rules[lines->due].values + 1
      || !g_str_equal (words[0], rules[lines->due].word) || !take (lines, words + 1))
    return dn_throw (error, DN_ERROR_PROTOCOL,
                     "the reader of the verdict says no '%s' where one is "
                     "due",
                     rules[lines->due].word);
  lines->due = lines->due == DUE_TITLE ? DUE_FINDING : lines->due + 1;
  return TRUE;
}

DnScan *
dn_scan_lines_finish (DnScanLines *lines, GError **error)
{
  if (lines->due == DUE_FINDING)
    return dn_scan_ref (lines->scan);
  dn_throw (error, DN_ERROR_PROTOCOL, "the reader of the verdict ends before '%s'",
            rules[lines->due].word);
  return NULL;
}
