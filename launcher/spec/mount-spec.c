/* SPDX-License-Identifier: Apache-2.0 */
#include "mount-spec.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "mount-words.h"
#include "tmpfs.h"

const char *const dn_mount_kind_words[] = { "volume", "bind", "tmpfs", NULL };

void
dn_mount_spec_free (DnMountSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->target);
  g_free (spec->source);
  g_free (spec->tmpfs);
  g_free (spec);
}

static gboolean
is_or_is_below (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* What Danchi fills in a container, and the host's kernel on the host. */
static gboolean
is_reserved (const char *path)
{
  return is_or_is_below (path, "/proc") || is_or_is_below (path, "/sys")
         || is_or_is_below (path, "/dev");
}

/* A plain path of either side, without slashes at its end. (transfer full) */
static char *
read_path (const char *text, const char *side, const char *what, GError **error)
{
  g_autofree char *path = g_strdup (text);
  const char *reason = NULL;

  for (gsize length = strlen (path); length > 1 && path[length - 1] == '/'; length--)
    path[length - 1] = '\0';
  if (g_str_equal (path, "/"))
    reason = "'/' itself cannot be mounted\nname a directory in it";
  else if (!dn_tmpfs_path_is_plain (path))
    reason = "must be an absolute path without '.', '..' and doubled slashes\n"
             "for instance data:/var/lib/data or /srv/data:/data:ro";
  /* It parts the keys of --mount. */
  else if (strchr (path, ',') != NULL)
    reason = "a path with a comma cannot be mounted";
  else if (is_reserved (path))
    reason = "/proc, /sys and /dev are the kernel's and Danchi's own\nchoose another path";
  if (reason == NULL)
    return g_steal_pointer (&path);
  dn_throw (error, DN_ERROR_USAGE, "%s: path %s, '%s': %s", what, side, path, reason);
  return NULL;
}

static gboolean
check_source (DnMountSpec *spec, const char *what, GError **error)
{
  g_autofree char *given = g_steal_pointer (&spec->source);

  switch (spec->kind)
    {
    case DN_MOUNT_VOLUME:
      if (given != NULL && given[0] == '/')
        return dn_throw (error, DN_ERROR_USAGE,
                         "%s: a volume has a name and no path\n"
                         "for a directory of the host's say type=bind",
                         what);
      if (given != NULL && strchr (given, '/') != NULL)
        return dn_throw (error, DN_ERROR_USAGE,
                         "%s: '%s' is neither a volume's name nor an absolute path\n"
                         "write a directory of the host's with its whole path",
                         what, given);
      if (given != NULL && !dn_name_check (given, "volume", error))
        {
          g_prefix_error (error, "%s: ", what);
          return FALSE;
        }
      spec->source = g_steal_pointer (&given);
      return TRUE;
    case DN_MOUNT_BIND:
      if (given == NULL)
        return dn_throw (error, DN_ERROR_USAGE, "%s: a bind needs source=/path/on/the/host", what);
      spec->source = read_path (given, "on the host", what, error);
      return spec->source != NULL;
    case DN_MOUNT_TMPFS:
      return given == NULL
             || dn_throw (error, DN_ERROR_USAGE, "%s: a tmpfs has no source\nleave it out", what);
    }
  g_assert_not_reached ();
}

/* What options of one kind another kind cannot have. */
static gboolean
check_kind (const DnMountSpec *spec, const DnMountWords *words, const char *what, GError **error)
{
  const struct
  {
    const char *option;
    gboolean is_given;
    DnMountKind kind;
  } options[] = {
    { "nocopy", words->has_nocopy, DN_MOUNT_VOLUME },
    { "size", words->size_bytes != 0, DN_MOUNT_VOLUME },
    { "tmpfs-size and tmpfs-mode", words->tmpfs_options->len > 0, DN_MOUNT_TMPFS },
  };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    if (options[i].is_given && options[i].kind != spec->kind)
      return dn_throw (error, DN_ERROR_USAGE, "%s: '%s' is for type %s, and this is a %s", what,
                       options[i].option, dn_mount_kind_words[options[i].kind],
                       dn_mount_kind_words[spec->kind]);
  if (spec->id[0] != '\0' && spec->kind != DN_MOUNT_VOLUME)
    return dn_throw (error, DN_ERROR_USAGE, "%s: 'volume-id' is for type volume", what);
  if (spec->kind == DN_MOUNT_TMPFS && words->is_readonly)
    return dn_throw (error, DN_ERROR_USAGE, "%s: a tmpfs that is read-only holds nothing", what);
  return TRUE;
}

static gboolean
take_tmpfs (DnMountSpec *spec, const DnMountWords *words, GError **error)
{
  g_autoptr (GString) text = g_string_new (spec->target);
  g_autoptr (DnTmpfs) tmpfs = NULL;
  const char *mark = ":";

  for (guint i = 0; i < words->tmpfs_options->len; i++, mark = ",")
    g_string_append_printf (text, "%s%s", mark, (const char *) words->tmpfs_options->pdata[i]);
  if (words->is_executable)
    g_string_append_printf (text, "%sexec", mark);
  tmpfs = dn_tmpfs_parse (text->str, error);
  spec->is_executable = words->is_executable;
  spec->tmpfs = g_strdup (text->str);
  return tmpfs != NULL;
}

/* From what the text says to what it means. */
static DnMountSpec *
make_spec (DnMountWords *words, const char *what, GError **error)
{
  g_autoptr (DnMountSpec) spec = g_new0 (DnMountSpec, 1);

  spec->kind = words->kind;
  spec->source = g_steal_pointer (&words->source);
  if (words->target == NULL)
    dn_throw (error, DN_ERROR_USAGE, "%s: where to mount it is missing\nadd target=/path", what);
  else
    spec->target = read_path (words->target, "in the container", what, error);
  g_strlcpy (spec->id, words->id, sizeof spec->id);
  if (spec->target == NULL || !check_source (spec, what, error)
      || !check_kind (spec, words, what, error))
    return NULL;
  /* What is the host's is given only as far as it is asked for. */
  spec->is_readonly = spec->kind == DN_MOUNT_BIND ? !words->is_writable : words->is_readonly;
  spec->is_executable = spec->kind == DN_MOUNT_BIND ? words->is_executable : !words->is_noexec;
  spec->is_not_filled = words->has_nocopy;
  spec->size_bytes = words->size_bytes;
  if (spec->kind == DN_MOUNT_TMPFS && !take_tmpfs (spec, words, error))
    return NULL;
  return g_steal_pointer (&spec);
}

DnMountSpec *
dn_mount_spec_parse (const char *text, GError **error)
{
  g_auto (DnMountWords) words = { 0 };
  g_autofree char *shown = dn_text_clean (text, 200);
  gsize begin = strcspn (text, ":/=,");
  gboolean is_keyed = text[begin] == '=' || text[begin] == ',';
  g_autofree char *what = g_strdup_printf ("%s '%s'", is_keyed ? "--mount" : "--volume", shown);

  dn_mount_words_init (&words);
  for (const char *at = text; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      {
        dn_throw (error, DN_ERROR_USAGE, "%s: control character in its value", what);
        return NULL;
      }
  if (!(is_keyed ? dn_mount_words_read_keys (&words, text, what, error)
                 : dn_mount_words_read_colons (&words, text, what, error)))
    return NULL;
  return make_spec (&words, what, error);
}

char *
dn_mount_spec_to_text (const DnMountSpec *spec)
{
  g_autoptr (GString) text = g_string_new ("type=volume");

  if (spec->source != NULL)
    g_string_append_printf (text, ",source=%s", spec->source);
  if (spec->id[0] != '\0')
    g_string_append_printf (text, ",volume-id=%s", spec->id);
  if (spec->is_readonly)
    g_string_append (text, ",readonly");
  if (!spec->is_executable)
    g_string_append (text, ",noexec");
  if (spec->is_not_filled)
    g_string_append (text, ",volume-nocopy");
  if (spec->size_bytes != 0)
    g_string_append_printf (text, ",volume-opt=size=%" G_GINT64_FORMAT, spec->size_bytes);
  g_string_append_printf (text, ",target=%s", spec->target);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
dn_mount_volume_name (const char *id, char ret_name[DN_DISK_SERIAL_BYTES + 1])
{
  (void) g_snprintf (ret_name, DN_DISK_SERIAL_BYTES + 1, "v%.*s", DN_DISK_SERIAL_BYTES - 1, id);
}

static gboolean
add_path (GHashTable *paths, const char *path, const char *flag, GError **error)
{
  return g_hash_table_add (paths, g_strdup (path))
         || dn_throw (error, DN_ERROR_USAGE,
                      "%s: '%s' is mounted on twice\nleave one of the two out", flag, path);
}

GPtrArray *
dn_mount_specs_parse (char **texts, char **tmpfs, GError **error)
{
  g_autoptr (GPtrArray) specs
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_mount_spec_free);
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; tmpfs != NULL && tmpfs[i] != NULL; i++)
    {
      g_autoptr (DnTmpfs) one = dn_tmpfs_parse (tmpfs[i], error);

      if (one == NULL || !add_path (paths, one->path, "--tmpfs", error))
        return NULL;
    }
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      DnMountSpec *spec = dn_mount_spec_parse (texts[i], error);

      if (spec == NULL)
        return NULL;
      g_ptr_array_add (specs, spec);
      if (!add_path (paths, spec->target, "--volume", error))
        return NULL;
    }
  if (specs->len > DN_MOUNT_SPECS_MAX)
    {
      dn_throw (error, DN_ERROR_USAGE, "--volume: more than %d of them", DN_MOUNT_SPECS_MAX);
      return NULL;
    }
  return g_steal_pointer (&specs);
}
