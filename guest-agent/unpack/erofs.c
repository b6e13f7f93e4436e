/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

#define MAGIC 0xe0f5e1e2u

static bool
make_image (const char *tree, const char *output, const DnDigest *identity, DnFailure *failure)
{
  const uint8_t *b = identity->bytes;
  char uuid[48];
  const char *const argv[]
      = { "mkfs.erofs", "--quiet", "--preserve-mtime", uuid, output, tree, NULL };

  /* Version 4 in form: the digest's bytes are as good as random ones. */
  (void) snprintf (uuid, sizeof uuid,
                   "-U%02x%02x%02x%02x-%02x%02x-4%x%02x-8%x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6] & 0xf, b[7], b[8] & 0xf, b[9], b[10], b[11],
                   b[12], b[13], b[14], b[15]);
  return dn_program_run (argv, failure);
}

static uint32_t
little_endian_32 (const uint8_t *bytes)
{
  return (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16
         | (uint32_t) bytes[3] << 24;
}

uint64_t
dn_erofs_size (const uint8_t *super)
{
  /* struct erofs_super_block: magic 0, blkszbits 12, blocks 36. */
  if (little_endian_32 (super) != MAGIC || super[12] != 12)
    return 0;
  return (uint64_t) little_endian_32 (super + 36) * DN_EROFS_BLOCK_BYTES;
}

/* mkfs.erofs leaves gaps; an image of the layer before may lie there. */
static bool
clear (int fd, DnFailure *failure)
{
  uint8_t super[DN_EROFS_SUPER_BYTES];
  struct stat status;
  uint64_t range[2] = { 0 };

  if (fstat (fd, &status) < 0)
    return dn_fail_errno (failure, "cannot look at the output disk");
  if (!S_ISBLK (status.st_mode))
    return ftruncate (fd, 0) == 0 || dn_fail_errno (failure, "cannot clear the output");
  if (pread (fd, super, sizeof super, DN_EROFS_SUPER_OFFSET) == (ssize_t) sizeof super)
    range[1] = dn_erofs_size (super);
  return range[1] == 0 || ioctl (fd, BLKZEROOUT, range) == 0
         || dn_fail_errno (failure, "cannot clear the output disk");
}

static bool
measure (int fd, uint64_t *ret_bytes, DnFailure *failure)
{
  uint8_t super[DN_EROFS_SUPER_BYTES];

  if (fsync (fd) < 0)
    return dn_fail_errno (failure, "cannot write the output disk");
  if (pread (fd, super, sizeof super, DN_EROFS_SUPER_OFFSET) != (ssize_t) sizeof super
      || (*ret_bytes = dn_erofs_size (super)) == 0)
    return dn_fail (failure, -EIO, "the output disk has no image");
  return true;
}

bool
dn_erofs_build (const char *tree, const char *output, const DnDigest *identity, uint64_t *ret_bytes,
                DnFailure *failure)
{
  int fd = open (output, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  bool is_good;

  if (fd < 0)
    return dn_fail_errno (failure, "cannot open the output disk");
  is_good = clear (fd, failure) && make_image (tree, output, identity, failure)
            && measure (fd, ret_bytes, failure);
  (void) close (fd);
  return is_good;
}
