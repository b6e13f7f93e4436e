/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-relay: one for each running guest, between its agent, danchid and the clients.
 *
 *     danchi-relay --guest ID --uid N --gid N --owner-uid N --control-fd N --console-fd N
 *                  --ring-fd N --lock-fd N [--empty-dir PATH]
 *
 * danchid makes all descriptors and starts it; see router.h for what it does and lockdown.h for
 * what it may do.  It ends when danchid says QUIT (0), or when something fails that it cannot do
 * without (1, with a line on standard error).  The lock's descriptor is only held: as long as this
 * process lives, so is the lock.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../confined/lockdown.h"
#include "../confined/say.h"
#include "filter.h"
#include "router.h"
#include "strongbox.h"

/* What it may map in all: the buffers of every session stalled at once, several times. */
#define ADDRESS_SPACE_BYTES (512ull * 1024 * 1024)

/* Static: 400 KiB of frame buffers have no place on the stack. */
static DnRouter router;

enum
{
  OPTION_UID,
  OPTION_GID,
  OPTION_OWNER_UID,
  OPTION_CONTROL_FD,
  OPTION_CONSOLE_FD,
  OPTION_RING_FD,
  OPTION_LOCK_FD,
  NUMBERS, /* all above are numbers, and must be given */
  OPTION_GUEST,
  OPTION_EMPTY_DIR,
};

static const struct option option_table[] = {
  { "uid", required_argument, NULL, OPTION_UID },
  { "gid", required_argument, NULL, OPTION_GID },
  { "owner-uid", required_argument, NULL, OPTION_OWNER_UID },
  { "control-fd", required_argument, NULL, OPTION_CONTROL_FD },
  { "console-fd", required_argument, NULL, OPTION_CONSOLE_FD },
  { "ring-fd", required_argument, NULL, OPTION_RING_FD },
  { "lock-fd", required_argument, NULL, OPTION_LOCK_FD },
  { "guest", required_argument, NULL, OPTION_GUEST },
  { "empty-dir", required_argument, NULL, OPTION_EMPTY_DIR },
  { NULL, 0, NULL, 0 },
};

static bool
read_number (const char *text, long *ret_number)
{
  char *end;
  long number;

  errno = 0;
  number = strtol (text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || number < 0 || number > INT32_MAX)
    return false;
  *ret_number = number;
  return true;
}

static bool
read_options (int argc, char **argv, long numbers[NUMBERS], const char **ret_empty_dir)
{
  bool is_given[NUMBERS] = { false };
  int option;

  while ((option = getopt_long (argc, argv, "", option_table, NULL)) != -1)
    {
      if (option == OPTION_EMPTY_DIR)
        *ret_empty_dir = optarg;
      else if (option >= 0 && option < NUMBERS && read_number (optarg, &numbers[option]))
        is_given[option] = true;
      else if (option != OPTION_GUEST) /* the id is there for people who look at processes */
        return false;
    }
  for (int i = 0; i < NUMBERS; i++)
    if (!is_given[i])
      {
        fprintf (stderr, "danchi-relay: --%s is missing; danchid starts this program\n",
                 option_table[i].name);
        return false;
      }
  return optind == argc;
}

static int
lock_down (const long numbers[NUMBERS], const char *empty_dir)
{
  DnLockdown plan = {
    .uid = (uid_t) numbers[OPTION_UID],
    .gid = (gid_t) numbers[OPTION_GID],
    .empty_dir = empty_dir,
    .fd_last = 2,
    .fds_max = DN_ROUTER_FDS_MAX,
    .file_max_bytes = DN_LOG_CAP_MAX_BYTES / 2 + DN_LOG_LINE_MAX_BYTES,
    .memory_max_bytes = ADDRESS_SPACE_BYTES,
    .load_filter = dn_filter_load,
  };
  const char *step;
  int r;

  for (int i = OPTION_CONTROL_FD; i <= OPTION_LOCK_FD; i++)
    if (numbers[i] > plan.fd_last)
      plan.fd_last = (int) numbers[i];
  r = dn_lockdown_run (&plan, &step);
  if (r < 0)
    dn_say ("lockdown: %s: %s", step, strerrordesc_np (-r));
  return r;
}

int
main (int argc, char **argv)
{
  long numbers[NUMBERS];
  const char *empty_dir = "/tmp";
  DnRouterOptions options;
  int r;

  if (!read_options (argc, argv, numbers, &empty_dir))
    return 2;
  /* A peer that goes away and a full log are errors of a call, not the end. */
  (void) signal (SIGPIPE, SIG_IGN);
  (void) signal (SIGXFSZ, SIG_IGN);
  (void) signal (SIGHUP, SIG_IGN);
  /* Backlogs go back to the kernel as soon as they are empty. */
  (void) mallopt (M_MMAP_THRESHOLD, 64 * 1024);
  (void) mallopt (M_TRIM_THRESHOLD, 128 * 1024);
  /* While there is a call for it; where it is refused only secrets are. */
  if (dn_strongbox_lock () < 0)
    dn_say ("%d bytes cannot be locked in memory: no secrets can be given to this guest",
            DN_STRONGBOX_BYTES);
  if (lock_down (numbers, empty_dir) < 0)
    return 1;

  options = (DnRouterOptions){ .owner_uid = (uid_t) numbers[OPTION_OWNER_UID],
                               .control_fd = (int) numbers[OPTION_CONTROL_FD],
                               .console_fd = (int) numbers[OPTION_CONSOLE_FD],
                               .ring_fd = (int) numbers[OPTION_RING_FD] };
  r = dn_router_init (&router, &options);
  while (r == 0 && !router.is_ending)
    r = dn_router_turn (&router, -1);
  if (r < 0)
    dn_say ("ends: %s", strerrordesc_np (-r));
  dn_router_clear (&router);
  return r < 0;
}
