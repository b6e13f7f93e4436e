/* SPDX-License-Identifier: Apache-2.0 */
#include "read-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../common/autofd.h"
#include "../common/error.h"

char *
dn_read_file (const char *path, gsize size_max, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  if (fd < 0)
    {
      dn_throw (error, DN_ERROR_USAGE, "'%s': %s", path, g_strerror (errno));
      return NULL;
    }
  while ((n = read (fd, buffer, sizeof buffer)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          dn_throw (error, DN_ERROR_USAGE, "'%s': %s", path, g_strerror (errno));
          return NULL;
        }
      if (text->len + (gsize) n > size_max)
        {
          dn_throw (error, DN_ERROR_USAGE, "'%s': larger than %" G_GSIZE_FORMAT " bytes", path,
                    size_max);
          return NULL;
        }
      g_string_append_len (text, buffer, n);
    }
  if (!g_utf8_validate (text->str, (gssize) text->len, NULL))
    {
      dn_throw (error, DN_ERROR_USAGE, "'%s': not UTF-8 text", path);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
