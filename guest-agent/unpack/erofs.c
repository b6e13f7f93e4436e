/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "program.h"
#include "report.h"

#define MAGIC 0xe0f5e1e2u
#define HASH_BLOCK_BYTES (256 * 1024)

bool
dn_erofs_build (const char *tree, const char *output, const DnDigest *identity, DnFailure *failure)
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

bool
dn_erofs_hash (const char *output, uint64_t *ret_bytes, DnDigest *ret_digest, DnFailure *failure)
{
  static uint8_t block[HASH_BLOCK_BYTES];
  DnDigester *digester;
  uint64_t size = 0;
  uint64_t done = 0;
  bool is_good = true;
  int fd = open (output, O_RDWR | O_CLOEXEC);

  if (fd < 0)
    return dn_fail_errno (failure, "cannot open the output disk");
  if (fsync (fd) < 0)
    is_good = dn_fail_errno (failure, "cannot write the output disk");
  else if (pread (fd, block, DN_EROFS_SUPER_BYTES, DN_EROFS_SUPER_OFFSET) != DN_EROFS_SUPER_BYTES
           || (size = dn_erofs_size (block)) == 0)
    is_good = dn_fail (failure, -EIO, "the output disk has no image");

  digester = dn_digester_new ();
  while (is_good && done < size)
    {
      size_t wanted = size - done < sizeof block ? (size_t) (size - done) : sizeof block;
      ssize_t n = pread (fd, block, wanted, (off_t) done);

      if (n <= 0)
        {
          errno = n == 0 ? ENOSPC : errno;
          is_good = dn_fail (failure, n == 0 ? -ENOSPC : -errno, "cannot read the image back");
          break;
        }
      dn_digester_add (digester, block, (size_t) n);
      done += (uint64_t) n;
      dn_report_progress (DN_UNPACK_PHASE_HASH, done, size);
    }
  if (is_good)
    {
      dn_digester_finish (digester, ret_digest);
      *ret_bytes = size;
    }
  dn_digester_free (digester);
  (void) close (fd);
  return is_good;
}
