/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"

#define LOCAL "localhost/"
#define TAG_MAX_BYTES 128
#define DIGEST_DIGITS 64

/* A part of a path: lower case words, joined by '.', '_', '__' or dashes. */
static gboolean
part_is_valid (const char *part)
{
  gboolean was_separator = TRUE;

  for (const char *at = part; *at != '\0'; at++)
    {
      gboolean is_separator = strchr ("._-", *at) != NULL;

      if (!is_separator && !g_ascii_islower (*at) && !g_ascii_isdigit (*at))
        return FALSE;
      /* "..": could be taken for a path by whoever stores things under such a name. */
      if (is_separator && was_separator && (at == part || *at == '.' || at[-1] == '.'))
        return FALSE;
      was_separator = is_separator;
    }
  return !was_separator;
}

/* A host name or address with an optional port: labels of letters, digits and dashes, joined by
 * single dots. */
static gboolean
registry_is_valid (const char *registry)
{
  const char *colon = strrchr (registry, ':');
  gsize host = colon != NULL ? (gsize) (colon - registry) : strlen (registry);
  guint64 port;

  if (host == 0 || host > 253 || !g_ascii_isalnum (registry[0])
      || !g_ascii_isalnum (registry[host - 1]))
    return FALSE;
  for (gsize i = 0; i < host; i++)
    if (!g_ascii_isalnum (registry[i])
        && (strchr (".-", registry[i]) == NULL || (registry[i] == '.' && registry[i - 1] == '.')))
      return FALSE;
  return colon == NULL || g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL);
}

static gboolean
tag_is_valid (const char *tag)
{
  gsize size = strlen (tag);

  if (size == 0 || size > TAG_MAX_BYTES || strchr (".-", tag[0]) != NULL)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isalnum (tag[i]) && strchr ("._-", tag[i]) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
looks_like_registry (const char *part)
{
  return strpbrk (part, ".:") != NULL || g_str_equal (part, "localhost");
}

static gboolean
name_is_valid (char **parts, guint count)
{
  guint first = looks_like_registry (parts[0]) && count > 1 ? 1 : 0;

  if (first == 1 && !registry_is_valid (parts[0]))
    return FALSE;
  for (guint i = first; i < count; i++)
    if (!part_is_valid (parts[i]))
      return FALSE;
  return TRUE;
}

char *
dn_reference_normalise (const char *text, GError **error)
{
  g_autofree char *name = g_strdup (text);
  g_autofree char *shown = dn_text_clean (text, 2 * DN_REFERENCE_MAX_BYTES);
  char *digest = strchr (name, '@');
  char *tag;
  g_auto (GStrv) parts = NULL;
  g_autofree char *full = NULL;

  if (digest != NULL)
    *digest++ = '\0';
  tag = strrchr (name, ':');
  if (tag != NULL && strchr (tag, '/') != NULL)
    tag = NULL; /* a port's colon */
  if (tag != NULL)
    *tag++ = '\0';
  parts = g_strsplit (name, "/", -1);
  if (strlen (text) > DN_REFERENCE_MAX_BYTES || parts[0] == NULL
      || !name_is_valid (parts, g_strv_length (parts)) || (tag != NULL && !tag_is_valid (tag))
      || (digest != NULL
          && (!g_str_has_prefix (digest, "sha256:") || !dn_id_is_hex (digest + 7, DIGEST_DIGITS))))
    {
      dn_throw (error, DN_ERROR_USAGE,
                "image '%s': not a reference\nuse NAME:TAG or REGISTRY/NAME:TAG in lower case",
                shown);
      return NULL;
    }
  if (tag == NULL && digest == NULL)
    tag = (char *) "latest";
  full = g_strconcat (parts[1] != NULL && looks_like_registry (parts[0]) ? "" : LOCAL, name,
                      tag != NULL ? ":" : "", tag != NULL ? tag : "", digest != NULL ? "@" : "",
                      digest != NULL ? digest : "", NULL);
  if (strlen (full) > DN_REFERENCE_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_USAGE, "image '%s': a reference of more than %d bytes", shown,
                DN_REFERENCE_MAX_BYTES);
      return NULL;
    }
  return g_steal_pointer (&full);
}

const char *
dn_reference_short (const char *reference)
{
  return g_str_has_prefix (reference, LOCAL) ? reference + strlen (LOCAL) : reference;
}
