/* SPDX-License-Identifier: Apache-2.0 */
#include "access-json.h"

#include "access-names.h"
#include "json-build.h"

static void
set_list (JsonObject *object, const char *name, char **words)
{
  char *none[] = { NULL };

  dn_json_set_strings (object, name, words != NULL ? words : none);
}

JsonObject *
dn_access_to_json (DnContext *context)
{
  static const DnAccessRules nobody = { 0 };
  const DnAccessRules *rules = context->error != NULL ? &nobody : &context->definition.access;
  g_autofree char *owner = g_strdup_printf ("%u", context->owner_uid);
  char *owners[] = { owner, NULL };
  gboolean has_owner = context->is_ephemeral && context->owner_uid != 0;
  JsonObject *object = json_object_new ();

  set_list (object, "users", has_owner ? owners : rules->users);
  set_list (object, "groups", rules->groups);
  set_list (object, "verbs", rules->verbs != NULL ? rules->verbs : (char **) dn_right_words);
  set_list (object, "readers", rules->readers);
  set_list (object, "reader_groups", rules->reader_groups);
  return object;
}

JsonObject *
dn_access_to_json_checked (DnContext *context)
{
  g_auto (DnAccessRules) rules = { 0 };
  g_autoptr (GPtrArray) unknown = NULL;
  JsonObject *object;

  g_mutex_lock (&context->daemon->lock);
  object = dn_access_to_json (context);
  dn_access_rules_copy (&context->definition.access, &rules);
  g_mutex_unlock (&context->daemon->lock);
  unknown = dn_access_names_unknown (&rules);
  g_ptr_array_add (unknown, NULL);
  dn_json_set_strings (object, "unknown", (char **) unknown->pdata);
  return object;
}
