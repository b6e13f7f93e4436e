/* SPDX-License-Identifier: Apache-2.0 */
#include "tar-writer.h"

#include <stdio.h>
#include <string.h>

/* Offsets and widths of the header's fields. */
#define MODE_AT 100
#define UID_AT 108
#define GID_AT 116
#define SIZE_AT 124
#define SIZE_BYTES 12
#define TIME_AT 136
#define SUM_AT 148
#define SUM_BYTES 8
#define TYPE_AT 156
#define MAGIC_AT 257
#define USER_AT 265
#define GROUP_AT 297
#define DEVICE_MAJOR_AT 329
#define DEVICE_MINOR_AT 337
/* Eleven octal digits. */
#define OCTAL_SIZE_MAX G_GUINT64_CONSTANT (077777777777)

static void
write_size (guint8 *field, guint64 size)
{
  if (size <= OCTAL_SIZE_MAX)
    {
      (void) snprintf ((char *) field, SIZE_BYTES, "%011" G_GINT64_MODIFIER "o", size);
      return;
    }
  field[0] = 0x80;
  for (guint i = SIZE_BYTES - 1; i >= SIZE_BYTES - sizeof size; i--, size >>= 8)
    field[i] = size & 0xff;
}

void
dn_tar_write_header (const char *name, guint64 size, guint8 ret_block[DN_TAR_BLOCK_BYTES])
{
  char *text = (char *) ret_block;
  guint sum = 0;

  g_assert (strlen (name) <= DN_TAR_NAME_MAX_BYTES);
  memset (ret_block, 0, DN_TAR_BLOCK_BYTES);
  memcpy (text, name, strlen (name));
  strcpy (text + MODE_AT, "0000444");
  strcpy (text + UID_AT, "0000000");
  strcpy (text + GID_AT, "0000000");
  write_size (ret_block + SIZE_AT, size);
  strcpy (text + TIME_AT, "00000000000");
  text[TYPE_AT] = '0';
  memcpy (text + MAGIC_AT,
          "ustar\0"
          "00",
          8);
  strcpy (text + USER_AT, "root");
  strcpy (text + GROUP_AT, "root");
  strcpy (text + DEVICE_MAJOR_AT, "0000000");
  strcpy (text + DEVICE_MINOR_AT, "0000000");
  /* The sum is of the header with blanks in the sum's place. */
  memset (text + SUM_AT, ' ', SUM_BYTES);
  for (guint i = 0; i < DN_TAR_BLOCK_BYTES; i++)
    sum += ret_block[i];
  (void) snprintf (text + SUM_AT, SUM_BYTES - 1, "%06o", sum);
}

guint
dn_tar_padding (guint64 size)
{
  return (guint) ((DN_TAR_BLOCK_BYTES - size % DN_TAR_BLOCK_BYTES) % DN_TAR_BLOCK_BYTES);
}

guint64
dn_tar_file_bytes (guint64 size)
{
  return DN_TAR_BLOCK_BYTES + size + dn_tar_padding (size);
}
