/* SPDX-License-Identifier: Apache-2.0 */
#include "file-digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CHUNK_BYTES (256 * 1024)
/* More than there are programs and images on a host; then the table begins anew. */
#define KEPT_MAX 1024

static GMutex lock;         /* held while a file is read, so that none is read twice at once */
static GHashTable *digests; /* stamp → digest */
static guint reads;

static char *
stamp_of (const struct stat *status)
{
  return g_strdup_printf ("%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER
                          "x.%" G_GINT64_MODIFIER "d.%ld.%" G_GINT64_MODIFIER "d.%ld",
                          (guint64) status->st_dev, (guint64) status->st_ino,
                          (guint64) status->st_size, (gint64) status->st_mtim.tv_sec,
                          status->st_mtim.tv_nsec, (gint64) status->st_ctim.tv_sec,
                          status->st_ctim.tv_nsec);
}

static char *
read_digest (int fd, const char *path, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *bytes = g_malloc (CHUNK_BYTES);
  gint64 total = 0;

  for (;;)
    {
      ssize_t n = read (fd, bytes, CHUNK_BYTES);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          dn_throw_errno (error, "file '%s': reading", path);
          return NULL;
        }
      if (n == 0)
        return g_strdup (g_checksum_get_string (checksum));
      total += n;
      if (total > DN_FILE_DIGEST_MAX_BYTES) /* it grows under us */
        {
          dn_throw (error, DN_ERROR_FAILED, "file '%s': is too large for a digest", path);
          return NULL;
        }
      g_checksum_update (checksum, bytes, n);
    }
}

/* Under the lock. */
static char *
find_or_read (int fd, const char *path, GError **error)
{
  g_autofree char *stamp = NULL, *after = NULL, *digest = NULL;
  struct stat status;
  const char *known;

  if (fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "file '%s'", path);
      return NULL;
    }
  if (!S_ISREG (status.st_mode) || status.st_size > DN_FILE_DIGEST_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_FAILED, "file '%s': is no regular file, or too large for a digest",
                path);
      return NULL;
    }
  stamp = stamp_of (&status);
  if (digests == NULL)
    digests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  known = g_hash_table_lookup (digests, stamp);
  if (known != NULL)
    return g_strdup (known);
  reads++;
  digest = read_digest (fd, path, error);
  if (digest == NULL)
    return NULL;
  if (fstat (fd, &status) == 0)
    after = stamp_of (&status);
  if (g_strcmp0 (stamp, after) != 0)
    {
      dn_throw (error, DN_ERROR_FAILED, "file '%s': changed while it was read", path);
      return NULL;
    }
  if (g_hash_table_size (digests) >= KEPT_MAX)
    g_hash_table_remove_all (digests);
  g_hash_table_insert (digests, g_steal_pointer (&stamp), g_strdup (digest));
  return g_steal_pointer (&digest);
}

char *
dn_file_digest (const char *path, GError **error)
{
  /* Not to hang on a FIFO, nor to wake a device. */
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char *digest;

  if (fd < 0)
    {
      dn_throw_errno (error, "file '%s'", path);
      return NULL;
    }
  g_mutex_lock (&lock);
  digest = find_or_read (fd, path, error);
  g_mutex_unlock (&lock);
  return digest;
}

guint
dn_file_digest_count_reads (void)
{
  guint count;

  g_mutex_lock (&lock);
  count = reads;
  g_mutex_unlock (&lock);
  return count;
}
