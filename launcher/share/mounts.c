/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTINFO_BYTES_MAX (16 * 1024 * 1024)
/* Words of a line before the root: its number, its parent's, the device's. */
#define WORDS_BEFORE_ROOT 3

static char *
read_all (void)
{
  int fd = open ("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  size_t size = 65536, used = 0;
  char *text = fd < 0 ? NULL : malloc (size);

  while (text != NULL)
    {
      ssize_t n = read (fd, text + used, size - used - 1);
      char *larger;

      if (n <= 0)
        break;
      used += (size_t) n;
      if (size - used > 4096)
        continue;
      larger = size < MOUNTINFO_BYTES_MAX ? realloc (text, size * 2) : NULL;
      if (larger == NULL)
        {
          free (text);
          errno = E2BIG;
        }
      text = larger;
      size *= 2;
    }
  if (text != NULL)
    text[used] = '\0';
  if (fd >= 0)
    (void) close (fd);
  return text;
}

char *
dn_share_mounts_read (int fd, unsigned long long *ret_id)
{
  struct statx status;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0)
    return NULL;
  if ((status.stx_mask & STATX_MNT_ID) == 0)
    {
      errno = EOPNOTSUPP;
      return NULL;
    }
  *ret_id = status.stx_mnt_id;
  return read_all ();
}

const char *
dn_share_mounts_find (const char *mountinfo, unsigned long long id)
{
  for (const char *at = mountinfo; *at != '\0';)
    {
      char *end = NULL;

      if (strtoull (at, &end, 10) == id && end != at && *end == ' ')
        return at;
      at += strcspn (at, "\n");
      at += *at == '\n';
    }
  return NULL;
}

int
dn_share_mounts_root (const char *line, char *ret_root, size_t size)
{
  size_t length;

  for (int i = 0; i < WORDS_BEFORE_ROOT; i++)
    {
      line += strcspn (line, " \n");
      if (*line++ != ' ')
        return -EINVAL;
    }
  length = strcspn (line, " \n");
  if (line[0] != '/' || line[length] != ' ')
    return -EINVAL;
  if (length >= size)
    return -ENAMETOOLONG;
  memcpy (ret_root, line, length);
  ret_root[length] = '\0';
  dn_share_mounts_unescape (ret_root);
  return 0;
}

void
dn_share_mounts_unescape (char *text)
{
  char *to = text;

  for (const char *at = text; *at != '\0';)
    {
      bool is_octal = at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7'
                      && at[3] >= '0' && at[3] <= '7';

      if (is_octal)
        {
          *to++ = (char) ((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
          at += 4;
        }
      else
        *to++ = *at++;
    }
  *to = '\0';
}
