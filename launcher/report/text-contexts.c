/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"
#include "facts.h"
#include "text.h"
#include "value.h"

static void
print_container_listeners (DnPaper *paper, JsonObject *container)
{
  JsonArray *listeners = dn_facts_array (container, "listeners");

  if (listeners == NULL)
    {
      g_autofree char *text
          = dn_value_join (": ", "unknown", dn_facts_text (container, "listeners_error"), NULL);

      dn_paper_fact (paper, 6, "listens", text);
      return;
    }
  for (guint i = 0; i < dn_facts_length (listeners); i++)
    {
      g_autofree char *text = dn_describe_listener (dn_facts_nth (listeners, i));

      dn_paper_fact (paper, 6, i == 0 ? "listens" : "", text);
    }
}

static void
print_container (DnPaper *paper, JsonObject *container)
{
  const char *name = dn_facts_text (container, "name");
  g_autofree char *title
      = dn_value_join (", ", *name != '\0' ? name : dn_facts_text (container, "id"),
                       dn_facts_text (container, "state"), NULL);
  g_autofree char *image = dn_describe_image (container);
  g_autofree char *hash = dn_value_short_digest (dn_facts_text (container, "profile.hash"));
  g_autofree char *profile
      = dn_value_join (", ", dn_facts_text (container, "profile.name"), hash, NULL);
  g_autofree char *relaxations = dn_facts_list (container, "relaxations");
  g_autofree char *capabilities = dn_facts_list (container, "capabilities");
  g_autofree char *ports = dn_describe_ports (container);

  dn_paper_text (paper, 4, dn_paper_bold (paper), *title != '\0' ? title : "a container");
  dn_paper_fact (paper, 6, "image", image);
  dn_paper_fact (paper, 6, "profile", profile);
  if (*relaxations != '\0')
    dn_paper_fact (paper, 6, "relaxed", relaxations);
  if (*capabilities != '\0')
    dn_paper_fact (paper, 6, "capabilities", capabilities);
  if (*ports != '\0')
    dn_paper_fact (paper, 6, "published", ports);
  print_container_listeners (paper, container);
}

static void
print_context (DnPaper *paper, JsonObject *context)
{
  DnReportVerdict verdict = dn_report_verdict_parse (dn_facts_text (context, "verdict"));
  JsonArray *containers = dn_facts_array (context, "containers");
  const char *name = dn_facts_text (context, "name");
  const char *error = dn_facts_text (context, "error");
  g_autofree char *word = g_ascii_strup (dn_report_verdict_words[verdict], -1);
  g_autofree char *heading = dn_value_join ("  ", word, *name != '\0' ? name : "?", NULL);
  g_autofree char *labels
      = dn_value_join (", ", dn_facts_text (context, "stage"), dn_facts_text (context, "tier"),
                       dn_facts_text (context, "state"),
                       dn_facts_is (context, "is_ephemeral") ? "ephemeral" : "", NULL);
  g_autofree char *access = dn_describe_access (context);
  g_autofree char *guest = dn_describe_guest (context);

  dn_paper_text (paper, 2, dn_paper_verdict (paper, verdict), heading);
  dn_paper_fact (paper, 4, "tenant", dn_facts_text (context, "tenant"));
  dn_paper_fact (paper, 4, "labels", labels);
  if (*error != '\0')
    dn_paper_fact (paper, 4, "error", error);
  if (dn_facts_object (context, "access") != NULL)
    dn_paper_fact (paper, 4, "access", access);
  if (dn_facts_object (context, "guest") != NULL)
    dn_paper_fact (paper, 4, "guest", guest);
  if (dn_facts_length (containers) == 0)
    dn_paper_fact (paper, 4, "containers", "none");
  for (guint i = 0; i < dn_facts_length (containers); i++)
    print_container (paper, dn_facts_nth (containers, i));
}

void
dn_text_contexts (DnPaper *paper, const DnView *view)
{
  dn_paper_heading (paper, "CONTEXTS");
  if (view->contexts->len == 0)
    dn_paper_text (paper, 2, dn_paper_faint (paper), "none");
  for (guint i = 0; i < view->contexts->len; i++)
    {
      if (i > 0)
        g_string_append_c (paper->out, '\n');
      print_context (paper, view->contexts->pdata[i]);
    }
}
