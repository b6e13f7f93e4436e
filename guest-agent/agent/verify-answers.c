/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that joined the container says, on its standard output.  After the filter is
 * loaded: plain system calls only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

static void
say (const char *text)
{
  if (write (1, text, strlen (text)) < 0)
    _exit (1);
}

static void
tell_sysctl (const char *name)
{
  char path[256];
  char value[256];
  char line[600];

  (void) snprintf (path, sizeof path, "/proc/sys/%s", name);
  for (char *at = path + strlen ("/proc/sys/"); *at != '\0'; at++)
    if (*at == '.')
      *at = '/';
  if (dn_facts_read_file (AT_FDCWD, path, value, sizeof value) < 0)
    return;
  (void) snprintf (line, sizeof line, "sysctl.%s\t%s\n", name, value);
  say (line);
}

/* Returns whether this process is good for more. */
static bool
tell_attempt (size_t i)
{
  char line[128];
  const char *error;
  int r;

  (void) snprintf (line, sizeof line, "try.%s\t", dn_verify_attempt_name (i));
  say (line);
  r = dn_verify_attempt_make (i);
  error = r == -1 ? strerrorname_np (errno) : NULL;
  if (r == DN_VERIFY_NOT_TRIED)
    say ("not tried: it has id 0\n");
  else if (r >= 0)
    say ("SUCCEEDED\n");
  else
    {
      (void) snprintf (line, sizeof line, "refused %s\n", error != NULL ? error : "?");
      say (line);
    }
  /* Who is traced stops at each signal, at an ignored one too, and nobody would let it go on. */
  return r < 0 || !dn_verify_attempt_is_last (i);
}

_Noreturn void
dn_verify_attempt_all (void *data)
{
  const DnVerifyInside *inside = data;
  const char *name;
  json_t *value;

  if (inside->first == 0)
    {
      tell_sysctl ("user.max_user_namespaces");
      json_object_foreach (inside->config->sysctls, name, value) tell_sysctl (name);
    }
  for (size_t i = (size_t) inside->first; dn_verify_attempt_name (i) != NULL; i++)
    if (!tell_attempt (i))
      break; /* another process goes on behind it */
  _exit (0);
}
