/* SPDX-License-Identifier: Apache-2.0 */
#include "mount-words.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "quantity.h"

void
dn_mount_words_init (DnMountWords *words)
{
  *words = (DnMountWords){ .tmpfs_options = g_ptr_array_new_with_free_func (g_free) };
}

void
dn_mount_words_clear (DnMountWords *words)
{
  g_clear_pointer (&words->source, g_free);
  g_clear_pointer (&words->target, g_free);
  g_clear_pointer (&words->tmpfs_options, g_ptr_array_unref);
}

static gboolean
read_size (DnMountWords *words, const char *value, const char *what, GError **error)
{
  return dn_quantity_parse_bytes (value, &words->size_bytes)
         || dn_throw (error, DN_ERROR_USAGE, "%s: size '%s' is none\nfor instance size=512m", what,
                      value);
}

/* The words that both forms have.  FALSE without an error: it is none of them. */
static gboolean
read_common (DnMountWords *words, const char *word)
{
  if (g_str_equal (word, "noexec"))
    words->is_noexec = TRUE;
  else if (g_str_equal (word, "exec"))
    words->is_executable = TRUE;
  else
    /* So it is anyway. */
    return g_str_equal (word, "nosuid") || g_str_equal (word, "nodev");
  return TRUE;
}

static gboolean
check_contradictions (const DnMountWords *words, const char *what, GError **error)
{
  return !words->is_noexec || !words->is_executable
         || dn_throw (error, DN_ERROR_USAGE, "%s: exec and noexec exclude each other", what);
}

/* A word that loosens what always holds, or that means something that there is not here. */
static gboolean
refuse (const char *word, const char *known, const char *what, GError **error)
{
  if (g_str_equal (word, "suid") || g_str_equal (word, "dev"))
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: every file system in a container is nosuid and nodev\nleave '%s' out",
                     what, word);
  if (g_ascii_strcasecmp (word, "z") == 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: nothing is labelled anew for a guest\nleave '%s' out", what, word);
  return dn_throw (error, DN_ERROR_USAGE, "%s: option '%s' is not understood\nknown are %s", what,
                   word, known);
}

static gboolean
read_colon_option (DnMountWords *words, const char *option, const char *what, GError **error)
{
  if (g_str_equal (option, "ro"))
    words->is_readonly = TRUE;
  else if (g_str_equal (option, "nocopy"))
    words->has_nocopy = TRUE;
  else if (g_str_has_prefix (option, "size="))
    return read_size (words, option + strlen ("size="), what, error);
  else if (g_str_equal (option, "rw"))
    words->is_writable = TRUE;
  else if (!read_common (words, option))
    return refuse (option, "ro rw exec noexec nocopy size=N", what, error);
  return TRUE;
}

static gboolean
read_colon_options (DnMountWords *words, const char *text, const char *what, GError **error)
{
  g_auto (GStrv) options = g_strsplit (text, ",", -1);

  if (g_strv_contains ((const char *const *) options, "ro")
      && g_strv_contains ((const char *const *) options, "rw"))
    return dn_throw (error, DN_ERROR_USAGE, "%s: ro and rw exclude each other", what);
  for (guint i = 0; options[i] != NULL; i++)
    if (!read_colon_option (words, options[i], what, error))
      return FALSE;
  return check_contradictions (words, what, error);
}

gboolean
dn_mount_words_read_colons (DnMountWords *words, const char *text, const char *what, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", -1);
  guint count = g_strv_length (parts);

  if (count <= 1 && text[0] != '/')
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: where to mount it is missing\nfor instance data:/var/lib/data", what);
  if (count > 3 || (count > 1 && (parts[0][0] == '\0' || parts[1][0] == '\0'))
      || (count == 3 && parts[2][0] == '\0'))
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: not NAME:/path, /on/the/host:/path or /path, with :OPTIONS or not", what);
  if (count > 1)
    words->source = g_strdup (parts[0]);
  words->target = g_strdup (parts[count > 1 ? 1 : 0]);
  words->kind = count > 1 && parts[0][0] == '/' ? DN_MOUNT_BIND : DN_MOUNT_VOLUME;
  return count < 3 || read_colon_options (words, parts[2], what, error);
}

/* "", "true", "1" and their opposites. */
static gboolean
read_switch (const char *value, gboolean *ret_switch, const char *key, const char *what,
             GError **error)
{
  if (value == NULL || g_str_equal (value, "true") || g_str_equal (value, "1"))
    *ret_switch = TRUE;
  else if (g_str_equal (value, "false") || g_str_equal (value, "0"))
    *ret_switch = FALSE;
  else
    return dn_throw (error, DN_ERROR_USAGE, "%s: %s must be true or false", what, key);
  return TRUE;
}

static gboolean
read_kind (DnMountWords *words, const char *value, const char *what, GError **error)
{
  for (guint i = 0; dn_mount_kind_words[i] != NULL; i++)
    if (g_str_equal (value, dn_mount_kind_words[i]))
      {
        words->kind = (DnMountKind) i;
        return TRUE;
      }
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s: there is no type '%s'\nthere are volume, bind, tmpfs", what, value);
}

static gboolean
read_once (char **ret_text, const char *value, const char *key, const char *what, GError **error)
{
  if (*ret_text != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s' is given twice", what, key);
  if (value[0] == '\0')
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s' is empty", what, key);
  *ret_text = g_strdup (value);
  return TRUE;
}

/* A key with a value. */
static gboolean
read_pair (DnMountWords *words, const char *key, const char *value, const char *what,
           GError **error)
{
  static const char *const sources[] = { "source", "src", NULL };
  static const char *const targets[] = { "target", "dst", "destination", NULL };

  if (g_str_equal (key, "type"))
    return read_kind (words, value, what, error);
  if (g_strv_contains (sources, key))
    return read_once (&words->source, value, key, what, error);
  if (g_strv_contains (targets, key))
    return read_once (&words->target, value, key, what, error);
  if (g_str_equal (key, "volume-opt") && g_str_has_prefix (value, "size="))
    return read_size (words, value + strlen ("size="), what, error);
  if (g_str_equal (key, "tmpfs-size") || g_str_equal (key, "tmpfs-mode"))
    {
      g_ptr_array_add (words->tmpfs_options,
                       g_strdup_printf ("%s=%s", key + strlen ("tmpfs-"), value));
      return TRUE;
    }
  if (g_str_equal (key, "bind-propagation"))
    return g_str_equal (value, "private") || g_str_equal (value, "rprivate")
           || dn_throw (error, DN_ERROR_USAGE,
                        "%s: mounts are never passed on into or out of a guest\n"
                        "leave bind-propagation=%s out",
                        what, value);
  if (g_str_equal (key, "volume-id") && dn_id_is_hex (value, DN_ID_BYTES))
    {
      g_strlcpy (words->id, value, sizeof words->id);
      return TRUE;
    }
  return refuse (key,
                 "type source target readonly exec noexec volume-nocopy volume-opt=size=N "
                 "tmpfs-size tmpfs-mode",
                 what, error);
}

static gboolean
read_key (DnMountWords *words, const char *text, const char *what, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (text, "=", 2);
  const char *key = halves[0] != NULL ? halves[0] : "";
  const char *value = halves[0] != NULL ? halves[1] : NULL;

  if (g_str_equal (key, "readonly") || g_str_equal (key, "ro"))
    {
      if (!read_switch (value, &words->is_readonly, key, what, error))
        return FALSE;
      words->is_writable = !words->is_readonly;
      return TRUE;
    }
  if (g_str_equal (key, "volume-nocopy"))
    return read_switch (value, &words->has_nocopy, key, what, error);
  if (value == NULL)
    return read_common (words, key)
           || refuse (key, "readonly, exec, noexec, volume-nocopy, and keys with a value", what,
                      error);
  return read_pair (words, key, value, what, error);
}

gboolean
dn_mount_words_read_keys (DnMountWords *words, const char *text, const char *what, GError **error)
{
  g_auto (GStrv) keys = g_strsplit (text, ",", -1);

  for (guint i = 0; keys[i] != NULL; i++)
    if (!read_key (words, keys[i], what, error))
      return FALSE;
  return check_contradictions (words, what, error);
}
