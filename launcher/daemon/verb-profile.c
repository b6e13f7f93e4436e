/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about the operator's profiles. */
#include "../common/json.h"
#include "../spec/capability.h"
#include "../spec/profile-store.h"
#include "verbs.h"

static JsonObject *
summary (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnProfile) profile = dn_profile_load (name, NULL, &error);
  JsonObject *object = json_object_new ();
  JsonArray *capabilities = json_array_new ();
  g_auto (GStrv) names = dn_capability_names (profile != NULL ? profile->capabilities : 0);

  json_object_set_string_member (object, "name", name);
  for (char **one = names; *one != NULL; one++)
    json_array_add_string_element (capabilities, *one);
  json_object_set_array_member (object, "capabilities", capabilities);
  /* A damaged file is shown as one: its containers do not start. */
  if (profile == NULL)
    {
      json_object_set_string_member (object, "error", error->message);
      return object;
    }
  json_object_set_int_member (object, "version", (gint64) profile->version);
  json_object_set_string_member (object, "sha256", profile->sha256);
  json_object_set_string_member (object, "seccomp", dn_seccomp_base_words[profile->seccomp]);
  json_object_set_boolean_member (object, "is_writable", profile->root != 0);
  return object;
}

DN_VERB (profile_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_auto (GStrv) names = NULL;
  JsonArray *profiles;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  names = dn_profile_list ();
  profiles = json_array_new ();
  for (char **name = names; *name != NULL; name++)
    json_array_add_object_element (profiles, summary (*name));
  ok = json_object_new ();
  json_object_set_array_member (ok, "profiles", profiles);
  return ok;
}

DN_VERB (profile_show)
{
  g_autofree char *name = NULL, *text = NULL;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, TRUE, &name },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnProfile) profile = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  profile = dn_profile_load (name, &text, error);
  if (profile == NULL)
    return NULL;
  ok = json_object_new ();
  json_object_set_object_member (ok, "profile", summary (name));
  json_object_set_string_member (ok, "text", text);
  return ok;
}
