/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-mounts.h"

#include <string.h>

#include "tmpfs.h"

static void
begin_mount_from (JsonBuilder *builder, const char *target, const char *type, const char *source)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "destination");
  json_builder_add_string_value (builder, target);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, type);
  json_builder_set_member_name (builder, "source");
  json_builder_add_string_value (builder, source);
  json_builder_set_member_name (builder, "options");
  json_builder_begin_array (builder);
}

static void
begin_mount (JsonBuilder *builder, const char *target, const char *type)
{
  begin_mount_from (builder, target, type, type);
}

static void
end_mount (JsonBuilder *builder)
{
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void G_GNUC_PRINTF (2, 3) add_option (JsonBuilder *builder, const char *format, ...)
{
  g_autofree char *option = NULL;
  va_list arguments;

  va_start (arguments, format);
  option = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  json_builder_add_string_value (builder, option);
}

static void
add_tmpfs (JsonBuilder *builder, const DnTmpfs *tmpfs)
{
  begin_mount (builder, tmpfs->path, "tmpfs");
  add_option (builder, "nosuid");
  add_option (builder, "nodev");
  if (!tmpfs->is_executable)
    add_option (builder, "noexec");
  add_option (builder, "mode=%04o", tmpfs->mode);
  add_option (builder, "size=%" G_GINT64_FORMAT, tmpfs->size_bytes);
  add_option (builder, "nr_inodes=%" G_GINT64_FORMAT, dn_tmpfs_inodes (tmpfs));
  if (tmpfs->uid != 0)
    add_option (builder, "uid=%" G_GINT64_FORMAT, tmpfs->uid);
  if (tmpfs->gid != 0)
    add_option (builder, "gid=%" G_GINT64_FORMAT, tmpfs->gid);
  if (tmpfs->is_filled)
    add_option (builder, "tmpcopyup");
  end_mount (builder);
}

/* A mount beside those of the profile: one of both. */
typedef struct
{
  const char *path;  /* of either */
  DnTmpfs *tmpfs;    /* owned */
  DnMountSpec *spec; /* owned */
} Place;

static void
free_place (gpointer data)
{
  Place *place = data;

  dn_tmpfs_free (place->tmpfs);
  dn_mount_spec_free (place->spec);
  g_free (place);
}

static gboolean
has_path (const GPtrArray *list, const char *path)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((const Place *) list->pdata[i])->path, path))
      return TRUE;
  return FALSE;
}

/* By path: a parent's is the beginning of what lies in it, so it comes first. */
static gint
compare (gconstpointer one, gconstpointer other)
{
  return strcmp ((*(Place *const *) one)->path, (*(Place *const *) other)->path);
}

/* In the place of one with the same path.  Takes both over; one of them is NULL. */
static void
put (GPtrArray *list, DnTmpfs *tmpfs, DnMountSpec *spec)
{
  Place *place = g_new0 (Place, 1);

  *place = (Place){ tmpfs != NULL ? tmpfs->path : spec->target, tmpfs, spec };
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((Place *) list->pdata[i])->path, place->path))
      {
        g_ptr_array_remove_index (list, i);
        break;
      }
  g_ptr_array_add (list, place);
}

/* Those for which nobody else has a wish.  An image may name as many as it likes: what is over the
 * limit has no effect. */
static void
put_image_volumes (GPtrArray *list, char **volumes)
{
  for (guint i = 0; volumes != NULL && volumes[i] != NULL && list->len < DN_TMPFS_MAX; i++)
    {
      DnTmpfs *volume = dn_tmpfs_new_volume (volumes[i]);

      if (volume != NULL && !has_path (list, volume->path))
        put (list, volume, NULL);
      else
        dn_tmpfs_free (volume);
    }
}

static gboolean
put_tmpfs (GPtrArray *list, const char *text, GError **error)
{
  DnTmpfs *tmpfs = dn_tmpfs_parse (text, error);

  if (tmpfs != NULL)
    put (list, tmpfs, NULL);
  return tmpfs != NULL;
}

static gboolean
put_mount (GPtrArray *list, const char *text, GError **error)
{
  g_autoptr (DnMountSpec) spec = dn_mount_spec_parse (text, error);

  if (spec == NULL)
    return FALSE;
  if (spec->kind == DN_MOUNT_TMPFS)
    return put_tmpfs (list, spec->tmpfs, error);
  /* Binds are not of this list: they come from a part of their own. */
  if (spec->kind == DN_MOUNT_VOLUME)
    put (list, NULL, g_steal_pointer (&spec));
  return TRUE;
}

/* What the agent calls a volume is made of its id. */
static void
add_volume (JsonBuilder *builder, const DnMountSpec *spec)
{
  char name[DN_DISK_SERIAL_BYTES + 1];

  dn_mount_volume_name (spec->id, name);
  begin_mount_from (builder, spec->target, "volume", name);
  add_option (builder, "%s", spec->is_readonly ? "ro" : "rw");
  add_option (builder, "nosuid");
  add_option (builder, "nodev");
  if (!spec->is_executable)
    add_option (builder, "noexec");
  if (!spec->is_not_filled)
    add_option (builder, "tmpcopyup");
  end_mount (builder);
}

gboolean
dn_spec_add_mounts (JsonBuilder *builder, const DnContainerOptions *options, char **volumes,
                    const DnProfile *profile, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (free_place);

  for (guint i = 0; i < profile->tmpfs->len; i++)
    put (list, dn_tmpfs_copy (g_ptr_array_index (profile->tmpfs, i)), NULL);
  for (guint i = 0; options->tmpfs != NULL && options->tmpfs[i] != NULL; i++)
    if (!put_tmpfs (list, options->tmpfs[i], error))
      return FALSE;
  for (guint i = 0; options->volumes != NULL && options->volumes[i] != NULL; i++)
    if (!put_mount (list, options->volumes[i], error))
      return FALSE;
  put_image_volumes (list, volumes);
  g_ptr_array_sort (list, compare);
  json_builder_set_member_name (builder, "mounts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < profile->mounts->len; i++)
    {
      const DnProfileMount *mount = g_ptr_array_index (profile->mounts, i);

      begin_mount (builder, mount->target, mount->type);
      for (char **option = mount->options; *option != NULL; option++)
        json_builder_add_string_value (builder, *option);
      end_mount (builder);
    }
  for (guint i = 0; i < list->len; i++)
    {
      const Place *place = list->pdata[i];

      if (place->tmpfs != NULL)
        add_tmpfs (builder, place->tmpfs);
      else
        add_volume (builder, place->spec);
    }
  json_builder_end_array (builder);
  return TRUE;
}

void
dn_spec_add_share (JsonArray *mounts, const DnMountSpec *spec, gboolean is_directory)
{
  JsonObject *object = json_object_new ();
  JsonArray *options = json_array_new ();

  json_array_add_string_element (options, "nosuid");
  json_array_add_string_element (options, "nodev");
  json_array_add_string_element (options, spec->is_readonly ? "ro" : "rw");
  if (!spec->is_executable)
    json_array_add_string_element (options, "noexec");
  if (!is_directory)
    json_array_add_string_element (options, "file");
  json_object_set_string_member (object, "destination", spec->target);
  json_object_set_string_member (object, "type", "share");
  json_object_set_string_member (object, "source", "share");
  json_object_set_array_member (object, "options", options);
  json_array_add_object_element (mounts, object);
}
