/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>
#include <sys/random.h>

#include "error.h"

static const char *const adjectives[] = {
  "airy",  "amber",  "bright", "brisk",  "calm",  "clear", "cosy", "crisp", "early", "fair",
  "fresh", "green",  "hidden", "humble", "jolly", "kind",  "late", "leafy", "light", "little",
  "lucky", "merry",  "mild",   "misty",  "neat",  "noble", "old",  "proud", "quick", "quiet",
  "red",   "silver", "snug",   "solid",  "sunny", "tall",  "tidy", "upper", "warm",  "white",
};

static const char *const nouns[] = {
  "alcove", "arch",    "attic",   "awning",   "balcony", "bench",   "brick",   "chimney",
  "corner", "court",   "door",    "elevator", "engawa",  "fence",   "floor",   "gable",
  "garden", "gate",    "hall",    "hearth",   "kitchen", "ladder",  "landing", "lantern",
  "lobby",  "mailbox", "parlor",  "patio",    "pillar",  "porch",   "roof",    "shoji",
  "stair",  "tatami",  "terrace", "tile",     "tower",   "veranda", "wall",    "window",
};

gboolean
dn_name_is_valid (const char *name)
{
  gsize size = strlen (name);

  if (size == 0 || size > DN_NAME_MAX_BYTES || !g_ascii_isalnum (name[0]))
    return FALSE;
  for (gsize i = 1; i < size; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("_.-", name[i]) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
dn_name_check (const char *name, const char *what, GError **error)
{
  g_autofree char *shown = NULL;

  if (dn_name_is_valid (name))
    return TRUE;
  shown = dn_text_clean (name, 80);
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s '%s': not a name\nuse up to %d letters, digits, '_', '.' and '-', beginning "
                   "with a letter or digit",
                   what, shown, DN_NAME_MAX_BYTES);
}

char *
dn_name_random (void)
{
  return g_strdup_printf ("%s_%s", adjectives[g_random_int_range (0, G_N_ELEMENTS (adjectives))],
                          nouns[g_random_int_range (0, G_N_ELEMENTS (nouns))]);
}

void
dn_id_new (char ret_id[DN_ID_BYTES + 1])
{
  guint8 bytes[DN_ID_BYTES / 2];

  /* Up to 256 bytes come whole and without EINTR once the kernel's pool is ready: getrandom(2). */
  g_assert (getrandom (bytes, sizeof bytes, 0) == (ssize_t) sizeof bytes);
  for (gsize i = 0; i < sizeof bytes; i++)
    g_snprintf (ret_id + 2 * i, 3, "%02x", bytes[i]);
}

gboolean
dn_id_is_hex (const char *text, gsize digits)
{
  return strlen (text) == digits && strspn (text, "0123456789abcdef") == digits;
}

gboolean
dn_id_is_prefix (const char *text)
{
  gsize size = strlen (text);

  return size >= DN_ID_PREFIX_MIN_BYTES && strspn (text, "0123456789abcdef") == size;
}

char *
dn_text_clean (const char *text, gsize max_bytes)
{
  gsize size = strnlen (text, max_bytes);
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) size);
  GString *clean = g_string_sized_new (size);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (clean, g_unichar_iscntrl (c) ? '?' : c);
    }
  return g_string_free (clean, FALSE);
}
