/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../common/scan-words.h"

typedef struct
{
  guint counts[DN_SCAN_SEVERITIES];
  GPtrArray *kept[DN_SCAN_SEVERITIES]; /* owned; of each finding all its lines, in one text */
} Findings;

static void
init_findings (Findings *findings)
{
  *findings = (Findings){ .counts = { 0 } };
  for (guint i = 0; i < DN_SCAN_SEVERITIES; i++)
    findings->kept[i] = g_ptr_array_new_with_free_func (g_free);
}

static void
clear_findings (Findings *findings)
{
  for (guint i = 0; i < DN_SCAN_SEVERITIES; i++)
    g_ptr_array_unref (findings->kept[i]);
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

/* At most @max_bytes, and no character in part: cleaning can make a text longer. */
static char *
clean (const char *text, gsize max_bytes)
{
  char *cleaned = dn_text_clean (text, max_bytes);
  gsize end = strlen (cleaned);

  if (end > max_bytes)
    {
      for (end = max_bytes; ((guint8) cleaned[end] & 0xC0) == 0x80; end--)
        ;
      cleaned[end] = '\0';
    }
  return cleaned;
}

/* The member as a clean text, "" where there is none. (transfer full): or NULL, where it is no text
 */
static char *
take_text (JsonObject *object, const char *name, gsize max_bytes, const char *what, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return g_strdup ("");
  if (json_node_get_value_type (node) != G_TYPE_STRING)
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s'%s' must be a text", what, name);
      return NULL;
    }
  return clean (json_node_get_string (node), max_bytes);
}

static gboolean
take_finding (JsonNode *node, guint number, Findings *findings, GError **error)
{
  static const struct
  {
    const char *name;
    gsize max_bytes;
  } texts[] = { { "id", DN_SCAN_ID_BYTES },
                { "package", DN_SCAN_ID_BYTES },
                { "installed", DN_SCAN_VERSION_BYTES },
                { "fixed", DN_SCAN_VERSION_BYTES },
                { "title", DN_SCAN_TITLE_BYTES } };
  g_autofree char *what = g_strdup_printf ("finding %u: ", number + 1);
  g_autofree char *severity = NULL;
  g_autoptr (GString) lines = NULL;
  guint index = 0;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%smust be an object", what);
  severity = take_text (json_node_get_object (node), "severity", 32, what, error);
  if (severity == NULL)
    return FALSE;
  if (!find_word (dn_scan_severity_words, DN_SCAN_SEVERITIES, severity, &index))
    return dn_throw (error, DN_ERROR_CONFIG, "%sseverity '%s' is none", what, severity);
  lines = g_string_new (NULL);
  g_string_append_printf (lines, "finding %s", severity);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text
          = take_text (json_node_get_object (node), texts[i].name, texts[i].max_bytes, what, error);

      g_autofree char *word = text != NULL ? g_uri_escape_string (text, NULL, FALSE) : NULL;

      if (text == NULL)
        return FALSE;
      if (i == 0 && text[0] == '\0')
        return dn_throw (error, DN_ERROR_CONFIG, "%s'id' is missing", what);
      g_string_append_printf (lines, "\n%s %s", texts[i].name, word);
    }
  if (findings->counts[index]++ < DN_SCAN_FINDINGS_MAX)
    g_ptr_array_add (findings->kept[index], g_strdup (lines->str));
  return TRUE;
}

static gboolean
take_findings (JsonObject *object, Findings *findings, GError **error)
{
  JsonNode *node = json_object_get_member (object, "findings");
  JsonArray *array;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return dn_throw (error, DN_ERROR_CONFIG, "'findings' must be a list");
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!take_finding (json_array_get_element (array, i), i, findings, error))
      return FALSE;
  return TRUE;
}

/* The most severe first, at most DN_SCAN_FINDINGS_MAX of them. */
static void
tell_findings (const Findings *findings, DnVerdictLine line, gpointer data)
{
  guint left = DN_SCAN_FINDINGS_MAX;

  for (guint i = DN_SCAN_SEVERITIES; i-- > 0;)
    for (guint k = 0; k < findings->kept[i]->len && left > 0; k++, left--)
      {
        g_auto (GStrv) lines = g_strsplit (findings->kept[i]->pdata[k], "\n", -1);

        for (char **one = lines; *one != NULL; one++)
          line (*one, data);
      }
}

static void
tell (const char *verdict, const char *summary, const Findings *findings, DnVerdictLine line,
      gpointer data)
{
  g_autofree char *word = g_uri_escape_string (summary, NULL, FALSE);
  g_autofree char *first = g_strconcat ("verdict ", verdict, NULL);
  g_autofree char *second = g_strconcat ("summary ", word, NULL);
  g_autofree char *third = g_strdup_printf (
      "counts %u %u %u %u", findings->counts[DN_SCAN_LOW], findings->counts[DN_SCAN_MEDIUM],
      findings->counts[DN_SCAN_HIGH], findings->counts[DN_SCAN_CRITICAL]);

  line (first, data);
  line (second, data);
  line (third, data);
  tell_findings (findings, line, data);
}

static gboolean
read_object (JsonNode *root, Findings *findings, char **ret_verdict, char **ret_summary,
             GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  guint index = 0;

  if (object == NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "must be an object");
  *ret_verdict = take_text (object, "verdict", 32, "", error);
  if (*ret_verdict == NULL)
    return FALSE;
  if ((*ret_verdict)[0] == '\0')
    return dn_throw (error, DN_ERROR_CONFIG, "'verdict' is missing");
  /* The first three words: no scanner says `error`, it ends with a status that is not 0. */
  if (!find_word (dn_scan_verdict_words, DN_SCAN_ERROR, *ret_verdict, &index))
    return dn_throw (error, DN_ERROR_CONFIG, "'%s' is none of pass, warn and fail", *ret_verdict);
  *ret_summary = take_text (object, "summary", DN_SCAN_SUMMARY_BYTES, "", error);
  return *ret_summary != NULL && take_findings (object, findings, error);
}

gboolean
dn_verdict_read (const char *text, gsize size, DnVerdictLine line, gpointer data, GError **error)
{
  g_autofree char *verdict = NULL;
  g_autofree char *summary = NULL;
  g_autoptr (JsonNode) root = NULL;
  Findings findings;
  gboolean is_fine;

  if (size == 0)
    return dn_throw (error, DN_ERROR_CONFIG, "the scanner wrote nothing to its standard output");
  if (size > DN_SCAN_VERDICT_MAX_BYTES)
    return dn_throw (error, DN_ERROR_CONFIG, "the scanner wrote more than %d KiB",
                     DN_SCAN_VERDICT_MAX_BYTES / 1024);
  root = dn_json_parse (text, size, DN_SCAN_VERDICT_MAX_BYTES, "the scanner's verdict", error);
  if (root == NULL)
    return FALSE;
  init_findings (&findings);
  is_fine = read_object (root, &findings, &verdict, &summary, error);
  if (is_fine)
    tell (verdict, summary, &findings, line, data);
  else
    g_prefix_error (error, "the scanner's verdict: ");
  clear_findings (&findings);
  return is_fine;
}
