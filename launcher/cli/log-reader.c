/* SPDX-License-Identifier: Apache-2.0 */
#include "log-reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"

/* Two lines of any length, so that one always fits behind the rest of another. */
#define BUFFER_BYTES (2 * DN_LOG_LINE_MAX_BYTES)

struct DnLogReader
{
  int fds[2];     /* borrowed */
  int half;       /* which is being read; -1: none yet */
  guint64 number; /* of that half */
  off_t offset;   /* of the next byte to read from it */
  gsize start;    /* of what is not yet taken from buffer */
  gsize end;
  guint64 damaged;
  char buffer[BUFFER_BYTES];
  guint8 text[BUFFER_BYTES];
};

DnLogReader *
dn_log_reader_new (int first, int second)
{
  DnLogReader *reader = g_new (DnLogReader, 1);

  reader->fds[0] = first;
  reader->fds[1] = second;
  reader->half = -1;
  reader->number = 0;
  reader->offset = 0;
  reader->start = reader->end = 0;
  reader->damaged = 0;
  return reader;
}

void
dn_log_reader_free (DnLogReader *reader)
{
  g_free (reader);
}

guint64
dn_log_reader_count_damaged (const DnLogReader *reader)
{
  return reader->damaged;
}

/* The header of a half as it is now.  Returns: its length with the newline; 0: there is none. */
static gsize
read_header (const DnLogReader *reader, int half, guint64 *ret_number)
{
  char line[DN_LOG_HEADER_MAX_BYTES];
  ssize_t n = pread (reader->fds[half], line, sizeof line, 0);
  const char *newline = n > 0 ? memchr (line, '\n', (gsize) n) : NULL;
  uint64_t number;

  if (newline == NULL || dn_log_decode_header (line, (gsize) (newline - line), &number) < 0)
    return 0;
  *ret_number = number;
  return (gsize) (newline - line) + 1;
}

/* Goes to the first record of @half, whose header was just read. */
static void
enter_half (DnLogReader *reader, int half, guint64 number, gsize header_bytes)
{
  reader->half = half;
  reader->number = number;
  reader->offset = (off_t) header_bytes;
  reader->start = reader->end = 0;
}

/* Goes to the older half that there is.  Returns: FALSE when nothing was written yet. */
static gboolean
begin (DnLogReader *reader)
{
  guint64 numbers[2] = { 0 };
  gsize headers[2] = { read_header (reader, 0, &numbers[0]), read_header (reader, 1, &numbers[1]) };
  int older;

  if (headers[0] == 0 && headers[1] == 0)
    return FALSE;
  older = headers[0] == 0 ? 1 : headers[1] == 0 ? 0 : numbers[1] < numbers[0];
  enter_half (reader, older, numbers[older], headers[older]);
  return TRUE;
}

static gboolean
is_still_there (const DnLogReader *reader)
{
  guint64 number;

  return read_header (reader, reader->half, &number) > 0 && number == reader->number;
}

/* Reads on in the current half.  Returns: 1 with more in the buffer, 0 at its end, -1 with @error;
 * at its end or when the half is another one now, reader->half may have changed and 1 is returned.
 */
static int
read_more (DnLogReader *reader, GError **error)
{
  ssize_t n;

  memmove (reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
  reader->end -= reader->start;
  reader->start = 0;
  if (reader->end >= DN_LOG_LINE_MAX_BYTES)
    {
      /* No newline in more than the longest line: thrown away up to here. */
      reader->damaged++;
      reader->end = 0;
    }
  n = pread (reader->fds[reader->half], reader->buffer + reader->end, BUFFER_BYTES - reader->end,
             reader->offset);
  if (n < 0)
    {
      if (errno == EINTR)
        return 1;
      dn_throw_errno (error, "log");
      return -1;
    }
  if (!is_still_there (reader))
    return begin (reader) ? 1 : 0;
  reader->offset += n;
  reader->end += (gsize) n;
  return n > 0;
}

/* At the end of a half: on to the other one if that is newer.  Only a half whose end was read
 * *after* the newer one had appeared is read to its end; hence the second look. */
static int
change_half (DnLogReader *reader, GError **error)
{
  int other = 1 - reader->half, r;
  guint64 number;
  gsize header = read_header (reader, other, &number);

  if (header == 0 || number <= reader->number)
    return 0;
  r = read_more (reader, error);
  if (r != 0)
    return r;
  if (reader->end > reader->start)
    reader->damaged++; /* a line without an end, and nobody writes there any more */
  enter_half (reader, other, number, header);
  return 1;
}

/* Takes a line out of the buffer.  Returns: 1 with a record, 0: no whole line, -1: no record */
static int
take_line (DnLogReader *reader, DnLogRecord *ret_record)
{
  const char *line = reader->buffer + reader->start;
  const char *newline = memchr (line, '\n', reader->end - reader->start);
  gsize size;

  if (newline == NULL)
    return 0;
  size = (gsize) (newline - line);
  reader->start += size + 1;
  return dn_log_decode_record (line, size, reader->text, ret_record) == 0 ? 1 : -1;
}

int
dn_log_reader_next (DnLogReader *reader, DnLogRecord *ret_record, GError **error)
{
  if (reader->half < 0 && !begin (reader))
    return 0;
  for (;;)
    {
      int r = take_line (reader, ret_record);

      if (r > 0)
        return 1;
      if (r < 0)
        {
          reader->damaged++;
          continue;
        }
      r = read_more (reader, error);
      if (r == 0)
        r = change_half (reader, error);
      if (r <= 0)
        return r;
    }
}
