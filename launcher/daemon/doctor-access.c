/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor-access.h"

#include "access-names.h"
#include "context.h"

static void
add (JsonArray *checks, const char *status, const char *what, const char *remedy)
{
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "id", "access");
  json_object_set_string_member (check, "status", status);
  json_object_set_string_member (check, "what", what);
  json_object_set_string_member (check, "remedy", remedy);
  json_array_add_object_element (checks, check);
}

/* Returns: whether all is well */
static gboolean
add_context (DnContext *context, JsonArray *checks)
{
  g_auto (DnAccessRules) rules = { 0 };
  g_autoptr (GPtrArray) unknown = NULL;
  g_autofree char *names = NULL, *what = NULL;

  g_mutex_lock (&context->daemon->lock);
  dn_access_rules_copy (&context->definition.access, &rules);
  g_mutex_unlock (&context->daemon->lock);
  unknown = dn_access_names_unknown (&rules);
  if (unknown->len == 0)
    return TRUE;
  g_ptr_array_add (unknown, NULL);
  names = g_strjoinv ("; ", (char **) unknown->pdata);
  what = g_strdup_printf ("context '%s': [access] names whom this host does not know: %s",
                          context->name, names);
  add (checks, "warn", what,
       "nobody has a right by these entries: mend them, or make the users and groups");
  return FALSE;
}

void
dn_doctor_add_access (DnDaemon *daemon, JsonArray *checks)
{
  g_autoptr (GPtrArray) contexts = NULL;
  gboolean is_fine = TRUE;

  dn_context_refresh (daemon);
  contexts = dn_context_list (daemon);
  for (guint i = 0; i < contexts->len; i++)
    is_fine = add_context (contexts->pdata[i], checks) && is_fine;
  if (is_fine)
    add (checks, "ok", "contexts' [access] names users and groups that this host knows", "");
}
