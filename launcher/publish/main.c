/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-publish: carries clients of a guest's published ports to its containers.
 *
 *     danchi-publish --guest ID --uid N --gid N --owner-uid N --control-fd N --lock-fd N
 *                    [--empty-dir PATH] [--idle-s N] [--half-closed-s N] [--connect-s N]
 *                    [--flow-s N] [--flow-new-s N] [--connections N] [--flows N]
 *
 * danchid makes all descriptors and starts it; see publisher.h for what it does and
 * ../confined/lockdown.h for what it may do.  It ends when danchid says QUIT (0), or when something
 * fails that it cannot do without (1, with a line on standard error).  The lock's descriptor is
 * only held: as long as this process lives, so is the lock.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../confined/lockdown.h"
#include "../confined/say.h"
#include "filter.h"
#include "publisher.h"

/* What it may map in all: its tables, and every connection and flow at once, several times. */
#define ADDRESS_SPACE_BYTES (256ull * 1024 * 1024)

static DnPublisher publisher;

enum
{
  OPTION_UID,
  OPTION_GID,
  OPTION_OWNER_UID,
  OPTION_CONTROL_FD,
  OPTION_LOCK_FD,
  NEEDED, /* all above must be given */
  OPTION_IDLE_S = NEEDED,
  OPTION_HALF_CLOSED_S,
  OPTION_CONNECT_S,
  OPTION_FLOW_S,
  OPTION_FLOW_NEW_S,
  OPTION_CONNECTIONS,
  OPTION_FLOWS,
  NUMBERS, /* all above are numbers */
  OPTION_GUEST,
  OPTION_EMPTY_DIR,
  OPTION_VERSION,
};

static const struct option option_table[] = {
  { "uid", required_argument, NULL, OPTION_UID },
  { "gid", required_argument, NULL, OPTION_GID },
  { "owner-uid", required_argument, NULL, OPTION_OWNER_UID },
  { "control-fd", required_argument, NULL, OPTION_CONTROL_FD },
  { "lock-fd", required_argument, NULL, OPTION_LOCK_FD },
  { "idle-s", required_argument, NULL, OPTION_IDLE_S },
  { "half-closed-s", required_argument, NULL, OPTION_HALF_CLOSED_S },
  { "connect-s", required_argument, NULL, OPTION_CONNECT_S },
  { "flow-s", required_argument, NULL, OPTION_FLOW_S },
  { "flow-new-s", required_argument, NULL, OPTION_FLOW_NEW_S },
  { "connections", required_argument, NULL, OPTION_CONNECTIONS },
  { "flows", required_argument, NULL, OPTION_FLOWS },
  { "guest", required_argument, NULL, OPTION_GUEST },
  { "empty-dir", required_argument, NULL, OPTION_EMPTY_DIR },
  { "version", no_argument, NULL, OPTION_VERSION },
  { NULL, 0, NULL, 0 },
};

static bool
read_number (const char *text, uint32_t *ret_number)
{
  char *end;
  unsigned long number;

  number = strtoul (text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || number > INT32_MAX)
    return false;
  *ret_number = (uint32_t) number;
  return true;
}

static bool
read_options (int argc, char **argv, uint32_t numbers[NUMBERS], const char **ret_empty_dir)
{
  bool is_given[NUMBERS] = { false };
  int option;

  while ((option = getopt_long (argc, argv, "", option_table, NULL)) != -1)
    {
      if (option == OPTION_VERSION)
        {
          puts ("danchi-publish " DN_VERSION);
          exit (EXIT_SUCCESS);
        }
      if (option == OPTION_EMPTY_DIR)
        *ret_empty_dir = optarg;
      else if (option >= 0 && option < NUMBERS && read_number (optarg, &numbers[option]))
        is_given[option] = true;
      else if (option != OPTION_GUEST) /* the id is there for people who look at processes */
        return false;
    }
  for (int i = 0; i < NEEDED; i++)
    if (!is_given[i])
      {
        fprintf (stderr, "danchi-publish: --%s is missing; danchid starts this program\n",
                 option_table[i].name);
        return false;
      }
  return optind == argc;
}

/* Where the host gives a process few descriptors, there are fewer connections, not errors. */
static void
fit_limits (DnPublisherLimits *limits)
{
  struct rlimit files;

  if (getrlimit (RLIMIT_NOFILE, &files) < 0)
    return;
  while (limits->connections_max > 16 && dn_publisher_fds_max (limits) > files.rlim_max)
    {
      limits->connections_max = limits->connections_max * 7 / 8;
      limits->flows_max = limits->flows_max * 7 / 8;
    }
  /* No port can take what all have. */
  limits->port_connections_max = limits->connections_max - limits->connections_max / 4;
  limits->port_flows_max = limits->flows_max / 2 + 1;
}

static int
lock_down (const uint32_t numbers[NUMBERS], const char *empty_dir, const DnPublisherLimits *limits)
{
  DnLockdown plan = {
    .uid = numbers[OPTION_UID],
    .gid = numbers[OPTION_GID],
    .empty_dir = empty_dir,
    .fd_last = 2,
    .fds_max = dn_publisher_fds_max (limits),
    .file_max_bytes = 64 * 1024 * 1024, /* its log */
    .memory_max_bytes = ADDRESS_SPACE_BYTES,
    .load_filter = dn_publish_filter_load,
  };
  const char *step;
  int r;

  for (int i = OPTION_CONTROL_FD; i <= OPTION_LOCK_FD; i++)
    if ((int) numbers[i] > plan.fd_last)
      plan.fd_last = (int) numbers[i];
  r = dn_lockdown_run (&plan, &step);
  if (r < 0)
    dn_say ("lockdown: %s: %s", step, strerrordesc_np (-r));
  return r;
}

int
main (int argc, char **argv)
{
  uint32_t numbers[NUMBERS] = {
    [OPTION_IDLE_S] = 24 * 3600,
    [OPTION_HALF_CLOSED_S] = 600,
    [OPTION_CONNECT_S] = 30,
    [OPTION_FLOW_S] = 120,
    [OPTION_FLOW_NEW_S] = 30,
    [OPTION_CONNECTIONS] = DN_PUBLISH_CONNECTIONS_MAX,
    [OPTION_FLOWS] = DN_PUBLISH_FLOWS_MAX,
  };
  const char *empty_dir = "/tmp";
  DnPublisherLimits limits;
  int r;

  if (!read_options (argc, argv, numbers, &empty_dir))
    return 2;
  limits = (DnPublisherLimits){ .connections_max = numbers[OPTION_CONNECTIONS],
                                .flows_max = numbers[OPTION_FLOWS],
                                .idle_s = numbers[OPTION_IDLE_S],
                                .half_closed_s = numbers[OPTION_HALF_CLOSED_S],
                                .connect_s = numbers[OPTION_CONNECT_S],
                                .flow_s = numbers[OPTION_FLOW_S],
                                .flow_new_s = numbers[OPTION_FLOW_NEW_S] };
  /* A peer that goes away and a full log are errors of a call, not the end. */
  (void) signal (SIGPIPE, SIG_IGN);
  (void) signal (SIGXFSZ, SIG_IGN);
  (void) signal (SIGHUP, SIG_IGN);
  fit_limits (&limits);
  if (lock_down (numbers, empty_dir, &limits) < 0)
    return 1;
  r = dn_publisher_init (&publisher, &limits, (int) numbers[OPTION_CONTROL_FD],
                         numbers[OPTION_OWNER_UID]);
  while (r == 0 && !publisher.is_ending)
    r = dn_publisher_turn (&publisher);
  if (r < 0)
    dn_say ("ends: %s", strerrordesc_np (-r));
  dn_publisher_clear (&publisher);
  return r < 0;
}
