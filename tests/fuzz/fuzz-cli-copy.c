/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/copy-stream.c protocol/copy.c protocol/pack.c launcher/common/error.c */
/* Packages: glib-2.0 */

/* What a guest sends to `danchi cp`: every name that is taken stays in the tree, and no more bytes
 * are promised than were allowed. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../launcher/cli/copy-stream.h"

#define BYTES_MAX 10000

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static int fd = -1;
  static DnCopyItem item;
  DnCopyReader reader = { .bytes_left = BYTES_MAX };
  uint8_t bytes[BYTES_MAX];
  uint64_t total = 0;

  if (fd < 0)
    fd = memfd_create ("fuzz", MFD_CLOEXEC);
  if (fd < 0 || size > 1 << 20 || ftruncate (fd, 0) < 0
      || pwrite (fd, data, size, 0) != (ssize_t) size || lseek (fd, 0, SEEK_SET) != 0)
    return 0;
  reader.fd = fd;
  while (dn_copy_reader_next (&reader, &item, NULL) > 0)
    {
      if (*item.name == '/' || strstr (item.name, "..//") != NULL
          || g_str_has_prefix (item.name, "../") || strstr (item.name, "/../") != NULL
          || g_str_has_suffix (item.name, "/.."))
        g_error ("taken: '%s'", item.name);
      total += item.entry.size_bytes;
      if (total > BYTES_MAX)
        g_error ("more than was allowed");
      if (!dn_copy_reader_read (&reader, bytes, item.entry.size_bytes, NULL))
        break;
    }
  return 0;
}
