/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int console_fd = -1;

void
dn_console_open (int to_stderr)
{
  /* A console that nobody drains must not stop the agent. */
  console_fd = to_stderr ? fcntl (2, F_DUPFD_CLOEXEC, 3)
                         : open ("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

void
dn_console_milestone (DnMilestone milestone)
{
  char line[32];
  int n = snprintf (line, sizeof line, DN_MILESTONE_PREFIX "%d\n", (int) milestone);

  (void) !write (console_fd, line, (size_t) n);
}

void
dn_console_log (const char *format, ...)
{
  char line[200];
  va_list arguments;
  size_t n = (size_t) snprintf (line, sizeof line, "danchi-agent: ");

  va_start (arguments, format);
  (void) vsnprintf (line + n, sizeof line - n - 1, format, arguments);
  va_end (arguments);
  for (n = 0; line[n] != '\0'; n++)
    if ((unsigned char) line[n] < ' ' || (unsigned char) line[n] == 127)
      line[n] = '?';
  line[n++] = '\n';
  (void) !write (console_fd, line, n);
}
