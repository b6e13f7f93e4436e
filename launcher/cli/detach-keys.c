/* SPDX-License-Identifier: Apache-2.0 */
#include "detach-keys.h"

#include <string.h>

#include "../common/error.h"

static gboolean
parse_key (const char *word, guint8 *ret_key)
{
  if (strlen (word) == 1 && g_ascii_isprint (*word))
    *ret_key = (guint8) *word;
  else if (g_ascii_strncasecmp (word, "ctrl-", 5) == 0 && strlen (word) == 6
           && (g_ascii_isalpha (word[5]) || strchr ("@[\\]^_", word[5]) != NULL))
    *ret_key = (guint8) (g_ascii_toupper (word[5]) & 0x1f);
  else
    return FALSE;
  return TRUE;
}

gboolean
dn_detach_keys_parse (const char *text, DnDetachKeys *ret_keys, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  DnDetachKeys keys = { .count = 0 };

  for (guint i = 0; words[i] != NULL; i++)
    {
      if (keys.count == DN_DETACH_KEYS_MAX)
        return dn_throw (error, DN_ERROR_USAGE, "'%s': more than %d keys", text,
                         DN_DETACH_KEYS_MAX);
      if (!parse_key (words[i], &keys.keys[keys.count]))
        return dn_throw (error, DN_ERROR_USAGE, "'%s': '%s' is no key; write for instance %s", text,
                         words[i], DN_DETACH_KEYS_DEFAULT);
      keys.count++;
    }
  *ret_keys = keys;
  return TRUE;
}

/* The held keys and @byte do not make the sequence.  What is forwarded is the least from the front
 * that leaves the rest a beginning of the sequence again. */
static gsize
give_back (DnDetachKeys *keys, guint8 byte, guint8 *out)
{
  guint8 seen[DN_DETACH_KEYS_MAX + 1];
  gsize count = keys->held, drop;

  memcpy (seen, keys->keys, count);
  seen[count++] = byte;
  for (drop = 1; drop < count; drop++)
    if (memcmp (seen + drop, keys->keys, count - drop) == 0)
      break;
  memcpy (out, seen, drop);
  keys->held = count - drop;
  return drop;
}

gboolean
dn_detach_keys_filter (DnDetachKeys *keys, const guint8 *bytes, gsize size, guint8 *ret_out,
                       gsize *ret_out_size)
{
  gsize used = 0;
  gboolean is_complete = FALSE;

  for (gsize i = 0; i < size && !is_complete; i++)
    {
      if (keys->count == 0)
        ret_out[used++] = bytes[i];
      else if (bytes[i] == keys->keys[keys->held])
        is_complete = ++keys->held == keys->count;
      else
        used += give_back (keys, bytes[i], ret_out + used);
    }
  if (is_complete)
    keys->held = 0;
  *ret_out_size = used;
  return is_complete;
}
