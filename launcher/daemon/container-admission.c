/* SPDX-License-Identifier: Apache-2.0 */
#include "container-admission.h"

#include <string.h>

#include "../common/error.h"
#include "../spec/admission.h"
#include "../spec/profile-file.h"
#include "../spec/profile-store.h"

#define SHORT_HASH_BYTES 12

static gboolean
get_policy (DnContext *context, DnPolicy *ret_policy, GError **error)
{
  gboolean is_usable;

  /* What the operator took away a moment ago is not given any more. */
  if (!context->is_ephemeral)
    dn_context_refresh_one (context->daemon, context->name);
  g_mutex_lock (&context->daemon->lock);
  is_usable
      = context->error == NULL
        || dn_throw (error, DN_ERROR_CONFIG, "context '%s': %s", context->name, context->error);
  if (is_usable)
    dn_policy_copy (&context->definition.policy, ret_policy);
  g_mutex_unlock (&context->daemon->lock);
  return is_usable;
}

DnProfile *
dn_container_read_profile (DnContext *context, const DnContainerOptions *options, GError **error)
{
  g_auto (DnPolicy) policy = { 0 };

  if (options->profile_text != NULL)
    return dn_profile_parse (options->profile_text, strlen (options->profile_text), "--profile",
                             error);
  if (!get_policy (context, &policy, error))
    return NULL;
  return dn_profile_load (options->profile != NULL ? options->profile : policy.profile, NULL,
                          error);
}

gboolean
dn_container_admit (DnContainer *container, const DnContainerOptions *options, int *ret_seccomp,
                    char ***ret_relaxations, GError **error)
{
  g_auto (DnPolicy) policy = { 0 };
  g_autoptr (GPtrArray) permitted
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_profile_free);
  g_auto (GStrv) operators = options->profile_text != NULL ? dn_profile_list () : NULL;
  DnAdmissionRequest request = { .profile = container->profile,
                                 .is_own = options->profile_text != NULL,
                                 .permitted = permitted,
                                 .operators = operators,
                                 .cap_add = options->cap_add,
                                 .cap_drop = options->cap_drop,
                                 .seccomp_json = options->seccomp_json };

  if (!get_policy (container->context, &policy, error))
    return FALSE;
  for (char **name = policy.profiles; request.is_own && *name != NULL; name++)
    {
      DnProfile *profile = dn_profile_load (*name, NULL, error);

      if (profile == NULL)
        return FALSE;
      g_ptr_array_add (permitted, profile);
    }
  return dn_admission_decide (&request, &policy, ret_seccomp, ret_relaxations, error);
}

JsonObject *
dn_container_profile_to_json (const DnContainer *container)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", container->profile->name);
  json_object_set_int_member (object, "version", (gint64) container->profile->version);
  json_object_set_string_member (object, "sha256", container->profile->sha256);
  json_object_set_boolean_member (object, "is_own", container->options->profile_text != NULL);
  return object;
}

char *
dn_container_profile_words (const DnContainer *container)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT " %.*s", container->profile->name,
                          container->profile->version, SHORT_HASH_BYTES,
                          container->profile->sha256);
}
