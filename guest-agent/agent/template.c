/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK DN_TEMPLATE_BLOCK_BYTES

/* Number of the next block of the template's; `blocks` of it at the end, -EINVAL for one that is
 * none. */
static int64_t
read_number (FILE *file, uint32_t blocks)
{
  uint8_t head[4];
  uint32_t number;

  if (fread (head, sizeof head, 1, file) != 1)
    return ferror (file) ? (int64_t) -EIO : (int64_t) blocks;
  number = (uint32_t) head[0] << 24 | (uint32_t) head[1] << 16 | (uint32_t) head[2] << 8 | head[3];
  return number < blocks ? (int64_t) number : -EINVAL;
}

static int
write_block (int device, uint32_t number, const uint8_t *bytes)
{
  ssize_t n = pwrite (device, bytes, BLOCK, (off_t) number * BLOCK);

  return n == BLOCK ? 0 : n < 0 ? -errno : -EIO;
}

/* All blocks but the first, which is kept for the end. */
static int
write_rest (int device, FILE *file, const DnTemplate *template, uint8_t *ret_first)
{
  static const uint8_t zeroes[BLOCK];
  uint8_t block[BLOCK];
  int64_t next = read_number (file, template->blocks);
  int r = 0;

  for (uint32_t i = 0; i < template->blocks && next >= 0 && r == 0; i++)
    {
      bool is_next = next == i;

      if (is_next && fread (block, sizeof block, 1, file) != 1)
        return -EIO;
      if (i == 0 && is_next)
        memcpy (ret_first, block, sizeof block);
      else if (is_next || template->has_no_zero)
        r = write_block (device, i, is_next ? block : zeroes);
      if (is_next)
        next = read_number (file, template->blocks);
    }
  if (r < 0 || next < 0)
    return r < 0 ? r : (int) next;
  /* One that is not in order. */
  return next == template->blocks ? 0 : -EINVAL;
}

int
dn_template_write (int device, const DnTemplate *template)
{
  FILE *file = fopen (template->path, "re");
  uint8_t first[BLOCK] = { 0 };
  int r = file == NULL ? -errno : write_rest (device, file, template, first);

  if (file != NULL)
    (void) fclose (file);
  if (r == 0 && fsync (device) < 0)
    r = -errno;
  if (r == 0)
    r = write_block (device, 0, first);
  return r == 0 && fsync (device) < 0 ? -errno : r;
}
