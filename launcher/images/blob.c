/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CHUNK_BYTES (1024 * 1024)
#define PROGRESS_US (200 * 1000)

typedef struct
{
  DnRequest *request;
  int from;
  int to;
  guint64 limit_bytes;
  guint64 total_bytes; /* 0: not known, as for a pipe */
  guint64 done_bytes;
  gint64 told_us;
  GChecksum *checksum;
  guint8 *buffer;
} Copy;

static gboolean
write_all (int fd, const guint8 *bytes, gsize size, GError **error)
{
  while (size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "archive: writing it to the store");
      bytes += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static void
tell (Copy *copy)
{
  gint64 now_us = g_get_monotonic_time ();

  if (now_us - copy->told_us < PROGRESS_US)
    return;
  copy->told_us = now_us;
  dn_request_progress (copy->request, "take the archive in", copy->done_bytes,
                       MAX (copy->total_bytes, copy->done_bytes));
}

/* Returns: 1 for more, 0 at the end, -1 with @error. */
static int
copy_chunk (Copy *copy, GError **error)
{
  ssize_t n;

  if (!dn_request_wait_readable (copy->request, copy->from, error))
    return -1;
  n = read (copy->from, copy->buffer, CHUNK_BYTES);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return 1;
  if (n < 0)
    {
      dn_throw_errno (error, "archive: reading it");
      return -1;
    }
  if (n == 0)
    return 0;
  copy->done_bytes += (guint64) n;
  if (copy->done_bytes > copy->limit_bytes)
    {
      dn_throw (error, DN_ERROR_LIMIT,
                "archive: larger than %" G_GUINT64_FORMAT
                " MiB\nraise [images] archive_limit_mib in danchi.conf",
                copy->limit_bytes / (1024 * 1024));
      return -1;
    }
  g_checksum_update (copy->checksum, copy->buffer, n);
  tell (copy);
  return write_all (copy->to, copy->buffer, (gsize) n, error) ? 1 : -1;
}

gboolean
dn_blob_take (DnRequest *request, int fd, const char *path, guint64 limit_bytes, char **ret_sha256,
              guint64 *ret_bytes, GError **error)
{
  dn_autofd int to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  Copy copy = { .request = request,
                .from = fd,
                .to = to,
                .limit_bytes = limit_bytes,
                .checksum = checksum,
                .buffer = buffer };
  struct stat status;
  int r;

  if (to < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    copy.total_bytes = (guint64) status.st_size;
  while ((r = copy_chunk (&copy, error)) > 0)
    ;
  if (r < 0)
    return FALSE;
  if (copy.done_bytes == 0)
    return dn_throw (error, DN_ERROR_USAGE, "archive: empty");
  if (fchmod (to, 0444) < 0 || fsync (to) < 0)
    return dn_throw_errno (error, "file '%s': syncing", path);
  *ret_sha256 = g_strdup (g_checksum_get_string (checksum));
  *ret_bytes = copy.done_bytes;
  return TRUE;
}

char *
dn_blob_hash (int fd, guint64 size, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  guint64 at = 0;

  while (at < size)
    {
      ssize_t n = pread (fd, buffer, MIN (CHUNK_BYTES, size - at), (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          dn_throw (error, DN_ERROR_FAILED, "file: ends or fails after %" G_GUINT64_FORMAT " bytes",
                    at);
          return NULL;
        }
      g_checksum_update (checksum, buffer, n);
      at += (guint64) n;
    }
  return g_strdup (g_checksum_get_string (checksum));
}
