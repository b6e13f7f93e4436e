/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: libcap-ng */
/* Needs: root */
/* capng_apply() after setresuid() reports success and leaves the bounding set full, because the
 * right to empty it went with root; capng_change_id() empties it: why lockdown uses one call for
 * both, and reads the result back. */
#include <cap-ng.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

#define NOBODY 65534

static uint64_t
read_bounding_set (void)
{
  unsigned long long set = ~0ull;
  char line[256];
  FILE *file = fopen ("/proc/self/status", "re");

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    if (sscanf (line, "CapBnd: %llx", &set) == 1)
      break;
  if (file != NULL)
    (void) fclose (file);
  return set;
}

/* Returns whether the child's bounding set is empty. */
static int
is_empty_after (int uses_one_call)
{
  int status;
  pid_t pid = fork ();

  ASSUME (pid >= 0, "fork works");
  if (pid == 0)
    {
      int code;

      capng_clear (CAPNG_SELECT_BOTH);
      if (uses_one_call)
        code = capng_change_id (NOBODY, NOBODY, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
      else
        code = setresgid (NOBODY, NOBODY, NOBODY) != 0 || setresuid (NOBODY, NOBODY, NOBODY) != 0
                   ? -100
                   : capng_apply (CAPNG_SELECT_BOTH);
      _exit (code != 0 ? 2 : read_bounding_set () == 0 ? 1 : 0);
    }
  ASSUME (waitpid (pid, &status, 0) == pid && WIFEXITED (status), "the child ends");
  ASSUME (WEXITSTATUS (status) != 2, "libcap-ng reports success");
  return WEXITSTATUS (status);
}

int
main (void)
{
  if (geteuid () != 0)
    SKIP ("needs root");
  ASSUME (!is_empty_after (0), "capng_apply() after setresuid() leaves the bounding set");
  ASSUME (is_empty_after (1), "capng_change_id() empties the bounding set");
  return 0;
}
