/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include "describe.h"
#include "facts.h"
#include "html.h"
#include "value.h"

static DnReportVerdict
verdict_of (JsonObject *context)
{
  return dn_report_verdict_parse (dn_facts_text (context, "verdict"));
}

static const char *
name_of (JsonObject *object)
{
  const char *name = dn_facts_text (object, "name");

  return *name != '\0' ? name : "?";
}

/* The drawing as a table: the same facts for those who do not see it. */
static void
put_overview (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Context", "Tenant", "Stage", "Tier", "State", "Containers", "Verdict", NULL };
  DnHtmlTable table;

  dn_html_table_begin (&table, out, "All contexts", headings);
  for (guint i = 0; i < view->contexts->len; i++)
    {
      JsonObject *context = view->contexts->pdata[i];
      g_autofree char *containers
          = g_strdup_printf ("%u", dn_facts_length (dn_facts_array (context, "containers")));

      dn_html_table_row (&table, verdict_of (context));
      dn_html_table_open (&table);
      dn_html_put (out, "<a href=\"#c%u\">%s</a>", i, name_of (context));
      dn_html_table_close (&table);
      dn_html_table_text (&table, dn_facts_text (context, "tenant"));
      dn_html_table_text (&table, dn_facts_text (context, "stage"));
      dn_html_table_text (&table, dn_facts_text (context, "tier"));
      dn_html_table_text (&table, dn_facts_text (context, "state"));
      dn_html_table_text (&table, containers);
      dn_html_table_open (&table);
      dn_html_verdict (out, verdict_of (context), NULL);
      dn_html_table_close (&table);
    }
  dn_html_table_end (&table);
}

static void
put_image (DnHtmlTable *table, JsonObject *container)
{
  const char *signature = dn_facts_text (container, "image.signature");
  g_autofree char *age = dn_value_age (dn_facts_int (container, "image.age_days", -1));

  dn_html_table_open (table);
  dn_html_put (table->out, "%s<br><code>%s</code><br>%s, signature: %s",
               dn_facts_text (container, "image.reference"),
               dn_facts_text (container, "image.digest"), age,
               *signature != '\0' ? signature : "unknown");
  dn_html_table_close (table);
}

static void
put_confinement (DnHtmlTable *table, JsonObject *container)
{
  const char *profile = dn_facts_text (container, "profile.name");
  g_autofree char *hash = dn_value_short_digest (dn_facts_text (container, "profile.hash"));
  g_autofree char *relaxations = dn_facts_list (container, "relaxations");
  g_autofree char *capabilities = dn_facts_list (container, "capabilities");

  dn_html_table_open (table);
  dn_html_put (table->out, "profile %s <code>%s</code>", *profile != '\0' ? profile : "unknown",
               hash);
  if (*relaxations != '\0')
    dn_html_put (table->out, "<br>relaxed: %s", relaxations);
  if (*capabilities != '\0')
    dn_html_put (table->out, "<br>capabilities: %s", capabilities);
  dn_html_table_close (table);
}

static void
put_ports (DnHtmlTable *table, JsonObject *container)
{
  JsonArray *listeners = dn_facts_array (container, "listeners");
  g_autofree char *published = dn_describe_ports (container);
  const char *error = dn_facts_text (container, "listeners_error");

  dn_html_table_open (table);
  if (*published != '\0')
    dn_html_put (table->out, "published: %s<br>", published);
  for (guint i = 0; i < dn_facts_length (listeners); i++)
    {
      g_autofree char *text = dn_describe_listener (dn_facts_nth (listeners, i));

      if (i > 0)
        g_string_append (table->out, "<br>");
      dn_html_put (table->out, "%s", text);
    }
  if (listeners == NULL)
    dn_html_put (table->out, "unknown%s%s", *error != '\0' ? ": " : "", error);
  else if (dn_facts_length (listeners) == 0)
    g_string_append (table->out, "nothing listens");
  dn_html_table_close (table);
}

static void
put_containers (GString *out, JsonArray *containers)
{
  static const char *const headings[]
      = { "Container", "State", "Image", "Confinement", "Ports", NULL };
  DnHtmlTable table;

  if (dn_facts_length (containers) == 0)
    {
      g_string_append (out, "<p>No containers.</p>\n");
      return;
    }
  dn_html_table_begin (&table, out, "Containers", headings);
  for (guint i = 0; i < dn_facts_length (containers); i++)
    {
      JsonObject *container = dn_facts_nth (containers, i);

      dn_html_table_row (&table, DN_REPORT_GOOD);
      dn_html_table_open (&table);
      dn_html_word (out, "b", name_of (container));
      g_string_append (out, "<br>");
      dn_html_word (out, "code", dn_facts_text (container, "id"));
      dn_html_table_close (&table);
      dn_html_table_text (&table, dn_facts_text (container, "state"));
      put_image (&table, container);
      put_confinement (&table, container);
      put_ports (&table, container);
    }
  dn_html_table_end (&table);
}

static void
put_own_findings (GString *out, const DnView *view, const char *name)
{
  gboolean has_any = FALSE;

  for (guint i = 0; i < view->findings->len; i++)
    {
      JsonObject *finding = view->findings->pdata[i];
      DnReportSeverity severity = dn_report_severity_parse (dn_facts_text (finding, "severity"));

      if (*name == '\0' || !g_str_equal (dn_facts_text (finding, "context"), name))
        continue;
      g_string_append (out, has_any ? "<li>" : "<ul class=\"own\"><li>");
      has_any = TRUE;
      dn_html_verdict (out, dn_report_severity_to_verdict (severity),
                       dn_report_severity_words[severity]);
      dn_html_put (out, " <a href=\"#n%u\">%s</a></li>", i, dn_facts_text (finding, "text"));
    }
  if (has_any)
    g_string_append (out, "</ul>\n");
}

static void
put_context (GString *out, const DnView *view, guint index)
{
  JsonObject *context = view->contexts->pdata[index];
  const char *error = dn_facts_text (context, "error");
  g_autofree char *labels
      = dn_value_join (" · ", dn_facts_text (context, "tenant"), dn_facts_text (context, "stage"),
                       dn_facts_text (context, "tier"), dn_facts_text (context, "state"),
                       dn_facts_is (context, "is_ephemeral") ? "ephemeral" : "", NULL);
  g_autofree char *access = dn_describe_access (context);
  g_autofree char *guest = dn_describe_guest (context);

  dn_html_put (out, "<article id=\"c%u\" class=\"%s\"><h3>", index,
               dn_report_verdict_words[verdict_of (context)]);
  dn_html_put (out, "%s ", name_of (context));
  dn_html_verdict (out, verdict_of (context), NULL);
  dn_html_put (out, "</h3>\n<p class=\"made\">%s</p>\n", labels);
  if (*error != '\0')
    dn_html_put (out, "<p><b>Error:</b> %s</p>\n", error);
  g_string_append (out, "<dl>");
  dn_html_put (out, "<div><dt>Access</dt><dd>%s</dd></div>", *access != '\0' ? access : "unknown");
  dn_html_put (out, "<div><dt>Guest</dt><dd>%s</dd></div></dl>\n", *guest != '\0' ? guest : "none");
  put_own_findings (out, view, dn_facts_text (context, "name"));
  put_containers (out, dn_facts_array (context, "containers"));
  g_string_append (out, "<p class=\"up\"><a href=\"#map\">To the building</a></p></article>\n");
}

void
dn_page_contexts (GString *out, const DnView *view)
{
  g_string_append (out, "<section id=\"contexts\"><h2>Contexts</h2>\n");
  if (view->contexts->len == 0)
    g_string_append (out, "<p>No contexts.</p>\n");
  else
    put_overview (out, view);
  for (guint i = 0; i < view->contexts->len; i++)
    put_context (out, view, i);
  g_string_append (out, "</section>\n");
}
