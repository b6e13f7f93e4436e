/* SPDX-License-Identifier: Apache-2.0 */
#include "forensics-mounts.h"

#include "../volumes/volumes.h"
#include "container-json.h"

static void
add_disk (DnContainer *container, JsonObject *entry)
{
  g_autoptr (DnVolume) volume = dn_volumes_find_id (
      container->daemon->volumes, json_object_get_string_member_with_default (entry, "id", ""));
  g_autofree char *path = volume != NULL ? dn_volume_disk_path (volume) : NULL;

  if (path != NULL)
    json_object_set_string_member (entry, "disk", path);
}

static void
collect (DnContainer *container, JsonObject *facts, const char *kind, JsonArray *list)
{
  JsonArray *mine
      = json_object_has_member (facts, kind) ? json_object_get_array_member (facts, kind) : NULL;

  for (guint i = 0; mine != NULL && i < json_array_get_length (mine); i++)
    {
      JsonObject *entry = json_object_ref (json_array_get_object_element (mine, i));

      json_object_set_string_member (
          entry, "container", json_object_get_string_member_with_default (facts, "name", ""));
      json_object_set_string_member (entry, "container_id", container->id);
      if (g_str_equal (kind, "volumes"))
        add_disk (container, entry);
      json_array_add_object_element (list, entry);
    }
}

JsonObject *
dn_forensics_mounts (GPtrArray *containers)
{
  static const char *const kinds[] = { "volumes", "binds" };
  JsonObject *mounts = json_object_new ();

  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    json_object_set_array_member (mounts, kinds[k], json_array_new ());
  for (guint i = 0; i < containers->len; i++)
    {
      g_autoptr (JsonObject) facts = dn_container_inspect (containers->pdata[i]);

      for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
        collect (containers->pdata[i], facts, kinds[k],
                 json_object_get_array_member (mounts, kinds[k]));
    }
  return mounts;
}
