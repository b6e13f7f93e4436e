/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "digest.h"

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
  struct sha256_ctx sha256;
  guint8 *buffer;
} Copy;

gboolean
dn_blob_write (int fd, const guint8 *bytes, gsize size, const char *what, GError **error)
{
  while (size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
        return dn_throw (
            error, DN_ERROR_FAILED,
            "%s: the store's disk is full\nremove images (danchi image prune), or give "
            "the disk more room",
            what);
      if (n < 0)
        return dn_throw_errno (error, "%s: writing it to the store", what);
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
  sha256_update (&copy->sha256, (gsize) n, copy->buffer);
  tell (copy);
  return dn_blob_write (copy->to, copy->buffer, (gsize) n, "archive", error) ? 1 : -1;
}

static char *
end_hash (struct sha256_ctx *context)
{
  guint8 digest[DN_DIGEST_BYTES];

  sha256_digest (context, sizeof digest, digest);
  return dn_digest_to_hex (digest);
}

/* Nothing in it changes any more, and it is on the disk. */
static gboolean
end_file (int fd, const char *path, GError **error)
{
  return (fchmod (fd, 0444) == 0 && fsync (fd) == 0)
         || dn_throw_errno (error, "file '%s': syncing", path);
}

gboolean
dn_blob_take (DnRequest *request, int fd, const char *path, guint64 limit_bytes, char **ret_sha256,
              guint64 *ret_bytes, GError **error)
{
  dn_autofd int to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  Copy copy
      = { .request = request, .from = fd, .to = to, .limit_bytes = limit_bytes, .buffer = buffer };
  struct stat status;
  int r;

  if (to < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    copy.total_bytes = (guint64) status.st_size;
  sha256_init (&copy.sha256);
  while ((r = copy_chunk (&copy, error)) > 0)
    ;
  if (r < 0)
    return FALSE;
  if (copy.done_bytes == 0)
    return dn_throw (error, DN_ERROR_USAGE, "archive: empty");
  if (!end_file (to, path, error))
    return FALSE;
  *ret_sha256 = end_hash (&copy.sha256);
  *ret_bytes = copy.done_bytes;
  return TRUE;
}

char *
dn_blob_copy (DnImageWork *work, const DnBlobRange *range, const char *path, GError **error)
{
  dn_autofd int to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  struct sha256_ctx sha256;
  guint64 done = 0;

  if (to < 0)
    {
      dn_throw_errno (error, "file '%s': making", path);
      return NULL;
    }
  sha256_init (&sha256);
  while (done < range->bytes)
    {
      ssize_t n = pread (range->fd, buffer, MIN (CHUNK_BYTES, range->bytes - done),
                         (off_t) (range->offset + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        dn_throw_errno (error, "archive: reading it");
      else if (n == 0)
        dn_throw (error, DN_ERROR_GUEST, "archive: it ends in the middle of a layer");
      if (n <= 0 || !dn_image_work_go_on (work, error)
          || !dn_blob_write (to, buffer, (gsize) n, "archive", error))
        return NULL;
      sha256_update (&sha256, (gsize) n, buffer);
      done += (guint64) n;
    }
  return end_file (to, path, error) ? end_hash (&sha256) : NULL;
}
