/* SPDX-License-Identifier: Apache-2.0 */
#include "escape.h"

#include <string.h>

/* Control, Format, Surrogate and Private_Use of Unicode's categories, and the two separators that
 * end a line.  Unassigned ones stay: GLib's table is older than some people's letters. */
static gboolean
is_dangerous (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_SURROGATE
         || type == G_UNICODE_PRIVATE_USE || type == G_UNICODE_LINE_SEPARATOR
         || type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

static void
append_control (GString *out, guchar byte)
{
  if (byte == '\n')
    g_string_append (out, "\\n");
  else if (byte == '\t')
    g_string_append (out, "\\t");
  else if (byte == '\r')
    g_string_append (out, "\\r");
  else
    g_string_append_printf (out, "\\x%02x", byte);
}

char *
dn_escape_text (const char *text, gssize size)
{
  gsize left = size < 0 ? strlen (text) : (gsize) size;
  GString *out = g_string_sized_new (left + 16);

  while (left > 0)
    {
      gunichar c = g_utf8_get_char_validated (text, (gssize) left);
      gsize bytes = 1;

      /* A NUL inside is valid as far as this function knows, but comes back as -2. */
      if (c == (gunichar) -1 || c == (gunichar) -2 || c < 0x20 || c == 0x7f)
        append_control (out, (guchar) *text);
      else
        {
          bytes = (gsize) g_unichar_to_utf8 (c, NULL);
          if (is_dangerous (c))
            g_string_append_printf (out, "\\u{%04x}", c);
          else
            g_string_append_len (out, text, (gssize) bytes);
        }
      text += bytes;
      left -= bytes;
    }
  return g_string_free (out, FALSE);
}

char *
dn_escape_json (const char *text)
{
  GString *out = g_string_sized_new (strlen (text) + 16);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (c == '\n' || !is_dangerous (c))
        g_string_append_len (out, at, g_utf8_next_char (at) - at);
      else if (c < 0x10000)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                                0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  return g_string_free (out, FALSE);
}

char *
dn_escape_word (const char *word)
{
  const char *at = word;

  while (g_ascii_isalnum (*at) || (*at != '\0' && strchr ("_-./:=@%+,", *at) != NULL))
    at++;
  return *word != '\0' && *at == '\0' ? g_strdup (word) : g_shell_quote (word);
}

guint
dn_escape_width (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (!g_unichar_iszerowidth (c))
        width += g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}
