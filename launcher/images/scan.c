/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"

static void
free_finding (DnScanFinding *finding)
{
  g_free (finding->id);
  g_free (finding->package);
  g_free (finding->installed);
  g_free (finding->fixed);
  g_free (finding->title);
  g_free (finding);
}

DnScan *
dn_scan_new (DnScanVerdict verdict, const char *summary)
{
  DnScan *scan = g_new0 (DnScan, 1);

  scan->ref_count = 1;
  scan->verdict = verdict;
  scan->time_us = g_get_real_time ();
  scan->summary = g_strdup (summary);
  scan->scanner = g_strdup ("");
  scan->data = g_new0 (char *, 1);
  scan->findings = g_ptr_array_new_with_free_func ((GDestroyNotify) free_finding);
  return scan;
}

DnScan *
dn_scan_ref (DnScan *scan)
{
  g_atomic_int_inc (&scan->ref_count);
  return scan;
}

void
dn_scan_unref (DnScan *scan)
{
  if (scan == NULL || !g_atomic_int_dec_and_test (&scan->ref_count))
    return;
  g_free (scan->summary);
  g_free (scan->scanner);
  g_strfreev (scan->data);
  g_ptr_array_unref (scan->findings);
  g_free (scan);
}

void
dn_scan_add_finding (DnScan *scan, DnScanSeverity severity, const char *const values[5])
{
  DnScanFinding *finding = g_new0 (DnScanFinding, 1);

  *finding = (DnScanFinding){ .severity = severity,
                              .id = g_strdup (values[0]),
                              .package = g_strdup (values[1]),
                              .installed = g_strdup (values[2]),
                              .fixed = g_strdup (values[3]),
                              .title = g_strdup (values[4]) };
  g_ptr_array_add (scan->findings, finding);
}

gboolean
dn_scan_is_good (const DnScan *scan, gboolean wants_pass)
{
  return scan->verdict == DN_SCAN_PASS || (!wants_pass && scan->verdict == DN_SCAN_WARN);
}

gboolean
dn_scan_is_stale (const DnScan *scan, gint64 max_age_us, gint64 now_us)
{
  return max_age_us != 0 && (scan->time_us > now_us || now_us - scan->time_us > max_age_us);
}

static JsonArray *
findings_to_json (const DnScan *scan)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < scan->findings->len; i++)
    {
      const DnScanFinding *finding = scan->findings->pdata[i];
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "id", finding->id);
      json_object_set_string_member (object, "severity", dn_scan_severity_words[finding->severity]);
      json_object_set_string_member (object, "package", finding->package);
      json_object_set_string_member (object, "installed", finding->installed);
      json_object_set_string_member (object, "fixed", finding->fixed);
      json_object_set_string_member (object, "title", finding->title);
      json_array_add_object_element (array, object);
    }
  return array;
}

JsonObject *
dn_scan_to_json (const DnScan *scan)
{
  JsonObject *object = json_object_new ();
  JsonObject *counts = json_object_new ();
  JsonArray *data = json_array_new ();

  for (guint i = 0; i < DN_SCAN_SEVERITIES; i++)
    json_object_set_int_member (counts, dn_scan_severity_words[i], scan->counts[i]);
  for (char **one = scan->data; *one != NULL; one++)
    json_array_add_string_element (data, *one);
  json_object_set_string_member (object, "verdict", dn_scan_verdict_words[scan->verdict]);
  json_object_set_int_member (object, "time_us", scan->time_us);
  json_object_set_string_member (object, "summary", scan->summary);
  json_object_set_string_member (object, "scanner", scan->scanner);
  json_object_set_array_member (object, "data", data);
  json_object_set_object_member (object, "counts", counts);
  json_object_set_array_member (object, "findings", findings_to_json (scan));
  return object;
}

static gboolean
find_word (const char *const *words, const char *word, guint *ret_index)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (words[i], word))
      {
        *ret_index = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_finding (JsonNode *node, DnScan *scan, const char *what, GError **error)
{
  g_autofree char *severity = NULL, *id = NULL, *package = NULL;
  g_autofree char *installed = NULL, *fixed = NULL, *title = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &id },
    { "severity", DN_JSON_STRING, TRUE, &severity },
    { "package", DN_JSON_STRING, TRUE, &package },
    { "installed", DN_JSON_STRING, TRUE, &installed },
    { "fixed", DN_JSON_STRING, TRUE, &fixed },
    { "title", DN_JSON_STRING, TRUE, &title },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  guint index = 0;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: 'findings' must be a list of objects", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error))
    return FALSE;
  if (!find_word (dn_scan_severity_words, severity, &index))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: severity '%s' is none", what, severity);
  dn_scan_add_finding (scan, (DnScanSeverity) index,
                       (const char *const[]){ id, package, installed, fixed, title });
  return TRUE;
}

static gboolean
read_lists (DnScan *scan, JsonObject *counts, JsonArray *findings, const char *what, GError **error)
{
  const DnJsonField fields[] = {
    { "low", DN_JSON_INT, TRUE, &scan->counts[DN_SCAN_LOW] },
    { "medium", DN_JSON_INT, TRUE, &scan->counts[DN_SCAN_MEDIUM] },
    { "high", DN_JSON_INT, TRUE, &scan->counts[DN_SCAN_HIGH] },
    { "critical", DN_JSON_INT, TRUE, &scan->counts[DN_SCAN_CRITICAL] },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (counts, fields, what, error))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (findings); i++)
    if (!read_finding (json_array_get_element (findings, i), scan, what, error))
      return FALSE;
  return TRUE;
}

DnScan *
dn_scan_from_json (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnScan) scan = dn_scan_new (DN_SCAN_ERROR, "");
  g_autofree char *verdict = NULL;
  g_autoptr (JsonObject) counts = NULL;
  g_autoptr (JsonArray) findings = NULL;
  guint index = 0;
  const DnJsonField fields[] = {
    { "verdict", DN_JSON_STRING, TRUE, &verdict },
    { "time_us", DN_JSON_INT, TRUE, &scan->time_us },
    { "summary", DN_JSON_STRING, TRUE, &scan->summary },
    { "scanner", DN_JSON_STRING, TRUE, &scan->scanner },
    { "data", DN_JSON_STRINGS, TRUE, &scan->data },
    { "counts", DN_JSON_OBJECT, TRUE, &counts },
    { "findings", DN_JSON_ARRAY, TRUE, &findings },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  g_clear_pointer (&scan->summary, g_free);
  g_clear_pointer (&scan->scanner, g_free);
  g_clear_pointer (&scan->data, g_strfreev);
  if (!dn_json_read (object, fields, what, error)
      || !read_lists (scan, counts, findings, what, error))
    return NULL;
  if (!find_word (dn_scan_verdict_words, verdict, &index))
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: verdict '%s' is none", what, verdict);
      return NULL;
    }
  scan->verdict = (DnScanVerdict) index;
  return g_steal_pointer (&scan);
}

char *
dn_scan_words (const DnScan *scan)
{
  GString *words = g_string_new (dn_scan_verdict_words[scan->verdict]);
  const char *before = " (";

  for (guint i = DN_SCAN_SEVERITIES; i-- > 0;)
    if (scan->counts[i] > 0)
      {
        g_string_append_printf (words, "%s%" G_GINT64_FORMAT " %s", before, scan->counts[i],
                                dn_scan_severity_words[i]);
        before = ", ";
      }
  if (before[0] == ',')
    g_string_append_c (words, ')');
  return g_string_free (words, FALSE);
}
