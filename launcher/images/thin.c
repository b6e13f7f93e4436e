/* SPDX-License-Identifier: Apache-2.0 */
#include "thin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/tar-writer.h"

gboolean
dn_thin_is_media_type (const char *media_type)
{
  static const char *const types[]
      = { "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
          "application/vnd.docker.distribution.manifest.v2+json",
          "application/vnd.docker.distribution.manifest.list.v2+json", NULL };

  return g_strv_contains (types, media_type);
}

static void
append (GByteArray *tar, const char *name, const char *bytes, gsize size)
{
  static const guint8 zeroes[DN_TAR_BLOCK_BYTES];
  guint8 header[DN_TAR_BLOCK_BYTES];

  dn_tar_write_header (name, size, header);
  g_byte_array_append (tar, header, sizeof header);
  g_byte_array_append (tar, (const guint8 *) bytes, (guint) size);
  g_byte_array_append (tar, zeroes, dn_tar_padding (size));
}

static gboolean
write_all (int fd, const GByteArray *tar)
{
  for (guint at = 0; at < tar->len;)
    {
      ssize_t n = write (fd, tar->data + at, tar->len - at);

      if (n < 0 && errno != EINTR)
        return FALSE;
      at += n > 0 ? (guint) n : 0;
    }
  return TRUE;
}

gboolean
dn_thin_write (const DnThin *thin, const char *path, guint64 *ret_bytes, GError **error)
{
  static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
  static const guint8 zeroes[DN_TAR_END_BYTES];
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autofree char *index
      = g_strdup_printf ("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":"
                         "\"sha256:%s\",\"size\":%" G_GSIZE_FORMAT "}]}",
                         thin->media_type, thin->files[0].sha256, thin->files[0].size);
  dn_autofd int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  append (tar, "oci-layout", layout, strlen (layout));
  append (tar, "index.json", index, strlen (index));
  for (guint i = 0; i < thin->count; i++)
    {
      g_autofree char *name = g_strdup_printf ("blobs/sha256/%s", thin->files[i].sha256);

      append (tar, name, thin->files[i].bytes, thin->files[i].size);
    }
  g_byte_array_append (tar, zeroes, sizeof zeroes);
  if (fd < 0 || !write_all (fd, tar) || fchmod (fd, 0444) < 0 || fsync (fd) < 0)
    return dn_throw_errno (error, "file '%s'", path);
  *ret_bytes = tar->len;
  return TRUE;
}
