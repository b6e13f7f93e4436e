/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor-policy.h"

#include <string.h>

#include "../images/trust.h"
#include "container-admission.h"
#include "context.h"
#include "settings-file.h"

static void
add (JsonArray *checks, const char *id, const char *status, const char *what, const char *remedy)
{
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "id", id);
  json_object_set_string_member (check, "status", status);
  json_object_set_string_member (check, "what", what);
  json_object_set_string_member (check, "remedy", remedy);
  json_array_add_object_element (checks, check);
}

static void
add_settings (DnDaemon *daemon, JsonArray *checks)
{
  g_autofree char *error = dn_settings_get_error (daemon);

  if (error != NULL)
    add (checks, "settings", "fail", error,
         "mend the file; until then the settings that were read before still hold, and danchid "
         "would not start anew");
  else
    add (checks, "settings", "ok", "danchi.conf is as it was read", "");
}

/* Returns: whether all is well */
static gboolean
add_context (DnContext *context, JsonArray *checks)
{
  g_autofree char *error = NULL, *what = NULL;

  g_mutex_lock (&context->daemon->lock);
  error = g_strdup (context->error);
  g_mutex_unlock (&context->daemon->lock);
  if (error == NULL)
    return TRUE;
  what = g_strdup_printf ("context '%s': %s", context->name, error);
  add (checks, "contexts", "fail", what,
       "mend the file; until then nothing starts in this context, others are not touched");
  return FALSE;
}

static gboolean
add_placement (DnContext *context, JsonArray *checks)
{
  g_autoptr (GError) error = NULL;

  if (context->is_ephemeral || dn_context_check_host (context, &error))
    return TRUE;
  /* The hint is for whoever wants to start something in it. */
  error->message[strcspn (error->message, "\n")] = '\0';
  add (
      checks, "placement", "warn", error->message,
      "nothing starts in it here; what runs in it goes on: danchi context stop, or [host] accepts");
  return FALSE;
}

/* What is asked of images that come to this host, and whether its files are there. */
static void
add_images (DnDaemon *daemon, JsonArray *checks)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *policy = dn_trust_find (settings->trust_policy);
  const char *takes = dn_trust_takes (policy);
  g_autofree char *what = g_strdup_printf (
      "policy '%s': danchi pull takes %s where it names nothing else", policy, takes);

  if (g_str_equal (takes, "unknown"))
    add (checks, "image-policy", "fail", "the policy of danchi pull cannot be used",
         "danchi pull says what is wrong in it: [images] policy");
  else if (g_str_equal (takes, "anything"))
    add (checks, "image-policy", "warn", what,
         "name keys for what is pulled, and reject the rest: docs/images.md, \"Signatures\"");
  else
    add (checks, "image-policy", "ok", what, "");
  for (char **key = settings->load_keys; *key != NULL; key++)
    if (!g_file_test (*key, G_FILE_TEST_IS_REGULAR))
      {
        g_autofree char *missing
            = g_strdup_printf ("key '%s' of [images] load_keys is not there", *key);

        add (checks, "image-keys", "warn", missing,
             "put it there or take its name away: danchi load --signature fails meanwhile");
      }
}

void
dn_doctor_add_policy (DnDaemon *daemon, JsonArray *checks)
{
  g_autoptr (GPtrArray) contexts = NULL;
  gboolean are_fine = TRUE, are_taken = TRUE;

  dn_context_refresh (daemon);
  contexts = dn_context_list (daemon);
  add_settings (daemon, checks);
  add_images (daemon, checks);
  for (guint i = 0; i < contexts->len; i++)
    are_fine = add_context (contexts->pdata[i], checks) && are_fine;
  for (guint i = 0; i < contexts->len; i++)
    are_taken = add_placement (contexts->pdata[i], checks) && are_taken;
  if (are_fine)
    add (checks, "contexts", "ok", "every context's file can be used", "");
  if (are_taken)
    add (checks, "placement", "ok", "this host takes every context that it has", "");
}
