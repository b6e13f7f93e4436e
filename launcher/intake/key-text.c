/* SPDX-License-Identifier: Apache-2.0 */
#include "key-text.h"

#include <string.h>

#define MINISIGN "untrusted comment:"
#define CLEAR "-----BEGIN PGP SIGNED MESSAGE-----"
#define KEY_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define KEY_END "-----END PGP PUBLIC KEY BLOCK-----"
#define TRUSTED "trusted comment: "
#define TIMESTAMP "timestamp:"

/* Of what minisign has in base64: an algorithm of two bytes, then the id. */
#define ID_OFFSET 2
#define ID_BYTES 8

static gboolean
begins (const char *bytes, gsize size, const char *with)
{
  return size >= strlen (with) && memcmp (bytes, with, strlen (with)) == 0;
}

DnSignatureForm
dn_signature_form (const char *bytes, gsize size)
{
  if (begins (bytes, size, MINISIGN))
    return DN_SIGNATURE_MINISIGN;
  return begins (bytes, size, CLEAR) ? DN_SIGNATURE_GPG_CLEAR : DN_SIGNATURE_GPG_DETACHED;
}

/* One block's base64: after an empty line, until a line that begins with '=' or the end. */
static gboolean
add_block (GByteArray *all, char **line, char ***ret_after)
{
  g_autoptr (GString) base64 = g_string_new (NULL);
  g_autofree guchar *bytes = NULL;
  gsize size;

  while (*line != NULL && **line != '\0')
    line++;
  while (*line != NULL && **line != '=' && !g_str_has_prefix (*line, KEY_END))
    g_string_append (base64, *line++);
  while (*line != NULL && !g_str_has_prefix (*line, KEY_END))
    line++;
  if (*line == NULL)
    return FALSE;
  *ret_after = line + 1;
  bytes = g_base64_decode (base64->str, &size);
  g_byte_array_append (all, bytes, (guint) size);
  return TRUE;
}

/* Lines without white space at their ends. (transfer full) */
static char **
split (const char *text, gsize size)
{
  g_autofree char *copy = g_strndup (text, size);
  char **lines = g_strsplit (copy, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    g_strchomp (*line);
  return lines;
}

GBytes *
dn_armor_decode (const char *text, gsize size)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_auto (GStrv) lines = NULL;

  /* Every packet of OpenPGP begins with a byte that no text has. */
  if (size > 0 && ((guchar) text[0] & 0x80) != 0)
    return g_bytes_new (text, size);
  lines = split (text, size);
  for (char **line = lines; *line != NULL;)
    if (!g_str_equal (*line, KEY_BEGIN))
      line++;
    else if (!add_block (all, line + 1, &line))
      return NULL;
  return all->len > 0 ? g_byte_array_free_to_bytes (g_steal_pointer (&all)) : NULL;
}

gboolean
dn_minisign_id (const char *text, gsize size, char ret_id[16 + 1])
{
  g_auto (GStrv) lines = split (text, size);
  g_autofree guchar *bytes = NULL;
  guint64 id = 0;
  gsize length;

  if (g_strv_length (lines) < 2 || !g_str_has_prefix (lines[0], MINISIGN))
    return FALSE;
  bytes = g_base64_decode (lines[1], &length);
  if (length < ID_OFFSET + ID_BYTES || bytes[0] != 'E')
    return FALSE;
  for (guint i = 0; i < ID_BYTES; i++)
    id |= (guint64) bytes[ID_OFFSET + i] << (8 * i);
  (void) g_snprintf (ret_id, 16 + 1, "%" G_GINT64_MODIFIER "X", id);
  return TRUE;
}

gint64
dn_minisign_time_s (const char *text, gsize size)
{
  g_auto (GStrv) lines = split (text, size);
  const char *at;
  gint64 time_s;

  if (g_strv_length (lines) < 3 || !g_str_has_prefix (lines[2], TRUSTED))
    return 0;
  at = strstr (lines[2], TIMESTAMP);
  time_s = at != NULL ? g_ascii_strtoll (at + strlen (TIMESTAMP), NULL, 10) : 0;
  return time_s > 0 && time_s <= G_MAXINT64 / G_USEC_PER_SEC ? time_s : 0;
}
