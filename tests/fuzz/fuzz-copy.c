/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
/* Copy entries and their names, read the way a reader of a copy does. */
#include <stdlib.h>
#include <string.h>

#include "../../protocol/copy.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_name (const char *name, size_t size)
{
  char text[DN_COPY_NAME_BYTES + 3];

  if (!dn_copy_name_is_safe (name, size, false))
    return;
  /* What was called safe has no way up, however it is looked at. */
  text[0] = '/';
  memcpy (text + 1, name, size);
  text[size + 1] = '/';
  text[size + 2] = '\0';
  if (strlen (text) != size + 2 || strstr (text, "/../") != NULL || strstr (text, "/./") != NULL
      || strstr (text, "//") != NULL)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint8_t again[DN_COPY_HEADER_BYTES];
  DnCopyEntry entry;

  while (size >= DN_COPY_HEADER_BYTES && dn_copy_decode (data, &entry) == 0)
    {
      dn_copy_encode (again, &entry);
      if (memcmp (again, data, sizeof again) != 0)
        abort ();
      data += DN_COPY_HEADER_BYTES;
      size -= DN_COPY_HEADER_BYTES;
      if (size < entry.name_bytes)
        return 0;
      check_name ((const char *) data, entry.name_bytes);
      data += entry.name_bytes;
      size -= entry.name_bytes;
    }
  return 0;
}
