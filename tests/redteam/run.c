/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define PROBE_SECONDS 30
#define SIGNAL_BASE 1000

int
dn_seen (long result)
{
  return result >= 0 ? 0 : errno;
}

int
dn_attempt_open (const DnAim *aim)
{
  int fd = open (aim->path, (int) aim->a | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int seen = dn_seen (fd);

  if (fd >= 0)
    (void) close (fd);
  return seen;
}

int
dn_attempt_read (const DnAim *aim)
{
  char bytes[4096];
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  ssize_t n;
  int seen;

  if (fd < 0)
    return errno;
  n = read (fd, bytes, sizeof bytes);
  seen = n == 0 ? DN_SEEN_EMPTY : dn_seen (n);
  (void) close (fd);
  return seen;
}

int
dn_attempt_call (const DnAim *aim)
{
  return dn_seen (syscall (aim->a, aim->b, aim->b, aim->b, aim->b, aim->b));
}

const char *
dn_seen_name (int seen)
{
  static const char *const words[]
      = { "ok", "empty", "absent", "unchanged", "bounded", "hidden", "unknown" };
  static char number[32];
  const char *name = NULL;

  if (seen <= 0 && -seen < (int) (sizeof words / sizeof *words))
    return words[-seen];
  if (seen >= SIGNAL_BASE)
    {
      name = sigabbrev_np (seen - SIGNAL_BASE);
      (void) snprintf (number, sizeof number, "SIG%s", name != NULL ? name : "?");
      return number;
    }
  name = strerrorname_np (seen);
  if (name != NULL)
    return name;
  (void) snprintf (number, sizeof number, "%d", seen);
  return number;
}

/* Whether @word is one of the @list, which has blanks between. */
static bool
is_among (const char *word, const char *list)
{
  size_t size = strlen (word);

  for (const char *at = list; (at = strstr (at, word)) != NULL; at += size)
    if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
      return true;
  return false;
}

const char *
dn_verdict (const char *accepted, int seen)
{
  bool is_accepted = is_among (dn_seen_name (seen), accepted);

  if (seen == DN_SEEN_UNKNOWN)
    return is_accepted ? "refused" : "untried";
  if (seen == 0)
    return is_accepted ? "permitted" : "BREACH";
  return is_accepted ? "refused" : "reached";
}

int
dn_probe_run (const DnProbe *probe)
{
  const struct rlimit no_core = { 0, 0 };
  int *seen = mmap (NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int status = 0;
  int result;
  pid_t child;

  if (seen == MAP_FAILED)
    return DN_SEEN_UNKNOWN;
  *seen = DN_SEEN_UNKNOWN;
  child = fork ();
  if (child == 0)
    {
      (void) setrlimit (RLIMIT_CORE, &no_core);
      (void) alarm (PROBE_SECONDS);
      errno = 0;
      *seen = probe->attempt (&probe->aim);
      _exit (0);
    }
  while (child > 0 && waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  result = WIFSIGNALED (status) ? SIGNAL_BASE + WTERMSIG (status) : *seen;
  (void) munmap (seen, sizeof *seen);
  return result;
}
