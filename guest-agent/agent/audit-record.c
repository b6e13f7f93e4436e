/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-record.h"

#include <string.h>

/* The value of the first field called @name; false where there is none. */
static bool
find_field (const char *text, size_t size, const char *name, const char **ret_value,
            size_t *ret_bytes)
{
  size_t name_bytes = strlen (name);
  const char *end = text + size;

  for (const char *at = text; at < end;)
    {
      const char *blank = memchr (at, ' ', (size_t) (end - at));
      size_t bytes = (size_t) ((blank != NULL ? blank : end) - at);

      if (bytes > name_bytes && at[name_bytes] == '=' && memcmp (at, name, name_bytes) == 0)
        {
          *ret_value = at + name_bytes + 1;
          *ret_bytes = bytes - name_bytes - 1;
          return true;
        }
      at += bytes + 1;
    }
  return false;
}

static int
digit_of (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

static bool
read_number (const char *text, size_t size, const char *name, int base, uint32_t *ret_number)
{
  const char *value;
  size_t bytes;
  uint64_t number = 0;

  if (!find_field (text, size, name, &value, &bytes))
    return false;
  if (bytes > 2 && base == 16 && value[0] == '0' && value[1] == 'x')
    {
      value += 2;
      bytes -= 2;
    }
  if (bytes == 0)
    return false;
  for (size_t i = 0; i < bytes; i++)
    {
      int digit = digit_of (value[i]);

      if (digit >= base)
        return false;
      number = number * (unsigned) base + (unsigned) digit;
      if (number > UINT32_MAX)
        return false;
    }
  *ret_number = (uint32_t) number;
  return true;
}

/* "name" as it is, or its bytes in hexadecimal. */
static bool
read_program (const char *text, size_t size, char ret_program[DN_PROGRAM_BYTES + 1])
{
  const char *value;
  size_t bytes, used = 0;

  if (!find_field (text, size, "comm", &value, &bytes))
    return false;
  if (bytes >= 2 && value[0] == '"' && value[bytes - 1] == '"')
    {
      used = bytes - 2 < DN_PROGRAM_BYTES ? bytes - 2 : DN_PROGRAM_BYTES;
      memcpy (ret_program, value + 1, used);
    }
  else
    for (size_t i = 0; i + 1 < bytes && used < DN_PROGRAM_BYTES; i += 2)
      {
        int high = digit_of (value[i]), low = digit_of (value[i + 1]);

        if (high > 15 || low > 15 || (high == 0 && low == 0))
          return false;
        ret_program[used++] = (char) (high << 4 | low);
      }
  ret_program[used] = '\0';
  return memchr (ret_program, '\0', used) == NULL;
}

bool
dn_audit_record_read (const char *text, size_t size, DnAuditRecord *ret_record)
{
  DnAuditRecord record;

  if (!read_number (text, size, "uid", 10, &record.uid)
      || !read_number (text, size, "arch", 16, &record.arch)
      || !read_number (text, size, "syscall", 10, &record.call)
      || !read_number (text, size, "code", 16, &record.action)
      || !read_program (text, size, record.program))
    return false;
  *ret_record = record;
  return true;
}
