/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap.h"

#include "../cli/escape.h"

#include <string.h>

/* How many bytes of @text fit into @columns; at least one character. */
static gsize
fitting_bytes (const char *text, guint columns)
{
  const char *at = text;
  guint width = 0;

  while (*at != '\0')
    {
      gunichar c = g_utf8_get_char (at);
      guint more = g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;

      if (at > text && width + more > columns)
        break;
      width += more;
      at = g_utf8_next_char (at);
    }
  return (gsize) (at - text);
}

/* Where a line that has @bytes of room ends: at the last blank, if there is one. */
static gsize
break_at (const char *text, gsize bytes)
{
  gsize end = bytes;

  if (text[bytes] == '\0' || text[bytes] == ' ')
    return bytes;
  while (end > 0 && text[end - 1] != ' ')
    end--;
  return end > 0 ? end : bytes;
}

GPtrArray *
dn_wrap_text (const char *text, guint columns)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  while (*text == ' ')
    text++;
  do
    {
      gsize end = break_at (text, fitting_bytes (text, columns));

      g_ptr_array_add (lines, g_strchomp (g_strndup (text, end)));
      text += end;
      while (*text == ' ')
        text++;
    }
  while (*text != '\0');
  return lines;
}
