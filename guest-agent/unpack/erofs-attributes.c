/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs-attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "erofs-format.h"

#define NAMES_BYTES 65536 /* the kernel's limit for a list, and for a value */
#define ATTRIBUTES_MAX 256

/* The prefixes that are written as a number. */
#define INDEX_USER 1
#define INDEX_TRUSTED 4
#define USER "user."
#define TRUSTED "trusted."
#define OPAQUE "trusted.overlay.opaque"

static int
compare (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Appends one attribute. */
static bool
append (const char *path, const char *name, uint8_t **bytes, uint32_t *size, DnFailure *failure)
{
  static uint8_t value[NAMES_BYTES];
  bool is_user = strncmp (name, USER, strlen (USER)) == 0;
  const char *rest = name + strlen (is_user ? USER : TRUSTED);
  size_t length = strlen (rest);
  ssize_t value_size = lgetxattr (path, name, value, sizeof value);
  size_t whole;
  uint8_t *at;

  if (value_size < 0)
    return dn_fail_errno (failure, "cannot read an attribute");
  whole = (DN_EROFS_ATTRIBUTE_BYTES + length + (size_t) value_size + 3) & ~(size_t) 3;
  if (*size + whole > DN_EROFS_ATTRIBUTES_MAX_BYTES || length > UINT8_MAX
      || value_size > UINT16_MAX)
    return dn_fail (failure, -E2BIG, "a file's attributes are too large");
  *bytes = realloc (*bytes, *size + whole);
  if (*bytes == NULL)
    abort ();
  at = *bytes + *size;
  memset (at, 0, whole);
  at[0] = (uint8_t) length;
  at[1] = is_user ? INDEX_USER : INDEX_TRUSTED;
  dn_erofs_put_16 (at + 2, (uint16_t) value_size);
  memcpy (at + DN_EROFS_ATTRIBUTE_BYTES, rest, length);
  memcpy (at + DN_EROFS_ATTRIBUTE_BYTES + length, value, (size_t) value_size);
  *size += (uint32_t) whole;
  return true;
}

bool
dn_erofs_attributes_read (int parent, const char *name, uint8_t **ret_bytes, uint32_t *ret_size,
                          DnFailure *failure)
{
  static char names[NAMES_BYTES];
  const char *sorted[ATTRIBUTES_MAX];
  char path[64 + 256];
  uint8_t *bytes;
  uint32_t used = DN_EROFS_ATTRIBUTES_HEADER_BYTES;
  size_t count = 0;
  ssize_t size;

  *ret_bytes = NULL;
  *ret_size = 0;
  (void) snprintf (path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
  size = llistxattr (path, names, sizeof names);
  if (size < 0 && errno == ENOTSUP)
    return true;
  if (size < 0)
    return dn_fail_errno (failure, "cannot list attributes");
  for (const char *at = names; at < names + size; at += strlen (at) + 1)
    if (strncmp (at, USER, strlen (USER)) == 0 || strcmp (at, OPAQUE) == 0)
      {
        if (count == ATTRIBUTES_MAX)
          return dn_fail (failure, -E2BIG, "a file has more than %d attributes", ATTRIBUTES_MAX);
        sorted[count++] = at;
      }
  if (count == 0)
    return true;
  qsort (sorted, count, sizeof *sorted, compare);
  bytes = calloc (1, used);
  if (bytes == NULL)
    abort ();
  for (size_t i = 0; i < count; i++)
    if (!append (path, sorted[i], &bytes, &used, failure))
      {
        free (bytes);
        return false;
      }
  *ret_bytes = bytes;
  *ret_size = used;
  return true;
}
