/* SPDX-License-Identifier: Apache-2.0 */
/* A traitor beside the agent: linked into a copy of it that only the red team's tests put into a
 * guest.  It is a process of the guest's root, which is what an intruder is who has broken every
 * wall inside.
 *
 * What it is to do it takes from the guest's host name, which is its context's: `red-probes` and
 * `red-share` ask the questions of guest.c and share.c and answer on the console; `red-network`
 * uses the card (networks.c, spoof.c); `red-NAME` makes an attack of attack.c. Other guests it
 * leaves alone.  It begins once a container runs, which then is the victim.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"
#include "probe.h"
#include "spoof.h"

#define PREFIX "red-"
#define WAIT_SECONDS 120

static void
say (const char *format, ...)
{
  char line[256];
  va_list arguments;
  int fd = open ("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  int length;

  va_start (arguments, format);
  length = vsnprintf (line, sizeof line, format, arguments);
  va_end (arguments);
  if (length > 0)
    (void) !write (fd, line, (size_t) length);
  (void) close (fd);
}

static void
rest (long ms)
{
  struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

  while (nanosleep (&time, &time) != 0)
    ;
}

static void
read_program (pid_t pid, char ret_path[256])
{
  char path[64];
  ssize_t n;

  (void) snprintf (path, sizeof path, "/proc/%d/exe", (int) pid);
  n = readlink (path, ret_path, 255);
  ret_path[n < 0 ? 0 : n] = '\0';
}

/* Whether a container's program runs: a child of the agent's that is another program than that.
 * What only waits to become one is the agent's still, and the host waits for it, too. */
static bool
has_container (pid_t agent)
{
  char path[64], text[512] = "", own[256], other[256];
  char *rest_of = NULL;
  int fd;

  (void) snprintf (path, sizeof path, "/proc/%d/task/%d/children", (int) agent, (int) agent);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    (void) !read (fd, text, sizeof text - 1);
  (void) close (fd);
  read_program (agent, own);
  for (char *word = strtok_r (text, " ", &rest_of); word != NULL;
       word = strtok_r (NULL, " ", &rest_of))
    {
      read_program ((pid_t) strtol (word, NULL, 10), other);
      if (other[0] != '\0' && strcmp (own, other) != 0)
        return true;
    }
  return false;
}

static void
ask_all (const DnFamily *family)
{
  for (size_t i = 0; i < family->count; i++)
    {
      const DnProbe *probe = &family->probes[i];
      int seen = dn_probe_run (probe);
      const char *verdict = dn_verdict (probe->accepted, seen);

      say ("\nredteam\t%s\t%s\t%s\n", probe->id, verdict, dn_seen_name (seen));
    }
  say ("\nredteam-end\n");
}

/* The card, without the guest's own rules: the host's are all there is. */
static void
use_card (void)
{
  int r = dn_spoof_flush_rules ();

  ask_all (&dn_networks);
  say ("\nredteam-spoof\t%d\t%d\n", r, dn_spoof_send ());
}

__attribute__ ((constructor)) static void
betray (void)
{
  char name[65] = "";
  pid_t agent = getpid ();
  int r;

  if (fork () != 0)
    return;
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < WAIT_SECONDS * 10 && (name[0] == '\0' || strcmp (name, "danchi") == 0); i++)
    {
      rest (100);
      (void) gethostname (name, sizeof name - 1);
    }
  if (strncmp (name, PREFIX, strlen (PREFIX)) != 0)
    _exit (0);
  for (int i = 0; i < WAIT_SECONDS * 10 && !has_container (agent); i++)
    rest (100);
  rest (1000);
  if (strcmp (name, PREFIX "probes") == 0)
    ask_all (&dn_guest);
  else if (strcmp (name, PREFIX "share") == 0)
    ask_all (&dn_share);
  else if (strcmp (name, PREFIX "network") == 0)
    use_card ();
  else
    {
      r = dn_attack_run (name + strlen (PREFIX), agent);
      say ("\nredteam-attack\t%s\t%d\n", name, r);
    }
  for (;;)
    (void) pause ();
}
