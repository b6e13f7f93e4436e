/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include "../cli/answer.h"
#include "host.h"
#include "listener.h"
#include "machine.h"
#include "process-list.h"
#include "runtime.h"
#include "self.h"

/* (transfer full): a list of the same elements, empty where @answer has none */
static JsonArray *
copy_list (JsonObject *answer, const char *name)
{
  JsonArray *list = dn_answer_array (answer, name);
  JsonArray *copy = json_array_new ();

  for (guint i = 0; i < dn_answer_length (list); i++)
    if (dn_answer_nth (list, i) != NULL)
      json_array_add_object_element (copy, json_object_ref (dn_answer_nth (list, i)));
  return copy;
}

/* The chain as danchid tells it, but with the danchi that asks in place of the one it guesses at.
 */
static JsonArray *
join_chain (JsonObject *answer)
{
  g_autoptr (JsonArray) links = copy_list (answer, "chain");
  JsonArray *chain = json_array_new ();

  json_array_add_object_element (chain, dn_self_describe ());
  for (guint i = 0; i < json_array_get_length (links); i++)
    {
      JsonObject *link = json_array_get_object_element (links, i);

      if (!g_str_equal (dn_answer_text (link, "role"), "client"))
        json_array_add_object_element (chain, json_object_ref (link));
    }
  return chain;
}

/* danchid's own pid, from the chain that it answered; 0 where that lacks it. */
static gint
find_danchid (JsonArray *chain)
{
  for (guint i = 0; i < dn_answer_length (chain); i++)
    {
      JsonObject *link = dn_answer_nth (chain, i);

      if (link != NULL && g_str_equal (dn_answer_text (link, "program"), "danchid"))
        return (gint) dn_answer_int (link, "pid", 0);
    }
  return 0;
}

JsonObject *
dn_survey_make (const char *root, GDateTime *now, JsonObject *answer)
{
  JsonObject *document = json_object_new ();
  g_autoptr (GDateTime) utc = g_date_time_to_utc (now);
  g_autoptr (DnProcessList) processes = dn_process_list_read (root);
  g_autofree char *generated = g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *today = g_date_time_format (utc, "%Y-%m-%d");
  JsonArray *chain = join_chain (answer);
  JsonArray *machines = copy_list (answer, "machines");

  dn_machine_add_unknown (machines, processes);
  json_object_set_string_member (document, "format", DN_SURVEY_FORMAT);
  json_object_set_string_member (document, "generated", generated);
  json_object_set_string_member (document, "danchi_version", DN_VERSION);
  json_object_set_object_member (
      document, "host",
      dn_host_read (root, today, dn_answer_object (answer, "libvirt"), find_danchid (chain)));
  json_object_set_array_member (document, "chain", chain);
  json_object_set_array_member (document, "machines", machines);
  json_object_set_array_member (document, "runtimes", dn_runtime_read (root, processes));
  json_object_set_array_member (document, "listeners", dn_listener_read (root, processes));
  if (dn_answer_object (answer, "images") != NULL)
    json_object_set_object_member (document, "images",
                                   json_object_ref (dn_answer_object (answer, "images")));
  else
    json_object_set_null_member (document, "images");
  json_object_set_array_member (document, "contexts", copy_list (answer, "contexts"));
  return document;
}
