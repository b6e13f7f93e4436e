/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

/* The layout: the super block and, from INODES_OFFSET on, the inodes in block 0; the directory in
 * block 1; the files, each from the start of a block, from block 2 on. */
#define BLOCK_BYTES 4096
#define SUPER_OFFSET 1024
#define SUPER_MAGIC 0xE0F5E1E2U
#define BLOCK_BITS 12
#define INODE_BYTES 32
#define INODES_OFFSET 2048
#define FIRST_INODE (INODES_OFFSET / INODE_BYTES)
#define DIRECTORY_BLOCK 1
#define FIRST_FILE_BLOCK 2
#define DIRENT_BYTES 12
#define TYPE_FILE 1
#define TYPE_DIRECTORY 2
/* Compact inodes have 32 bits for a file's size. */
#define FILE_MAX_BYTES (G_MAXUINT32 - BLOCK_BYTES)

typedef struct
{
  const DnScanFile *file;
  guint64 bytes;
  guint32 block;
} Entry;

typedef struct
{
  const char *name;
  guint64 inode;
  guint8 type;
} Name;

static void
put16 (guint8 *at, guint16 value)
{
  value = GUINT16_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

static void
put32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

static void
put64 (guint8 *at, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

gboolean
dn_scan_file_name_is_valid (const char *name)
{
  return name[0] != '\0' && name[0] != '.' && strlen (name) <= DN_SCAN_FILE_NAME_BYTES
         && strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
                == strlen (name);
}

static gboolean
write_all (int fd, const guint8 *bytes, gsize size, guint64 offset)
{
  while (size > 0)
    {
      ssize_t n = pwrite (fd, bytes, size, (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      bytes += n;
      offset += (guint64) n;
      size -= (gsize) n;
    }
  return TRUE;
}

/* Copies one file to @block of @fd.  A pipe or device in its place is not opened for reading. */
static gboolean
copy_file (int fd, Entry *entry, guint64 limit, char **ret_sha256, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  dn_autofd int from = open (entry->file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  g_autofree guint8 *buffer = g_malloc (BLOCK_BYTES * 16);
  guint64 offset = (guint64) entry->block * BLOCK_BYTES;
  struct stat status;

  if (from < 0 && errno == ENOENT)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "file '%s': is not there", entry->file->path);
  if (from < 0 || fstat (from, &status) < 0)
    return dn_throw_errno (error, "file '%s'", entry->file->path);
  if (!S_ISREG (status.st_mode))
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': is no plain file", entry->file->path);
  for (;;)
    {
      ssize_t n = read (from, buffer, BLOCK_BYTES * 16);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "file '%s': reading", entry->file->path);
      if (n == 0)
        break;
      if (entry->bytes + (guint64) n > MIN (limit, FILE_MAX_BYTES))
        return dn_throw (error, DN_ERROR_LIMIT,
                         "file '%s': a scanner's files are more than %" G_GUINT64_FORMAT
                         " MiB together",
                         entry->file->path, limit / (1024 * 1024));
      g_checksum_update (checksum, buffer, n);
      if (!write_all (fd, buffer, (gsize) n, offset + entry->bytes))
        return dn_throw_errno (error, "file '%s': copying", entry->file->path);
      entry->bytes += (guint64) n;
    }
  *ret_sha256 = g_strdup (g_checksum_get_string (checksum));
  return TRUE;
}

static void
put_inode (guint8 *block, guint number, guint16 mode, guint16 links, guint32 bytes,
           guint32 data_block)
{
  guint8 *inode = block + INODES_OFFSET + number * INODE_BYTES;

  put16 (inode, 0); /* compact, FLAT_PLAIN */
  put16 (inode + 4, mode);
  put16 (inode + 6, links);
  put32 (inode + 8, bytes);
  put32 (inode + 16, data_block);
  put32 (inode + 20, number + 1);
}

static int
compare (const void *one, const void *other)
{
  return strcmp (((const Name *) one)->name, ((const Name *) other)->name);
}

/* Entries in the order of their names, then the names, one behind the other.  Returns: its bytes.
 */
static guint32
put_directory (guint8 *block, const Entry *entries, guint count)
{
  Name names[DN_SCAN_FILES_MAX + 2]
      = { { ".", FIRST_INODE, TYPE_DIRECTORY }, { "..", FIRST_INODE, TYPE_DIRECTORY } };
  guint16 offset = (guint16) ((count + 2) * DIRENT_BYTES);

  for (guint i = 0; i < count; i++)
    names[i + 2] = (Name){ entries[i].file->name, FIRST_INODE + 1 + i, TYPE_FILE };
  qsort (names, count + 2, sizeof names[0], compare);
  for (guint i = 0; i < count + 2; i++)
    {
      guint8 *at = block + i * DIRENT_BYTES;
      gsize length = strlen (names[i].name);

      put64 (at, names[i].inode);
      put16 (at + 8, offset);
      at[10] = names[i].type;
      memcpy (block + offset, names[i].name, length);
      offset = (guint16) (offset + length);
    }
  return offset;
}

static gboolean
write_tables (int fd, const Entry *entries, guint count, guint32 blocks)
{
  g_autofree guint8 *first = g_malloc0 (BLOCK_BYTES);
  g_autofree guint8 *directory = g_malloc0 (BLOCK_BYTES);
  guint8 *super = first + SUPER_OFFSET;

  put32 (super, SUPER_MAGIC);
  super[12] = BLOCK_BITS;
  put16 (super + 14, FIRST_INODE);
  put64 (super + 16, count + 1);
  put32 (super + 36, blocks);
  put_inode (first, 0, S_IFDIR | 0555, 2, put_directory (directory, entries, count),
             DIRECTORY_BLOCK);
  for (guint i = 0; i < count; i++)
    put_inode (first, i + 1, (guint16) (S_IFREG | (entries[i].file->is_program ? 0555 : 0444)), 1,
               (guint32) entries[i].bytes, entries[i].block);
  return write_all (fd, first, BLOCK_BYTES, 0)
         && write_all (fd, directory, BLOCK_BYTES, (guint64) DIRECTORY_BLOCK * BLOCK_BYTES);
}

gboolean
dn_scan_disk_write (const char *path, const DnScanFile *files, guint count, guint64 limit_bytes,
                    char **ret_sha256, GError **error)
{
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  Entry entries[DN_SCAN_FILES_MAX] = { 0 };
  guint32 blocks = FIRST_FILE_BLOCK;

  g_assert (count <= DN_SCAN_FILES_MAX);
  if (fd < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  for (guint i = 0; i < count; i++)
    {
      entries[i] = (Entry){ .file = &files[i], .block = blocks };
      g_assert (dn_scan_file_name_is_valid (files[i].name));
      if (!copy_file (fd, &entries[i], limit_bytes, &ret_sha256[i], error))
        return FALSE;
      limit_bytes -= entries[i].bytes;
      blocks += (guint32) ((entries[i].bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    }
  if (!write_tables (fd, entries, count, blocks) || ftruncate (fd, (off_t) blocks * BLOCK_BYTES) < 0
      || fchmod (fd, 0444) < 0)
    return dn_throw_errno (error, "file '%s': writing", path);
  return TRUE;
}
