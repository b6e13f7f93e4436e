/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define SUFFIX ".jsonl"
#define BUFFER_BYTES (256 * 1024)

guint
dn_record_file_number (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  guint64 number;
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;

  if (digits < DN_RECORD_FILE_DIGITS || digits > 9 || strcmp (name + digits, SUFFIX) != 0)
    return 0;
  text = g_strndup (name, digits);
  number = g_ascii_strtoull (text, NULL, 10);
  /* One name for each number. */
  again = dn_record_file_name ((guint) number);
  return strcmp (again, name) == 0 ? (guint) number : 0;
}

char *
dn_record_file_name (guint number)
{
  return g_strdup_printf ("%0*u" SUFFIX, DN_RECORD_FILE_DIGITS, number);
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint first = *(const guint *) a, second = *(const guint *) b;

  return (first > second) - (first < second);
}

GArray *
dn_record_files_list (const char *directory, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &local);
  GArray *numbers;
  const char *name;

  if (dir == NULL && g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    dn_throw (error, DN_ERROR_NOT_FOUND, "record '%s': there is none", directory);
  else if (dir == NULL)
    dn_throw (error, DN_ERROR_FAILED, "record '%s': %s", directory, local->message);
  if (dir == NULL)
    return NULL;
  numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      guint number = dn_record_file_number (name);

      if (number > 0)
        g_array_append_val (numbers, number);
    }
  g_array_sort (numbers, compare_numbers);
  return numbers;
}

/* A line in the making, over the edges of buffers. */
typedef struct
{
  char bytes[DN_RECORD_LINE_MAX_BYTES];
  gsize used; /* of bytes */
  gsize size; /* of the line */
} Line;

static void
add_bytes (Line *line, const char *bytes, gsize size)
{
  gsize fits = MIN (size, sizeof line->bytes - line->used);

  memcpy (line->bytes + line->used, bytes, fits);
  line->used += fits;
  line->size += size;
}

/* Returns: whether to go on. */
static gboolean
take_lines (Line *line, const char *bytes, gsize size, DnRecordLineFunc take, gpointer data,
            gint64 *end)
{
  while (size > 0)
    {
      const char *newline = memchr (bytes, '\n', size);
      gsize part = newline != NULL ? (gsize) (newline - bytes) : size;

      add_bytes (line, bytes, part);
      if (newline == NULL)
        return TRUE;
      bytes += part + 1;
      size -= part + 1;
      *end += (gint64) line->size + 1;
      if (!take (line->bytes, line->used, TRUE, data))
        return FALSE;
      line->used = line->size = 0;
    }
  return TRUE;
}

gboolean
dn_record_file_read (const char *path, gint64 offset, DnRecordLineFunc take, gpointer data,
                     gint64 *ret_end, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  g_autofree char *buffer = g_malloc (BUFFER_BYTES);
  Line line = { .used = 0 };
  gint64 at = offset, end = offset;
  ssize_t n;

  if (fd < 0)
    return dn_throw_errno (error, "record '%s'", path);
  while ((n = pread (fd, buffer, BUFFER_BYTES, at)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "record '%s'", path);
      at += n;
      if (!take_lines (&line, buffer, (gsize) n, take, data, &end))
        break;
    }
  if (n == 0 && line.size > 0)
    (void) take (line.bytes, line.used, FALSE, data);
  if (ret_end != NULL)
    *ret_end = end;
  return TRUE;
}
