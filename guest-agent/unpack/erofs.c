/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "erofs-layout.h"

#define BUFFER_BYTES (1024 * 1024) /* whole blocks */

/* What an entry of a directory says its kind is. */
enum
{
  KIND_FILE = 1,
  KIND_DIRECTORY = 2,
  KIND_CHARACTER_DEVICE = 3,
  KIND_FIFO = 5,
  KIND_LINK = 7,
};

typedef struct
{
  int output;
  uint64_t done;
  uint64_t total;
  DnErofsProgress progress;
  DnFailure *failure;
  uint8_t buffer[BUFFER_BYTES];
} Writer;

static bool
write_at (Writer *writer, uint64_t offset, const void *bytes, size_t size)
{
  for (size_t written = 0; written < size;)
    {
      ssize_t n = pwrite (writer->output, (const char *) bytes + written, size - written,
                          (off_t) (offset + written));

      if (n < 0 && errno == ENOSPC)
        return dn_fail (writer->failure, -ENOSPC, "the output disk is full");
      if (n < 0)
        return dn_fail_errno (writer->failure, "cannot write the output disk");
      written += (size_t) n;
    }
  return true;
}

/* Inodes do not fill their blocks. */
static bool
clear_blocks (Writer *writer, uint64_t blocks)
{
  const uint64_t end = blocks * DN_EROFS_BLOCK_BYTES;

  memset (writer->buffer, 0, sizeof writer->buffer);
  for (uint64_t at = 0; at < end; at += BUFFER_BYTES)
    if (!write_at (writer, at, writer->buffer,
                   end - at < BUFFER_BYTES ? (size_t) (end - at) : BUFFER_BYTES))
      return false;
  return true;
}

static bool
write_super_block (Writer *writer, const DnErofsNode *root, const DnErofsLayout *layout,
                   const DnDigest *identity)
{
  uint8_t super[DN_EROFS_SUPER_BYTES] = { 0 };

  dn_erofs_put_32 (super, DN_EROFS_MAGIC);
  dn_erofs_put_32 (super + 8, DN_EROFS_FEATURE_MTIME);
  super[12] = DN_EROFS_BLOCK_BITS;
  /* The root is placed first, so its number is small. */
  dn_erofs_put_16 (super + 14, (uint16_t) (root->offset / DN_EROFS_SLOT_BYTES));
  dn_erofs_put_64 (super + 16, writer->total);
  dn_erofs_put_32 (super + 36, (uint32_t) layout->blocks);
  /* Version 4 in form: the digest's bytes are as good as random ones. */
  memcpy (super + 48, identity->bytes, 16);
  super[54] = (uint8_t) (0x40 | (super[54] & 0xf));
  super[56] = (uint8_t) (0x80 | (super[56] & 0x3f));
  return write_at (writer, DN_EROFS_SUPER_OFFSET, super, sizeof super);
}

/* The inode, its attributes and what is inline.  Nothing needs more than a block but attributes. */
static bool
write_inode (Writer *writer, const DnErofsNode *node, const void *tail)
{
  uint8_t bytes[DN_EROFS_INODE_BYTES] = { 0 };
  uint32_t tail_bytes = node->is_inline ? (uint32_t) (node->size % DN_EROFS_BLOCK_BYTES) : 0;
  uint64_t at = node->offset + DN_EROFS_INODE_BYTES;

  dn_erofs_put_16 (bytes, node->is_inline ? DN_EROFS_FORMAT_INLINE : DN_EROFS_FORMAT_PLAIN);
  if (node->attributes_bytes > 0)
    dn_erofs_put_16 (
        bytes + 2,
        (uint16_t) ((node->attributes_bytes - DN_EROFS_ATTRIBUTES_HEADER_BYTES) / 4 + 1));
  dn_erofs_put_16 (bytes + 4, (uint16_t) node->mode);
  dn_erofs_put_64 (bytes + 8, node->size);
  /* A whiteout has the device's number there, which is 0. */
  dn_erofs_put_32 (bytes + 16, S_ISCHR (node->mode) ? 0 : node->block);
  dn_erofs_put_32 (bytes + 20, (uint32_t) ++writer->done);
  dn_erofs_put_32 (bytes + 24, node->uid);
  dn_erofs_put_32 (bytes + 28, node->gid);
  dn_erofs_put_64 (bytes + 32, node->mtime);
  dn_erofs_put_32 (bytes + 40, node->mtime_nsec);
  dn_erofs_put_32 (bytes + 44, node->links);
  writer->progress (writer->done, writer->total);
  return write_at (writer, node->offset, bytes, sizeof bytes)
         && write_at (writer, at, node->attributes, node->attributes_bytes)
         && write_at (writer, at + node->attributes_bytes, tail, tail_bytes);
}

static bool
write_file (Writer *writer, const DnErofsNode *node, int parent)
{
  const uint64_t start = (uint64_t) node->block * DN_EROFS_BLOCK_BYTES;
  const uint64_t whole = dn_erofs_layout_blocks (node) * DN_EROFS_BLOCK_BYTES;
  int fd = openat (parent, node->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  size_t tail = 0;
  bool is_good = fd >= 0 || dn_fail_errno (writer->failure, "cannot open a file");

  for (uint64_t done = 0; is_good && done < node->size;)
    {
      size_t wanted
          = node->size - done < BUFFER_BYTES ? (size_t) (node->size - done) : BUFFER_BYTES;
      size_t padded = (wanted + DN_EROFS_BLOCK_BYTES - 1) & ~(size_t) (DN_EROFS_BLOCK_BYTES - 1);
      size_t used = 0;
      ssize_t n = 0;

      while (used < wanted
             && (n = pread (fd, writer->buffer + used, wanted - used, (off_t) (done + used))) > 0)
        used += (size_t) n;
      if (used < wanted)
        {
          errno = n < 0 ? errno : EIO;
          is_good = dn_fail_errno (writer->failure, "cannot read a file");
          break;
        }
      memset (writer->buffer + used, 0, padded - used);
      /* The last piece may end inline. */
      if (done + padded > whole)
        {
          padded = (size_t) (whole - done);
          tail = padded;
        }
      is_good = write_at (writer, start + done, writer->buffer, padded);
      done += wanted;
    }
  if (fd >= 0)
    (void) close (fd);
  return is_good && write_inode (writer, node, writer->buffer + tail);
}

static bool
write_link (Writer *writer, const DnErofsNode *node, int parent)
{
  ssize_t length = readlinkat (parent, node->name, (char *) writer->buffer, DN_EROFS_BLOCK_BYTES);

  if (length < 0 || (uint64_t) length != node->size)
    return dn_fail (writer->failure, -EIO, "cannot read a link");
  memset (writer->buffer + length, 0, DN_EROFS_BLOCK_BYTES - (size_t) length);
  return (node->is_inline
          || write_at (writer, (uint64_t) node->block * DN_EROFS_BLOCK_BYTES, writer->buffer,
                       DN_EROFS_BLOCK_BYTES))
         && write_inode (writer, node, writer->buffer);
}

static uint8_t
kind_of (const DnErofsNode *node)
{
  switch (node->mode & S_IFMT)
    {
    case S_IFDIR:
      return KIND_DIRECTORY;
    case S_IFLNK:
      return KIND_LINK;
    case S_IFIFO:
      return KIND_FIFO;
    case S_IFCHR:
      return KIND_CHARACTER_DEVICE;
    default:
      return KIND_FILE;
    }
}

/* A block of names: for each what it is of and where its bytes are, then all bytes. */
static void
fill_names (uint8_t *block, const DnErofsEntry *entries, size_t count)
{
  size_t at = count * DN_EROFS_NAME_BYTES;

  memset (block, 0, DN_EROFS_BLOCK_BYTES);
  for (size_t i = 0; i < count; i++)
    {
      const DnErofsNode *inode = dn_erofs_node_inode (entries[i].node);
      uint8_t *entry = block + i * DN_EROFS_NAME_BYTES;
      size_t length = strlen (entries[i].name);

      dn_erofs_put_64 (entry, inode->offset / DN_EROFS_SLOT_BYTES);
      dn_erofs_put_16 (entry + 8, (uint16_t) at);
      entry[10] = kind_of (inode);
      memcpy (block + at, entries[i].name, length);
      at += length;
    }
}

static bool
write_names (Writer *writer, const DnErofsNode *node)
{
  const uint64_t start = (uint64_t) node->block * DN_EROFS_BLOCK_BYTES;
  const uint64_t whole = dn_erofs_layout_blocks (node);
  const size_t count = node->count + 2;
  DnErofsEntry *entries = dn_erofs_layout_entries (node);
  uint64_t block = 0;
  bool is_good = true;
  uint32_t used;

  for (size_t first = 0, n; is_good && first < count; first += n, block++)
    {
      n = dn_erofs_layout_fill (entries, count, first, &used);
      fill_names (writer->buffer, entries + first, n);
      is_good = block >= whole
                || write_at (writer, start + block * DN_EROFS_BLOCK_BYTES, writer->buffer,
                             DN_EROFS_BLOCK_BYTES);
    }
  free (entries);
  /* The last block is still there. */
  return is_good && write_inode (writer, node, writer->buffer);
}

static bool
write_node (Writer *writer, const DnErofsNode *node, int parent)
{
  bool is_good;
  int fd;

  if (node->target != NULL)
    return true;
  if (S_ISREG (node->mode))
    return write_file (writer, node, parent);
  if (S_ISLNK (node->mode))
    return write_link (writer, node, parent);
  if (!S_ISDIR (node->mode))
    return write_inode (writer, node, NULL);

  is_good = write_names (writer, node);
  fd = openat (parent, node->name[0] != '\0' ? node->name : ".",
               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return dn_fail_errno (writer->failure, "cannot open a directory");
  for (size_t i = 0; is_good && i < node->count; i++)
    is_good = write_node (writer, node->children[i], fd);
  (void) close (fd);
  return is_good;
}

static bool
write_image (Writer *writer, int tree, const DnErofsNode *root, const DnErofsLayout *layout,
             const DnDigest *identity)
{
  return clear_blocks (writer, layout->meta_blocks)
         && write_super_block (writer, root, layout, identity) && write_node (writer, root, tree)
         && (fsync (writer->output) == 0
             || dn_fail_errno (writer->failure, "cannot write the output disk"));
}

bool
dn_erofs_build (int tree, const char *output, const DnDigest *identity, DnErofsProgress progress,
                uint64_t *ret_bytes, DnFailure *failure)
{
  Writer *writer = calloc (1, sizeof *writer);
  DnErofsLayout layout;
  DnErofsNode *root;
  bool is_good;

  if (writer == NULL)
    abort ();
  writer->progress = progress;
  writer->failure = failure;
  writer->output = open (output, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (writer->output < 0)
    {
      free (writer);
      return dn_fail_errno (failure, "cannot open the output disk");
    }
  root = dn_erofs_node_read (tree, &writer->total, failure);
  is_good = root != NULL && dn_erofs_layout_make (root, &layout, failure)
            && write_image (writer, tree, root, &layout, identity);
  if (is_good)
    *ret_bytes = layout.blocks * DN_EROFS_BLOCK_BYTES;
  dn_erofs_node_free (root);
  (void) close (writer->output);
  free (writer);
  return is_good;
}
