/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-spec.h"

#include <string.h>

#include "error.h"
#include "names.h"

#define SHOWN_BYTES 80
#define IDS 65536

static const char *
flag_of (gboolean is_config)
{
  return is_config ? "--config" : "--secret";
}

void
dn_secret_spec_free (DnSecretSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->name);
  g_free (spec->target);
  g_free (spec->file);
  g_free (spec);
}

static gboolean
is_name (const char *name)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  gsize length = strlen (name);

  return length > 0 && length <= DN_SECRET_NAME_BYTES && name[0] != '.' && name[0] != '-'
         && strspn (name, letters) == length;
}

gboolean
dn_secret_name_check (const char *name, const char *flag, GError **error)
{
  g_autofree char *shown = NULL;

  if (is_name (name))
    return TRUE;
  shown = dn_text_clean (name, SHOWN_BYTES);
  return dn_throw (
      error, DN_ERROR_USAGE,
      "%s: '%s': a name has 1 to %d letters, digits, '_', '.' and '-', and begins with "
      "none of the last two",
      flag, shown, DN_SECRET_NAME_BYTES);
}

/* Whether @path is @directory or below it. */
static gboolean
is_in (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static gboolean
is_plain_path (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path + 1, "/", -1);

  if (path[1] == '\0' || strlen (path) > DN_PATH_BYTES)
    return FALSE;
  for (char **part = parts; *part != NULL; part++)
    if (**part == '\0' || strlen (*part) > 255 || g_str_equal (*part, ".")
        || g_str_equal (*part, ".."))
      return FALSE;
  return TRUE;
}

/* Why nothing can be put there, or NULL. */
static const char *
find_objection (const char *target)
{
  static const struct
  {
    const char *path;
    const char *why;
  } refused[] = {
    { "/proc", "it is the kernel's" },
    { "/sys", "it is the kernel's" },
    { "/dev", "Danchi makes it" },
    { "/etc/hosts", "Danchi makes it" },
    { "/etc/hostname", "Danchi makes it" },
    { "/etc/resolv.conf", "Danchi makes it" },
    { "/etc/passwd", "it is read before there are secrets" },
    { "/etc/group", "it is read before there are secrets" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (is_in (target, refused[i].path))
      return refused[i].why;
  if (is_in (DN_SECRETS_DIRECTORY, target))
    return "it would hide all secrets";
  if (is_in (target, DN_SECRETS_DIRECTORY) && !is_name (target + strlen (DN_SECRETS_DIRECTORY "/")))
    return DN_SECRETS_DIRECTORY " has no directories, and names as secrets have";
  return NULL;
}

static gboolean
set_target (DnSecretSpec *spec, const char *target, GError **error)
{
  const char *flag = flag_of (spec->is_config);
  const char *objection;
  g_autofree char *shown = dn_text_clean (target, SHOWN_BYTES);

  g_free (spec->target);
  spec->target
      = target[0] == '/' ? g_strdup (target) : g_strconcat (DN_SECRETS_DIRECTORY "/", target, NULL);
  if (target[0] != '/' && !is_name (target))
    return dn_throw (
        error, DN_ERROR_USAGE,
        "%s: '%s': target '%s': must be an absolute path, or a name in " DN_SECRETS_DIRECTORY, flag,
        spec->name, shown);
  if (!is_plain_path (spec->target))
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: '%s': target '%s': must be a plain path, without '.', '..' and doubled "
                     "slashes, of at most %d bytes",
                     flag, spec->name, shown, DN_PATH_BYTES);
  objection = find_objection (spec->target);
  return objection == NULL
         || dn_throw (error, DN_ERROR_USAGE, "%s: '%s': nothing can be placed at '%s': %s", flag,
                      spec->name, shown, objection);
}

static gboolean
read_number (const DnSecretSpec *spec, const char *key, const char *text, guint base, guint64 most,
             guint *ret_number, GError **error)
{
  const char *flag = flag_of (spec->is_config);
  g_autofree char *shown = dn_text_clean (text, SHOWN_BYTES);
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, base, 0, most, &number, NULL))
    return base == 8 ? dn_throw (error, DN_ERROR_USAGE,
                                 "%s: '%s': mode '%s': must be from 0 to 0777, octal", flag,
                                 spec->name, shown)
                     : dn_throw (error, DN_ERROR_USAGE,
                                 "%s: '%s': %s '%s': must be a number from 0 to %d", flag,
                                 spec->name, key, shown, IDS - 1);
  *ret_number = (guint) number;
  return TRUE;
}

static gboolean
set_field (DnSecretSpec *spec, const char *field, GError **error)
{
  const char *equals = strchr (field, '=');
  g_autofree char *key = equals != NULL ? g_strndup (field, (gsize) (equals - field)) : NULL;
  g_autofree char *shown = dn_text_clean (field, SHOWN_BYTES);

  if (key != NULL && g_str_equal (key, "target"))
    return set_target (spec, equals + 1, error);
  if (key != NULL && g_str_equal (key, "uid"))
    return read_number (spec, key, equals + 1, 10, IDS - 1, &spec->uid, error);
  if (key != NULL && g_str_equal (key, "gid"))
    return read_number (spec, key, equals + 1, 10, IDS - 1, &spec->gid, error);
  if (key != NULL && g_str_equal (key, "mode"))
    return read_number (spec, key, equals + 1, 8, 0777, &spec->mode, error);
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s: '%s': '%s' is not known here\nthere are target=, uid=, gid= and mode=",
                   flag_of (spec->is_config), spec->name, shown);
}

DnSecretSpec *
dn_secret_spec_parse (const char *text, gboolean is_config, GError **error)
{
  g_autoptr (DnSecretSpec) spec = g_new0 (DnSecretSpec, 1);
  g_auto (GStrv) fields = g_strsplit (text, ",", -1);
  gsize directory = strlen (DN_SECRETS_DIRECTORY "/");

  spec->is_config = is_config;
  spec->uid = spec->gid = is_config ? 0 : DN_SECRET_OF_USER;
  spec->mode = is_config ? 0444 : 0400;
  spec->name = g_strdup (fields[0] != NULL ? fields[0] : "");
  if (!dn_secret_name_check (spec->name, flag_of (is_config), error)
      || !set_target (spec, spec->name, error))
    return NULL;
  for (guint i = 1; fields[i] != NULL; i++)
    {
      for (guint k = 1; k < i; k++)
        if (strcspn (fields[i], "=") == strcspn (fields[k], "=")
            && strncmp (fields[i], fields[k], strcspn (fields[i], "=")) == 0)
          {
            g_autofree char *shown = dn_text_clean (fields[i], SHOWN_BYTES);

            dn_throw (error, DN_ERROR_USAGE, "%s: '%s': '%s' is said twice", flag_of (is_config),
                      spec->name, shown);
            return NULL;
          }
      if (!set_field (spec, fields[i], error))
        return NULL;
    }
  spec->is_linked = !is_in (spec->target, DN_SECRETS_DIRECTORY);
  spec->file = g_strdup (spec->is_linked ? spec->name : spec->target + directory);
  return g_steal_pointer (&spec);
}

const DnSecretSpec *
dn_secret_specs_find (const GPtrArray *specs, const char *name)
{
  for (guint i = 0; i < specs->len; i++)
    {
      const DnSecretSpec *spec = g_ptr_array_index (specs, i);

      if (g_str_equal (spec->name, name))
        return spec;
    }
  return NULL;
}

static gboolean
check_beside (const DnSecretSpec *spec, const GPtrArray *others, GError **error)
{
  const char *flag = flag_of (spec->is_config);

  for (guint i = 0; i < others->len; i++)
    {
      const DnSecretSpec *other = g_ptr_array_index (others, i);

      if (g_str_equal (other->name, spec->name))
        return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': is there twice", flag, spec->name);
      if (is_in (spec->target, other->target) || is_in (other->target, spec->target)
          || g_str_equal (spec->file, other->file))
        return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': is in the place of '%s'", flag,
                         spec->name, other->name);
    }
  return TRUE;
}

static gboolean
add_all (GPtrArray *specs, char **texts, gboolean is_config, GError **error)
{
  for (; texts != NULL && *texts != NULL; texts++)
    {
      g_autoptr (DnSecretSpec) spec = dn_secret_spec_parse (*texts, is_config, error);

      if (spec == NULL || !check_beside (spec, specs, error))
        return FALSE;
      if (specs->len == DN_SECRETS_MAX)
        return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': a container has %d secrets at most",
                         flag_of (is_config), spec->name, DN_SECRETS_MAX);
      g_ptr_array_add (specs, g_steal_pointer (&spec));
    }
  return TRUE;
}

GPtrArray *
dn_secret_specs_parse (char **secrets, char **configs, GError **error)
{
  g_autoptr (GPtrArray) specs
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_secret_spec_free);

  return add_all (specs, secrets, FALSE, error) && add_all (specs, configs, TRUE, error)
             ? g_steal_pointer (&specs)
             : NULL;
}
