/* SPDX-License-Identifier: Apache-2.0 */
#include "console-tail.h"

#include <string.h>

#include "../base/console-ring.h"
#include "escape.h"

/* As much of the ring as is looked at: 20 lines of any length a kernel prints. */
#define TAIL_BYTES (16 * 1024)

/* What a console's line ends with, and the colours and cursor moves of firmware, only hide the
 * words: carriage returns at the end go, the rest is escaped. */
static gsize
trimmed_size (const char *line, gsize size)
{
  while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
    size--;
  return size;
}

char *
dn_console_tail_format (const char *bytes, gsize size, guint lines_max)
{
  GString *out = g_string_new (NULL);
  gsize start;
  guint lines = 0;

  while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
    size--;
  start = size;
  while (start > 0)
    {
      if (bytes[start - 1] == '\n' && ++lines == lines_max)
        break;
      start--;
    }
  while (start < size)
    {
      const char *newline = memchr (bytes + start, '\n', size - start);
      gsize end = newline != NULL ? (gsize) (newline - bytes) : size;
      g_autofree char *line
          = dn_escape_text (bytes + start, (gssize) trimmed_size (bytes + start, end - start));

      g_string_append_printf (out, "  %s\n", line);
      start = end + 1;
    }
  return g_string_free (out, FALSE);
}

char *
dn_console_tail_read (int fd, guint lines_max)
{
  g_autofree guint8 *bytes = g_malloc (TAIL_BYTES);
  int size = dn_console_ring_read_tail (fd, bytes, TAIL_BYTES);

  return size < 0 ? NULL : dn_console_tail_format ((const char *) bytes, (gsize) size, lines_max);
}
