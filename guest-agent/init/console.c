/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
write_line (const char *line, size_t size)
{
  /* Ignored: there is nowhere else to say it. */
  if (write (STDERR_FILENO, line, size) < 0)
    return;
}

void
dn_console_milestone (DnMilestone milestone)
{
  char line[64];
  int size = snprintf (line, sizeof line, DN_MILESTONE_PREFIX "%d\n", (int) milestone);

  write_line (line, (size_t) size);
}

void
dn_console_error (const char *what, int error)
{
  char line[320];
  int size;

  if (error == 0)
    size = snprintf (line, sizeof line, "danchi-boot-error: %.200s\n", what);
  else
    size = snprintf (line, sizeof line, "danchi-boot-error: %.200s: %s\n", what, strerror (error));
  if (size > (int) sizeof line - 1)
    size = (int) sizeof line - 1;
  write_line (line, (size_t) size);
}
