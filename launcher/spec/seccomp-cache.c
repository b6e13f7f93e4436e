/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/autofd.h"

#define MAGIC "DNBPF001"
#define MAGIC_BYTES 8
#define DIGEST_BYTES 32

typedef struct
{
  guint8 magic[MAGIC_BYTES];
  guint8 digest[DIGEST_BYTES]; /* of the filter */
  guint32 filter_bytes;        /* of this machine's byte order: the file does not travel */
  guint32 zero;
} Header;

G_STATIC_ASSERT (sizeof (Header) == 48);

#define FILTER_MAX_BYTES (BPF_MAXINSNS * sizeof (struct sock_filter))

static GMutex lock;
static GHashTable *kept; /* under lock; "directory/key" → GBytes */

static void
digest_of (const void *bytes, gsize size, guint8 *ret_digest)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize digest_bytes = DIGEST_BYTES;

  g_checksum_update (checksum, bytes, (gssize) size);
  g_checksum_get_digest (checksum, ret_digest, &digest_bytes);
}

static void
remember (const char *name, GBytes *filter)
{
  g_mutex_lock (&lock);
  if (kept == NULL)
    kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  /* Profiles are few; whoever makes many of them loses the speed and nothing else. */
  if (g_hash_table_size (kept) >= DN_SECCOMP_CACHE_MAX)
    g_hash_table_remove_all (kept);
  g_hash_table_replace (kept, g_strdup (name), g_bytes_ref (filter));
  g_mutex_unlock (&lock);
}

static GBytes *
recall (const char *name)
{
  GBytes *filter;

  g_mutex_lock (&lock);
  filter = kept != NULL ? g_hash_table_lookup (kept, name) : NULL;
  if (filter != NULL)
    g_bytes_ref (filter);
  g_mutex_unlock (&lock);
  return filter;
}

static GBytes *
read_file (const char *path)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  g_autofree guint8 *bytes = NULL;
  guint8 digest[DIGEST_BYTES];
  struct stat status;
  Header header;

  if (fd < 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode)
      || read (fd, &header, sizeof header) != sizeof header
      || memcmp (header.magic, MAGIC, MAGIC_BYTES) != 0 || header.filter_bytes == 0
      || header.filter_bytes > FILTER_MAX_BYTES
      || header.filter_bytes % sizeof (struct sock_filter) != 0
      || (guint64) status.st_size != sizeof header + header.filter_bytes)
    return NULL;
  bytes = g_malloc (header.filter_bytes);
  if (read (fd, bytes, header.filter_bytes) != (gssize) header.filter_bytes)
    return NULL;
  digest_of (bytes, header.filter_bytes, digest);
  if (memcmp (digest, header.digest, DIGEST_BYTES) != 0)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), header.filter_bytes);
}

GBytes *
dn_seccomp_cache_get (const char *directory, const char *key)
{
  g_autofree char *name = g_strdup_printf ("%s/%s.bpf", directory, key);
  GBytes *filter = recall (name);

  if (filter != NULL)
    return filter;
  filter = read_file (name);
  if (filter != NULL)
    remember (name, filter);
  return filter;
}

void
dn_seccomp_cache_put (const char *directory, const char *key, GBytes *filter)
{
  g_autofree char *name = g_strdup_printf ("%s/%s.bpf", directory, key);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  gsize size;
  const guint8 *bytes = g_bytes_get_data (filter, &size);
  Header header = { .filter_bytes = (guint32) size };

  remember (name, filter);
  memcpy (header.magic, MAGIC, MAGIC_BYTES);
  digest_of (bytes, size, header.digest);
  g_byte_array_append (file, (const guint8 *) &header, sizeof header);
  g_byte_array_append (file, bytes, (guint) size);
  if (mkdir (directory, 0700) != 0 && errno != EEXIST)
    return;
  /* Ignored: without the file the next start compiles again. */
  (void) g_file_set_contents_full (name, (const char *) file->data, (gssize) file->len,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}
