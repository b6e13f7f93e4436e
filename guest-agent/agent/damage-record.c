/* SPDX-License-Identifier: Apache-2.0 */
#include "damage-record.h"

#include <string.h>
#include <sys/sysmacros.h>

/* Those of 2^64 have 20, and no disk has so many blocks. */
#define DIGITS_MAX 18

static bool
read_number (const char *text, uint64_t *ret_number)
{
  size_t length = strlen (text);
  uint64_t number = 0;

  if (length == 0 || length > DIGITS_MAX || strspn (text, "0123456789") != length)
    return false;
  for (size_t i = 0; i < length; i++)
    number = number * 10 + (uint64_t) (text[i] - '0');
  *ret_number = number;
  return true;
}

static const char *
value_of (const char *text, const char *name)
{
  size_t length = strlen (name);

  return strncmp (text, name, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
}

bool
dn_damage_record_read (const char *bytes, size_t size, DnDamageRecord *ret_record)
{
  uint64_t first = 0, second = 0, block = 0;
  unsigned found = 0;
  const char *value;

  /* Each text ends with a NUL, the last too. */
  if (size == 0 || bytes[size - 1] != '\0')
    return false;
  for (const char *text = bytes; text < bytes + size; text += strlen (text) + 1)
    if ((value = value_of (text, "MAJOR")) != NULL)
      found |= read_number (value, &first) ? 1u : 0;
    else if ((value = value_of (text, "MINOR")) != NULL)
      found |= read_number (value, &second) ? 2u : 0;
    else if ((value = value_of (text, "DM_VERITY_ERR_BLOCK_NR")) != NULL)
      found |= (strncmp (value, "0,", 2) == 0 || strncmp (value, "1,", 2) == 0)
                       && read_number (value + 2, &block)
                   ? 4u
                   : 0;
  if (found != 7 || first > 0xfff || second > 0xfffff)
    return false;
  *ret_record
      = (DnDamageRecord){ .device = makedev ((unsigned) first, (unsigned) second), .block = block };
  return true;
}
