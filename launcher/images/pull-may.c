/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-may.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "../spec/reference-glob.h"

#define AUTH_MAX_BYTES (64 * 1024)

static gboolean
check_allowed (const DnSettings *settings, const char *reference, GError **error)
{
  char **allow = settings->terms.allow;
  g_autofree char *list = NULL;

  for (char **pattern = allow; *pattern != NULL; pattern++)
    if (dn_reference_glob_matches (*pattern, reference))
      return TRUE;
  list = g_strjoinv (", ", allow);
  return dn_throw (error, DN_ERROR_DENIED,
                   "image '%s': not permitted on this host (rule image-allow, '%s')\n"
                   "permitted are %s: [images] allow",
                   reference, settings->file, list);
}

/* Sealed: what the caller has checked is what the jail reads.  Its bytes are not looked at. */
static gboolean
check_auth (int fd, GError **error)
{
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  struct stat status;

  if (fd < 0)
    return TRUE;
  return ((fcntl (fd, F_GET_SEALS) & seals) == seals && fstat (fd, &status) == 0
          && status.st_size > 0 && status.st_size < AUTH_MAX_BYTES)
         || dn_throw (error, DN_ERROR_USAGE, "credentials: not a sealed file of memory");
}

gboolean
dn_pull_may_ask (const DnSettings *settings, const char *reference, int auth_fd, GError **error)
{
  return check_allowed (settings, reference, error) && check_auth (auth_fd, error);
}
