/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "facts.h"
#include "html.h"
#include "map.h"
#include "page.h"
#include "style.h"
#include "value.h"

static void
put_head (GString *out, const char *host)
{
  /* The policy stands before anything that it governs. */
  g_string_append (out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                        "'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
                        "'none'\">\n"
                        "<meta name=\"referrer\" content=\"no-referrer\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, "
                        "initial-scale=1\">\n"
                        "<meta name=\"color-scheme\" content=\"light dark\">\n");
  dn_html_put (out, "<title>Danchi audit: %s</title>\n<style>\n", host);
  g_string_append (out, dn_report_style);
  g_string_append (out, "</style></head>\n<body>\n");
}

static void
put_tile (GString *out, const char *href, guint count, const char *word, DnReportVerdict verdict)
{
  dn_html_put (out, "<a class=\"tile %s\" href=\"#%s\"><b>%u</b> %s</a>\n",
               count > 0 ? dn_report_verdict_words[verdict] : "none", href, count, word);
}

static void
put_header (GString *out, const DnView *view, const char *host)
{
  JsonObject *document = view->document;
  DnReportVerdict verdict = dn_report_verdict_parse (dn_facts_text (document, "summary.verdict"));
  static const char *const sentences[] = {
    [DN_REPORT_GOOD] = "No finding speaks against the isolation of contexts.",
    [DN_REPORT_ATTENTION] = "There are findings that need attention.",
    [DN_REPORT_BAD] = "There are findings that endanger isolation.",
    [DN_REPORT_UNKNOWN] = "No verdict was given.",
  };
  const char *version = dn_facts_text (document, "danchi_version");
  g_autofree char *time = dn_value_time (dn_facts_text (document, "generated"));
  g_autofree char *findings = dn_view_count_findings (view);

  dn_html_put (out, "<header><p class=\"over\">Danchi audit</p><h1>%s</h1>\n<p class=\"made\">",
               host);
  dn_html_put (out, "%s · danchi %s</p>\n", *time != '\0' ? time : "time unknown",
               *version != '\0' ? version : "version unknown");
  dn_html_put (out, "<div class=\"banner %s\">", dn_report_verdict_words[verdict]);
  dn_html_verdict (out, verdict, NULL);
  dn_html_put (out, "<p>%s<br><span>%s</span></p></div>\n<div class=\"tiles\">\n",
               sentences[verdict], findings);
  put_tile (out, "contexts", view->contexts->len, "contexts", DN_REPORT_GOOD);
  put_tile (out, "contexts", view->containers, "containers", DN_REPORT_GOOD);
  put_tile (out, "machines", view->outsiders->len, "foreign machines", DN_REPORT_ATTENTION);
  put_tile (out, "runtimes", view->runtimes->len, "runtimes outside", DN_REPORT_ATTENTION);
  put_tile (out, "listeners", view->doors->len, "reachable listeners", DN_REPORT_ATTENTION);
  g_string_append (out, "</div></header>\n");
}

/* What the drawing's colours, shapes and outlines say. */
static void
put_legend (GString *out)
{
  static const struct
  {
    const char *classes;
    const char *text;
  } windows[] = {
    { "pub", "window in a thick frame: port published on the host" },
    { "open", "window: the container listens, its network reaches it" },
    { "shut", "shuttered window: loopback only" },
  };

  g_string_append (out, "<ul class=\"legend\" aria-label=\"Legend\">\n");
  for (guint i = 0; i <= DN_REPORT_UNKNOWN; i++)
    {
      g_string_append (out, "<li>");
      dn_html_verdict (out, (DnReportVerdict) i, NULL);
      g_string_append (out, "</li>\n");
    }
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    dn_html_put (out,
                 "<li><svg class=\"key\" viewBox=\"0 0 26 18\" aria-hidden=\"true\"><g "
                 "class=\"room on\"><rect class=\"win %s\" x=\"2\" y=\"2\" width=\"22\" "
                 "height=\"14\"/></g></svg>%s</li>\n",
                 windows[i].classes, windows[i].text);
  g_string_append (
      out, "<li><svg class=\"key\" viewBox=\"0 0 26 18\" aria-hidden=\"true\"><g class=\"room on "
           "relaxed\"><rect class=\"in\" x=\"2\" y=\"2\" width=\"22\" height=\"14\"/></g></svg>"
           "dashed room: relaxed, or with capabilities</li>\n"
           "<li><svg class=\"key\" viewBox=\"0 0 26 18\" aria-hidden=\"true\"><g class=\"room "
           "off\"><rect class=\"in\" x=\"2\" y=\"2\" width=\"22\" height=\"14\"/></g></svg>"
           "dark room: not running</li>\n"
           "<li><svg class=\"key\" viewBox=\"0 0 184 92\" aria-hidden=\"true\"><use "
           "href=\"#shack\"/></svg>shack: runs on the host, outside of the building</li>\n</ul>\n");
}

static void
put_map (GString *out, const DnView *view)
{
  g_string_append (out, "<section id=\"map\"><h2>The building</h2>\n"
                        "<figure aria-labelledby=\"map-says\">\n");
  dn_map_put (out, view);
  g_string_append (out,
                   "<figcaption id=\"map-says\">The host as an apartment building: each flat is a "
                   "security context with a kernel of its own, behind the thick walls of its "
                   "tenant; rooms are containers, windows their ports, doors the listeners of "
                   "the host. A flat leads to its section.</figcaption>\n");
  put_legend (out);
  g_string_append (out, "</figure></section>\n");
}

static void
put_contents (GString *out)
{
  g_string_append (out, "<nav aria-label=\"Sections\"><a href=\"#map\">Building</a> "
                        "<a href=\"#findings\">Findings</a> <a href=\"#host\">Host</a> "
                        "<a href=\"#contexts\">Contexts</a> <a href=\"#machines\">Machines</a> "
                        "<a href=\"#runtimes\">Runtimes</a> <a href=\"#listeners\">Listeners</a> "
                        "<a href=\"#chain\">Chain</a></nav>\n");
}

char *
dn_report_html (JsonObject *document)
{
  g_autoptr (DnView) view = dn_view_new (document);
  const char *named = dn_facts_text (view->document, "host.hostname");
  const char *host = *named != '\0' ? named : "an unnamed host";
  GString *out = g_string_new (NULL);

  put_head (out, host);
  put_header (out, view, host);
  put_contents (out);
  g_string_append (out, "<main>\n");
  put_map (out, view);
  dn_page_findings (out, view);
  dn_page_host (out, view);
  dn_page_contexts (out, view);
  dn_page_machines (out, view);
  dn_page_runtimes (out, view);
  dn_page_listeners (out, view);
  dn_page_chain (out, view);
  dn_html_put (
      out, "</main>\n<footer>Made by <code>danchi audit --format html</code>. The page needs no "
           "network and runs no scripts. Text that Danchi did not write is shown with its "
           "control characters as escapes.</footer>\n</body></html>\n");
  return g_string_free (out, FALSE);
}
