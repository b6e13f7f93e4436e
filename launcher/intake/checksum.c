/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#include <string.h>

#define DIGITS 64
#define BSD "SHA256 ("

/* Whether @line, without its end, begins with @sha256, in whichever case, and nothing that could be
 * more of a digest follows. */
static gboolean
begins_with (const char *line, gsize size, const char *sha256)
{
  return size >= DIGITS && g_ascii_strncasecmp (line, sha256, DIGITS) == 0
         && (size == DIGITS || line[DIGITS] == ' ' || line[DIGITS] == '\t');
}

static gboolean
line_has (const char *line, gsize size, const char *sha256)
{
  while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
    size--;
  if (size > strlen (BSD) + DIGITS && memcmp (line, BSD, strlen (BSD)) == 0)
    return memcmp (line + size - DIGITS - 4, ") = ", 4) == 0
           && begins_with (line + size - DIGITS, DIGITS, sha256);
  /* sha256sum puts a backslash before a line whose name it had to escape. */
  if (size > 0 && line[0] == '\\')
    return begins_with (line + 1, size - 1, sha256);
  return begins_with (line, size, sha256);
}

gboolean
dn_checksum_has (const char *text, gsize size, const char *sha256)
{
  while (size > 0)
    {
      const char *end = memchr (text, '\n', size);
      gsize length = end != NULL ? (gsize) (end - text) : size;

      if (line_has (text, length, sha256))
        return TRUE;
      length += end != NULL ? 1 : 0;
      text += length;
      size -= length;
    }
  return FALSE;
}
