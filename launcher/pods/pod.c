/* SPDX-License-Identifier: Apache-2.0 */
#include "pod.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/json-build.h"

#define NAME_DIGITS 12

void
dn_pod_free (DnPod *pod)
{
  if (pod == NULL)
    return;
  g_free (pod->id);
  g_free (pod->namespace_);
  g_free (pod->bundle);
  g_free (pod->netns);
  g_free (pod->hostname);
  g_free (pod->pod_namespace);
  g_free (pod->pod_name);
  g_free (pod->pod_uid);
  g_clear_pointer (&pod->sysctls, g_ptr_array_unref);
  g_free (pod);
}

JsonObject *
dn_pod_to_json (const DnPod *pod)
{
  JsonObject *object = json_object_new (), *sysctls = json_object_new ();

  json_object_set_string_member (object, "id", pod->id);
  json_object_set_string_member (object, "containerd_namespace", pod->namespace_);
  json_object_set_string_member (object, "bundle", pod->bundle);
  json_object_set_string_member (object, "netns", pod->netns);
  json_object_set_string_member (object, "hostname", pod->hostname);
  dn_json_set_text (object, "namespace", pod->pod_namespace);
  dn_json_set_text (object, "name", pod->pod_name);
  dn_json_set_text (object, "uid", pod->pod_uid);
  for (guint i = 0; i < pod->sysctls->len; i += 2)
    json_object_set_string_member (sysctls, pod->sysctls->pdata[i], pod->sysctls->pdata[i + 1]);
  json_object_set_object_member (object, "sysctls", sysctls);
  json_object_set_boolean_member (object, "is_made", pod->is_made);
  return object;
}

static gboolean
read_sysctls (JsonObject *object, GPtrArray *sysctls, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: sysctl '%s': is no text", what, name);
      g_ptr_array_add (sysctls, g_strdup (name));
      g_ptr_array_add (sysctls, json_node_dup_string (node));
    }
  return TRUE;
}

DnPod *
dn_pod_read (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnPod) pod = g_new0 (DnPod, 1);
  g_autoptr (JsonObject) sysctls = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &pod->id },
    { "containerd_namespace", DN_JSON_STRING, TRUE, &pod->namespace_ },
    { "bundle", DN_JSON_STRING, TRUE, &pod->bundle },
    { "netns", DN_JSON_STRING, TRUE, &pod->netns },
    { "hostname", DN_JSON_STRING, TRUE, &pod->hostname },
    { "namespace", DN_JSON_STRING, FALSE, &pod->pod_namespace },
    { "name", DN_JSON_STRING, FALSE, &pod->pod_name },
    { "uid", DN_JSON_STRING, FALSE, &pod->pod_uid },
    { "sysctls", DN_JSON_OBJECT, TRUE, &sysctls },
    { "is_made", DN_JSON_BOOL, TRUE, &pod->is_made },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  pod->sysctls = g_ptr_array_new_with_free_func (g_free);
  return dn_json_read (object, fields, what, error)
                 && read_sysctls (sysctls, pod->sysctls, what, error)
             ? g_steal_pointer (&pod)
             : NULL;
}

gboolean
dn_pod_id_check (const char *id, const char *what, GError **error)
{
  gsize size = strlen (id);
  gboolean is_fine = size > 0 && size <= DN_POD_ID_MAX_BYTES && g_ascii_isalnum (id[0])
                     && g_ascii_isalnum (id[size - 1]);

  for (gsize i = 0; is_fine && i < size; i++)
    is_fine
        = g_ascii_isalnum (id[i]) || (strchr ("._-", id[i]) != NULL && g_ascii_isalnum (id[i + 1]));
  return is_fine
         || dn_throw (error, DN_ERROR_USAGE,
                      "%s: its id is none\nup to %d letters and digits, with single '.', '_' and "
                      "'-' between",
                      what, DN_POD_ID_MAX_BYTES);
}

char *
dn_pod_context_name (const char *namespace_, const char *id)
{
  g_autofree char *whole = g_strconcat (namespace_, "/", id, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, whole, -1);

  return g_strdup_printf ("pod-%.*s", NAME_DIGITS, hash);
}

void
dn_pod_member_free (DnPodMember *member)
{
  if (member == NULL)
    return;
  g_free (member->id);
  g_free (member->rootfs);
  g_free (member->processes);
  /* Before what they are borrowed from. */
  g_clear_pointer (&member->mounts, g_ptr_array_unref);
  dn_oci_config_free (member->config);
  g_clear_pointer (&member->document, json_node_unref);
  dn_pod_facts_clear (&member->facts);
  g_free (member);
}

JsonObject *
dn_pod_member_to_json (const DnPodMember *member)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", member->id);
  json_object_set_string_member (object, "rootfs", member->rootfs);
  dn_json_set_text (object, "processes", member->processes);
  json_object_set_member (object, "config", json_node_copy (member->document));
  dn_json_set_strings (object, "files", member->facts.files);
  dn_json_set_strings (object, "memory", member->facts.memory);
  dn_json_set_strings (object, "copies", member->facts.copies);
  return object;
}

DnPodMember *
dn_pod_member_read (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnPodMember) member = g_new0 (DnPodMember, 1);
  g_autoptr (JsonObject) config = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &member->id },
    { "rootfs", DN_JSON_STRING, TRUE, &member->rootfs },
    { "processes", DN_JSON_STRING, FALSE, &member->processes },
    { "config", DN_JSON_OBJECT, TRUE, &config },
    { "files", DN_JSON_STRINGS, FALSE, &member->facts.files },
    { "memory", DN_JSON_STRINGS, FALSE, &member->facts.memory },
    { "copies", DN_JSON_STRINGS, FALSE, &member->facts.copies },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error))
    return NULL;
  member->document = json_node_init_object (json_node_alloc (), config);
  member->config = dn_oci_config_read (config, what, error);
  return member->config != NULL ? g_steal_pointer (&member) : NULL;
}
