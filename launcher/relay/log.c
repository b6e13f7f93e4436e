/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALVES 2

/* Records are gathered here and written together: one call for many lines. */
#define BATCH_BYTES (DN_LOG_LINE_MAX_BYTES + 64 * 1024)

struct DnLog
{
  int fds[HALVES]; /* owned */
  int current;
  uint64_t number;     /* of the current half */
  uint64_t size_bytes; /* of the current half */
  uint64_t half_bytes; /* the cap of each */
  DnBucket bucket;
  bool is_dropping;
  uint64_t noted_lines; /* dropped, for the note in the log */
  uint64_t noted_bytes;
  uint64_t told_lines; /* dropped, for dn_log_take_dropped() */
  uint64_t told_bytes;
};

/* One for all logs: nothing stays in it between two calls. */
static struct
{
  char bytes[BATCH_BYTES];
  size_t size;
  uint64_t lines; /* of output in it, and their bytes, should writing fail */
  uint64_t text_bytes;
} batch;

static void
count_dropped (DnLog *log, uint64_t lines, uint64_t bytes)
{
  log->noted_lines += lines;
  log->noted_bytes += bytes;
  log->told_lines += lines;
  log->told_bytes += bytes;
}

/* Empties the older half and goes on there. */
static int
begin_half (DnLog *log, int half)
{
  char header[DN_LOG_HEADER_MAX_BYTES];
  size_t size = dn_log_encode_header (header, log->number + 1);

  if (ftruncate (log->fds[half], 0) < 0
      || pwrite (log->fds[half], header, size, 0) != (ssize_t) size)
    return -EIO;
  log->current = half;
  log->number++;
  log->size_bytes = size;
  return 0;
}

/* Writes the batch.  What cannot be written is counted as dropped, whatever the reason. */
static void
flush_batch (DnLog *log)
{
  int fd;

  if (batch.size == 0)
    return;
  if (log->size_bytes + batch.size > log->half_bytes && begin_half (log, !log->current) < 0)
    {
      log->is_dropping = true;
      count_dropped (log, batch.lines, batch.text_bytes);
    }
  else
    {
      fd = log->fds[log->current];
      if (pwrite (fd, batch.bytes, batch.size, (off_t) log->size_bytes) == (ssize_t) batch.size)
        log->size_bytes += batch.size;
      else
        {
          /* No room, most likely.  A torn record must not stay; if it cannot be cut off now, it is
           * overwritten by the next batch, so this result decides nothing. */
          log->is_dropping = true;
          if (ftruncate (fd, (off_t) log->size_bytes) < 0)
            errno = 0;
          count_dropped (log, batch.lines, batch.text_bytes);
        }
    }
  batch.size = 0;
  batch.lines = batch.text_bytes = 0;
}

static void
add_record (DnLog *log, const DnLogRecord *record)
{
  if (BATCH_BYTES - batch.size < DN_LOG_LINE_MAX_BYTES)
    flush_batch (log);
  batch.size += dn_log_encode_record (batch.bytes + batch.size, record);
  batch.lines += record->source != DN_LOG_DANCHI;
  batch.text_bytes += record->text_bytes;
}

static void
add_note (DnLog *log, DnLogTime time)
{
  DnLogRecord record = { .time_ns = time.real_ns,
                         .source = DN_LOG_DANCHI,
                         .dropped_lines = log->noted_lines,
                         .dropped_bytes = log->noted_bytes };

  log->is_dropping = false;
  if (log->noted_lines == 0)
    return;
  /* Should this note be lost, the next one counts in what it would have told. */
  log->noted_lines = log->noted_bytes = 0;
  flush_batch (log);
  add_record (log, &record);
  flush_batch (log);
  if (log->is_dropping)
    {
      log->noted_lines += record.dropped_lines;
      log->noted_bytes += record.dropped_bytes;
    }
}

/* Whether the next record may be written.  After a flood it takes a quarter of the burst before
 * records flow again: else every other line would be a note. */
static bool
is_admitted (DnLog *log, size_t size, DnLogTime time)
{
  if (log->is_dropping)
    {
      if (dn_bucket_level (&log->bucket, time.now_ns) < log->bucket.burst / 4)
        return false;
      add_note (log, time);
      if (log->is_dropping)
        return false; /* still no room */
    }
  if (dn_bucket_take (&log->bucket, size, time.now_ns))
    return true;
  log->is_dropping = true;
  return false;
}

/* Where to cut a line that is too long: before a UTF-8 sequence that would be torn. */
static size_t
choose_cut (const uint8_t *bytes, size_t size)
{
  for (size_t back = 1; back < 4 && back < size; back++)
    {
      uint8_t byte = bytes[size - back];

      if ((byte & 0xc0) == 0x80)
        continue;
      if (byte >= 0xc2 && back < (byte < 0xe0 ? 2u : byte < 0xf0 ? 3u : 4u))
        return size - back;
      break;
    }
  return size;
}

size_t
dn_log_write (DnLog *log, DnLogSource source, const uint8_t *bytes, size_t size, bool is_last,
              DnLogTime time)
{
  size_t at = 0;

  while (at < size)
    {
      size_t left = size - at;
      size_t most = left < DN_LOG_TEXT_MAX_BYTES + 1 ? left : DN_LOG_TEXT_MAX_BYTES + 1;
      const uint8_t *newline = memchr (bytes + at, '\n', most);
      size_t length = newline != NULL ? (size_t) (newline - (bytes + at)) : left;
      DnLogRecord record = { .time_ns = time.real_ns, .source = source, .text = bytes + at };

      if (newline == NULL && left <= DN_LOG_TEXT_MAX_BYTES && !is_last)
        break;
      if (length > DN_LOG_TEXT_MAX_BYTES)
        length = choose_cut (bytes + at, DN_LOG_TEXT_MAX_BYTES);
      record.text_bytes = length;
      record.is_partial = newline == NULL;
      if (is_admitted (log, length + 64, time))
        add_record (log, &record);
      else
        count_dropped (log, 1, length);
      at += length + (newline != NULL);
    }
  flush_batch (log);
  return at;
}

void
dn_log_settle (DnLog *log, DnLogTime time)
{
  if (log->is_dropping && dn_bucket_level (&log->bucket, time.now_ns) >= log->bucket.burst / 4)
    add_note (log, time);
}

bool
dn_log_is_dropping (const DnLog *log)
{
  return log->is_dropping || log->told_lines > 0;
}

bool
dn_log_take_dropped (DnLog *log, uint64_t *ret_lines, uint64_t *ret_bytes)
{
  *ret_lines = log->told_lines;
  *ret_bytes = log->told_bytes;
  log->told_lines = log->told_bytes = 0;
  return *ret_lines > 0;
}

/* The number in a half's header; 0 when it has none. */
static uint64_t
read_number (int fd)
{
  char header[DN_LOG_HEADER_MAX_BYTES];
  ssize_t n = pread (fd, header, sizeof header, 0);
  const char *newline = n > 0 ? memchr (header, '\n', (size_t) n) : NULL;
  uint64_t number;

  if (newline == NULL || dn_log_decode_header (header, (size_t) (newline - header), &number) < 0)
    return 0;
  /* A number at the very end of the range cannot have been counted up to. */
  return number < UINT64_MAX / 2 ? number : 0;
}

/* The size of a half up to its last newline; a torn record behind it is cut off. */
static uint64_t
trim_half (int fd)
{
  struct stat status;
  off_t start;
  ssize_t n;

  if (fstat (fd, &status) < 0)
    return 0;
  start = status.st_size > (off_t) sizeof batch.bytes ? status.st_size - (off_t) sizeof batch.bytes
                                                      : 0;
  n = pread (fd, batch.bytes, sizeof batch.bytes, start);
  while (n > 0 && batch.bytes[n - 1] != '\n')
    n--;
  if (n <= 0)
    return 0;
  if (start + n < status.st_size && ftruncate (fd, start + n) < 0)
    return 0;
  return (uint64_t) (start + n);
}

DnLog *
dn_log_new (const int fds[2], uint64_t cap_bytes, uint64_t rate_per_s, DnLogTime time)
{
  DnLog *log = calloc (1, sizeof *log);
  uint64_t burst
      = rate_per_s > DN_LOG_BURST_MAX_BYTES / 4 ? DN_LOG_BURST_MAX_BYTES : rate_per_s * 4;
  uint64_t numbers[HALVES];

  if (log == NULL)
    {
      (void) close (fds[0]);
      (void) close (fds[1]);
      return NULL;
    }
  cap_bytes = cap_bytes < DN_LOG_CAP_MIN_BYTES   ? DN_LOG_CAP_MIN_BYTES
              : cap_bytes > DN_LOG_CAP_MAX_BYTES ? DN_LOG_CAP_MAX_BYTES
                                                 : cap_bytes;
  log->half_bytes = cap_bytes / HALVES;
  for (int i = 0; i < HALVES; i++)
    {
      log->fds[i] = fds[i];
      numbers[i] = read_number (fds[i]);
    }
  log->current = numbers[1] > numbers[0];
  log->number = numbers[log->current];
  dn_bucket_init (&log->bucket, rate_per_s, burst, time.now_ns);
  if (log->number != 0)
    log->size_bytes = trim_half (log->fds[log->current]);
  /* A log that cannot be begun now (no room) is begun by the first batch: size over the cap makes
   * that turn to the other half. */
  if (log->size_bytes == 0 && begin_half (log, log->current) < 0)
    log->size_bytes = log->half_bytes;
  return log;
}

void
dn_log_free (DnLog *log, DnLogTime time)
{
  if (log == NULL)
    return;
  add_note (log, time);
  for (int i = 0; i < HALVES; i++)
    (void) close (log->fds[i]);
  free (log);
}
