/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-key.h"

#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/error.h"

#define SALT_BYTES 32

void
dn_volume_key_clear (DnVolumeKeyFile *file)
{
  explicit_bzero (file, sizeof *file);
}

gboolean
dn_volume_key_read (int fd, const char *what, DnVolumeKeyFile *ret_file, GError **error)
{
  struct stat status;
  ssize_t n;

  /* A pipe could keep danchid waiting, and has no start to read from again. */
  if (fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    return dn_throw (error, DN_ERROR_USAGE, "%s: a key is a regular file", what);
  if (status.st_size < DN_VOLUME_KEY_FILE_MIN_BYTES
      || status.st_size > DN_VOLUME_KEY_FILE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: has %" G_GINT64_FORMAT " bytes, and a key has %d to %d, all random\n"
                     "head -c 64 /dev/urandom makes one",
                     what, (gint64) status.st_size, DN_VOLUME_KEY_FILE_MIN_BYTES,
                     DN_VOLUME_KEY_FILE_MAX_BYTES);
  n = pread (fd, ret_file->bytes, (gsize) status.st_size, 0);
  if (n != status.st_size)
    {
      dn_volume_key_clear (ret_file);
      return dn_throw_errno (error, "%s: reading", what);
    }
  ret_file->size = (gsize) n;
  return TRUE;
}

char *
dn_volume_key_new_salt (void)
{
  guint8 bytes[SALT_BYTES];
  char *text = g_malloc (2 * SALT_BYTES + 1);

  g_assert (getrandom (bytes, sizeof bytes, 0) == (ssize_t) sizeof bytes);
  for (gsize i = 0; i < sizeof bytes; i++)
    g_snprintf (text + 2 * i, 3, "%02x", bytes[i]);
  return text;
}

/* One block of output for each purpose. */
static void
expand (const DnVolumeKeyFile *file, const char *purpose, const char *volume_id, const char *salt,
        guint8 ret_block[DN_VOLUME_KEY_BYTES])
{
  GHmac *hmac = g_hmac_new (G_CHECKSUM_SHA512, file->bytes, file->size);
  gsize size = DN_VOLUME_KEY_BYTES;

  /* Each text ends with its NUL, so that none can run into the next. */
  g_hmac_update (hmac, (const guchar *) purpose, (gssize) strlen (purpose) + 1);
  g_hmac_update (hmac, (const guchar *) volume_id, (gssize) strlen (volume_id) + 1);
  g_hmac_update (hmac, (const guchar *) salt, (gssize) strlen (salt) + 1);
  g_hmac_get_digest (hmac, ret_block, &size);
  g_hmac_unref (hmac);
}

char *
dn_volume_key_check (const DnVolumeKeyFile *file, const char *volume_id, const char *salt)
{
  guint8 block[DN_VOLUME_KEY_BYTES];
  char *text = g_malloc (DN_VOLUME_KEY_BYTES + 1);

  expand (file, "danchi volume check 1", volume_id, salt, block);
  for (gsize i = 0; i < DN_VOLUME_KEY_BYTES / 2; i++)
    g_snprintf (text + 2 * i, 3, "%02x", block[i]);
  explicit_bzero (block, sizeof block);
  return text;
}

void
dn_volume_key_derive (const DnVolumeKeyFile *file, const char *volume_id, const char *salt,
                      guint8 ret_key[DN_VOLUME_KEY_BYTES])
{
  expand (file, "danchi volume key 1", volume_id, salt, ret_key);
}
