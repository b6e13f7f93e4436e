/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include "clean.h"
#include "facts.h"

static gint
compare_findings (gconstpointer a, gconstpointer b)
{
  JsonObject *first = *(JsonObject *const *) a, *second = *(JsonObject *const *) b;

  return (gint) dn_report_severity_parse (dn_facts_text (second, "severity"))
         - (gint) dn_report_severity_parse (dn_facts_text (first, "severity"));
}

static gint
compare_contexts (gconstpointer a, gconstpointer b)
{
  JsonObject *first = *(JsonObject *const *) a, *second = *(JsonObject *const *) b;
  gint by_tenant = g_strcmp0 (dn_facts_text (first, "tenant"), dn_facts_text (second, "tenant"));

  return by_tenant != 0 ? by_tenant
                        : g_strcmp0 (dn_facts_text (first, "name"), dn_facts_text (second, "name"));
}

static void
add_all (GPtrArray *list, JsonObject *document, const char *path,
         gboolean (*is_wanted) (JsonObject *object))
{
  JsonArray *array = dn_facts_array (document, path);

  for (guint i = 0; i < dn_facts_length (array); i++)
    if (dn_facts_nth (array, i) != NULL
        && (is_wanted == NULL || is_wanted (dn_facts_nth (array, i))))
      g_ptr_array_add (list, dn_facts_nth (array, i));
}

/* What does not say that it is ours is not ours. */
static gboolean
is_outsider (JsonObject *machine)
{
  return !dn_facts_is (machine, "is_danchi");
}

gboolean
dn_view_is_open (JsonObject *listener)
{
  return !g_str_equal (dn_facts_text (listener, "exposure"), "loopback");
}

static gboolean
is_door (JsonObject *listener)
{
  return dn_view_is_open (listener) && !g_str_equal (dn_facts_text (listener, "protocol"), "unix");
}

static void
find_tenants (DnView *view)
{
  for (guint i = 0; i < view->contexts->len; i++)
    {
      const char *name = dn_facts_text (view->contexts->pdata[i], "tenant");
      DnTenant *last = view->tenants->len > 0
                           ? &g_array_index (view->tenants, DnTenant, view->tenants->len - 1)
                           : NULL;

      if (last != NULL && g_str_equal (last->name, name))
        last->count++;
      else
        {
          DnTenant tenant = { .name = name, .first = i, .count = 1 };

          g_array_append_val (view->tenants, tenant);
        }
      view->containers += dn_facts_length (dn_facts_array (view->contexts->pdata[i], "containers"));
    }
}

DnView *
dn_view_new (JsonObject *document)
{
  DnView *view = g_new0 (DnView, 1);

  view->document = dn_clean_document (document);
  view->findings = g_ptr_array_new ();
  view->contexts = g_ptr_array_new ();
  view->tenants = g_array_new (FALSE, FALSE, sizeof (DnTenant));
  view->outsiders = g_ptr_array_new ();
  view->runtimes = g_ptr_array_new ();
  view->doors = g_ptr_array_new ();
  add_all (view->findings, view->document, "findings", NULL);
  add_all (view->contexts, view->document, "contexts", NULL);
  add_all (view->outsiders, view->document, "machines", is_outsider);
  add_all (view->runtimes, view->document, "runtimes", NULL);
  add_all (view->doors, view->document, "listeners", is_door);
  /* Both sorts are stable: what is equal stays in the document's order. */
  g_ptr_array_sort (view->findings, compare_findings);
  g_ptr_array_sort (view->contexts, compare_contexts);
  find_tenants (view);
  for (guint i = 0; i < view->findings->len; i++)
    view->counts[dn_report_severity_parse (dn_facts_text (view->findings->pdata[i], "severity"))]++;
  return view;
}

void
dn_view_free (DnView *view)
{
  if (view == NULL)
    return;
  g_ptr_array_unref (view->findings);
  g_ptr_array_unref (view->contexts);
  g_array_unref (view->tenants);
  g_ptr_array_unref (view->outsiders);
  g_ptr_array_unref (view->runtimes);
  g_ptr_array_unref (view->doors);
  json_object_unref (view->document);
  g_free (view);
}

gint
dn_view_find_context (const DnView *view, const char *name)
{
  for (guint i = 0; *name != '\0' && i < view->contexts->len; i++)
    if (g_str_equal (dn_facts_text (view->contexts->pdata[i], "name"), name))
      return (gint) i;
  return -1;
}

char *
dn_view_port (JsonObject *listener)
{
  gint64 port = dn_facts_int (listener, "port", -1);
  const char *path = dn_facts_text (listener, "path");

  if (port >= 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, port);
  return g_strdup (*path != '\0' ? path : "?");
}

char *
dn_view_published (JsonNode *port)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (port) ? json_node_get_object (port) : NULL;
  gint64 outer = dn_facts_int (object, "host_port", dn_facts_int (object, "port", -1));

  if (outer >= 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, outer);
  if (JSON_NODE_HOLDS_VALUE (port) && json_node_get_value_type (port) == G_TYPE_INT64)
    return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (port));
  if (JSON_NODE_HOLDS_VALUE (port) && json_node_get_value_type (port) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (port));
  return g_strdup ("?");
}

char *
dn_view_count_findings (const DnView *view)
{
  GString *out = g_string_new (NULL);
  gboolean is_first = TRUE;

  if (view->findings->len == 0)
    g_string_append (out, "no findings");
  else
    g_string_append_printf (out, "%u finding%s: ", view->findings->len,
                            view->findings->len == 1 ? "" : "s");
  for (gint i = DN_REPORT_SEVERITIES - 1; i >= 0; i--)
    if (view->counts[i] > 0)
      {
        g_string_append_printf (out, "%s%u %s", is_first ? "" : ", ", view->counts[i],
                                dn_report_severity_words[i]);
        is_first = FALSE;
      }
  return g_string_free (out, FALSE);
}
