/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-mounts.h"

#include <string.h>

#include "tmpfs.h"

static void
begin_mount (JsonBuilder *builder, const char *target, const char *type)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "destination");
  json_builder_add_string_value (builder, target);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, type);
  json_builder_set_member_name (builder, "source");
  json_builder_add_string_value (builder, type);
  json_builder_set_member_name (builder, "options");
  json_builder_begin_array (builder);
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

static gboolean
has_path (const GPtrArray *list, const char *path)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((const DnTmpfs *) g_ptr_array_index (list, i))->path, path))
      return TRUE;
  return FALSE;
}

/* Those for which nobody else has a wish.  An image may name as many as it likes: what is over the
 * limit has no effect. */
static void
add_volumes (GPtrArray *list, char **volumes)
{
  for (guint i = 0; volumes != NULL && volumes[i] != NULL && list->len < DN_TMPFS_MAX; i++)
    {
      DnTmpfs *volume = dn_tmpfs_new_volume (volumes[i]);

      if (volume != NULL && !has_path (list, volume->path))
        g_ptr_array_add (list, volume);
      else
        dn_tmpfs_free (volume);
    }
}

/* By path: a parent's is the beginning of what lies in it, so it comes first. */
static gint
compare (gconstpointer one, gconstpointer other)
{
  return strcmp ((*(DnTmpfs *const *) one)->path, (*(DnTmpfs *const *) other)->path);
}

static void
put (GPtrArray *list, DnTmpfs *tmpfs)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((DnTmpfs *) g_ptr_array_index (list, i))->path, tmpfs->path))
      {
        g_ptr_array_remove_index (list, i);
        break;
      }
  g_ptr_array_add (list, tmpfs);
}

gboolean
dn_spec_add_mounts (JsonBuilder *builder, char **tmpfs, char **volumes, const DnProfile *profile,
                    GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_tmpfs_free);

  for (guint i = 0; i < profile->tmpfs->len; i++)
    put (list, dn_tmpfs_copy (g_ptr_array_index (profile->tmpfs, i)));
  for (guint i = 0; tmpfs != NULL && tmpfs[i] != NULL; i++)
    {
      DnTmpfs *one = dn_tmpfs_parse (tmpfs[i], error);

      if (one == NULL)
        return FALSE;
      put (list, one);
    }
  add_volumes (list, volumes);
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
    add_tmpfs (builder, g_ptr_array_index (list, i));
  json_builder_end_array (builder);
  return TRUE;
}
