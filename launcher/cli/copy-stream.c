/* SPDX-License-Identifier: Apache-2.0 */
#include "copy-stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"

/* Reads up to @size.  Returns: how many came before the end, or -1 with @error. */
static gssize
read_some (int fd, void *bytes, gsize size, GError **error)
{
  gsize have = 0;

  while (have < size)
    {
      ssize_t n = read (fd, (guint8 *) bytes + have, size - have);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          dn_throw_errno (error, "copy");
          return -1;
        }
      if (n == 0)
        break;
      have += (gsize) n;
    }
  return (gssize) have;
}

static gboolean
throw_cut (GError **error)
{
  return dn_throw (error, DN_ERROR_PROTOCOL, "copy: the guest's data ends in the middle of a file");
}

static gboolean
read_name (DnCopyReader *reader, char *ret_name, gsize size, GError **error)
{
  gssize n = read_some (reader->fd, ret_name, size, error);

  if (n < 0)
    return FALSE;
  ret_name[n] = '\0';
  return (gsize) n == size || throw_cut (error);
}

static gboolean
check_item (DnCopyReader *reader, const DnCopyItem *item, GError **error)
{
  const DnCopyEntry *entry = &item->entry;

  if (!dn_copy_name_is_safe (item->name, entry->name_bytes, reader->entries == 0))
    return dn_throw (error, DN_ERROR_PROTOCOL,
                     "copy: the guest sent the name '%s', which leads out of the copied tree",
                     item->name);
  if (memchr (item->link, '\0', entry->link_bytes) != NULL)
    return dn_throw (error, DN_ERROR_PROTOCOL, "copy: '%s': the guest sent a link with a NUL in it",
                     item->name);
  if (++reader->entries > DN_COPY_ENTRIES_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "copy: more than %d files", DN_COPY_ENTRIES_MAX);
  if (entry->size_bytes > reader->bytes_left)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "copy: '%s': more bytes than --max-size allows\n"
                     "give a larger one if so much is expected",
                     item->name);
  reader->bytes_left -= entry->size_bytes;
  return TRUE;
}

int
dn_copy_reader_next (DnCopyReader *reader, DnCopyItem *ret_item, GError **error)
{
  uint8_t header[DN_COPY_HEADER_BYTES];
  gssize n = read_some (reader->fd, header, sizeof header, error);

  if (n < 0)
    return -1;
  if (n < (gssize) sizeof header)
    {
      reader->is_cut = TRUE;
      return 0;
    }
  if (dn_copy_decode (header, &ret_item->entry) < 0)
    {
      dn_throw (error, DN_ERROR_PROTOCOL, "copy: the guest sent a broken entry");
      return -1;
    }
  if (ret_item->entry.kind == DN_COPY_END)
    {
      reader->has_ended = TRUE;
      return 0;
    }
  if (!read_name (reader, ret_item->name, ret_item->entry.name_bytes, error)
      || !read_name (reader, ret_item->link, ret_item->entry.link_bytes, error)
      || !check_item (reader, ret_item, error))
    return -1;
  return 1;
}

gboolean
dn_copy_reader_read (DnCopyReader *reader, void *ret_bytes, gsize size, GError **error)
{
  gssize n = read_some (reader->fd, ret_bytes, size, error);

  return n >= 0 && ((gsize) n == size || throw_cut (error));
}

gboolean
dn_copy_write (int fd, const void *bytes, gsize size, GError **error)
{
  const guint8 *at = bytes;

  while (size > 0)
    {
      ssize_t n = write (fd, at, size);

      if (n < 0 && errno != EINTR)
        return dn_throw (error, DN_ERROR_GUEST, "copy: the guest takes no more: %s",
                         g_strerror (errno));
      if (n > 0)
        {
          at += n;
          size -= (gsize) n;
        }
    }
  return TRUE;
}

gboolean
dn_copy_write_item (int fd, DnCopyKind kind, guint mode, guint64 size_bytes, gint64 mtime_s,
                    const char *name, const char *link, GError **error)
{
  const DnCopyEntry entry = { .kind = kind,
                              .mode = (uint16_t) (mode & 0777),
                              .size_bytes = size_bytes,
                              .mtime_s = mtime_s,
                              .name_bytes = (uint16_t) strlen (name),
                              .link_bytes = (uint16_t) strlen (link) };
  uint8_t header[DN_COPY_HEADER_BYTES];

  if (strlen (name) > DN_COPY_NAME_BYTES || strlen (link) > DN_COPY_NAME_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT, "copy: '%s': the name is longer than %d bytes", name,
                     DN_COPY_NAME_BYTES);
  dn_copy_encode (header, &entry);
  return dn_copy_write (fd, header, sizeof header, error)
         && dn_copy_write (fd, name, entry.name_bytes, error)
         && dn_copy_write (fd, link, entry.link_bytes, error);
}
