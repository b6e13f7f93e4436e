/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-keys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../../protocol/protocol.h"
#include "../common/error.h"
#include "answer.h"

/* A pipe would have to be read by somebody. */
static int
open_key (const char *text, const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0)
    dn_throw_errno (error, "--volume-key: '%s'", path);
  else if (!S_ISREG (status.st_mode) || status.st_size != DN_VOLUME_KEY_FILE_BYTES)
    dn_throw (error, DN_ERROR_USAGE,
              "--volume-key '%s': a key is a file of %d random bytes\n"
              "head -c %d /dev/urandom > FILE makes one, for a new volume",
              text, DN_VOLUME_KEY_FILE_BYTES, DN_VOLUME_KEY_FILE_BYTES);
  else
    return fd;
  if (fd >= 0)
    (void) close (fd);
  return -1;
}

gboolean
dn_volume_keys_open (char **texts, JsonObject *args, DnFdList *ret_fds, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (; texts != NULL && *texts != NULL; texts++)
    {
      g_auto (GStrv) halves = g_strsplit (*texts, "=", 2);
      int fd;

      if (halves[0] == NULL || halves[1] == NULL || halves[0][0] == '\0')
        return dn_throw (error, DN_ERROR_USAGE, "--volume-key '%s': must be NAME=FILE", *texts);
      if (ret_fds->count == DN_FDPASS_MAX)
        return dn_throw (error, DN_ERROR_USAGE, "--volume-key: more than %d of them",
                         DN_FDPASS_MAX);
      fd = open_key (*texts, halves[1], error);
      if (fd < 0)
        return FALSE;
      ret_fds->fds[ret_fds->count++] = fd;
      g_ptr_array_add (names, g_strdup (halves[0]));
    }
  if (names->len == 0)
    return TRUE;
  g_ptr_array_add (names, NULL);
  dn_args_set_list (args, "volume_keys", (char **) names->pdata);
  return TRUE;
}
