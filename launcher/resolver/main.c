/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-resolver: one for each guest that is served names.
 *
 *     danchi-resolver --guest ID --uid N --gid N --owner-uid N [--empty-dir PATH]
 *
 * danchid makes all descriptors (base/resolver-control.h says where they are) and starts it; see
 * resolver.h for what it does, confined/lockdown.h and filter.h for what it may do.  It ends when
 * danchid says QUIT (0), or when something fails that it cannot do without (1, with a line on
 * standard error).
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../confined/lockdown.h"
#include "../confined/say.h"
#include "filter.h"
#include "resolver.h"

#define FDS_MAX 256
#define LOG_BYTES (1024 * 1024)
/* Tables, cache, and all queries at once with large answers, several times. */
#define ADDRESS_SPACE_BYTES (192ull * 1024 * 1024)

/* Static: tables of thousands of names have no place on the stack. */
static DnResolver resolver;

enum
{
  OPTION_UID,
  OPTION_GID,
  OPTION_OWNER_UID,
  NUMBERS, /* all above are numbers, and must be given */
  OPTION_GUEST,
  OPTION_EMPTY_DIR,
};

static const struct option option_table[] = {
  { "uid", required_argument, NULL, OPTION_UID },
  { "gid", required_argument, NULL, OPTION_GID },
  { "owner-uid", required_argument, NULL, OPTION_OWNER_UID },
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
        fprintf (stderr, "danchi-resolver: --%s is missing; danchid starts this program\n",
                 option_table[i].name);
        return false;
      }
  return optind == argc;
}

/* @fd, or -1 where something else lies there. */
static int
socket_or_none (int fd)
{
  int type;
  socklen_t size = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 ? fd : -1;
}

static int
lock_down (const long numbers[NUMBERS], const char *empty_dir)
{
  const DnLockdown plan = { .uid = (uid_t) numbers[OPTION_UID],
                            .gid = (gid_t) numbers[OPTION_GID],
                            .empty_dir = empty_dir,
                            .fd_last = DN_RESOLVER_FD_LAST,
                            .fds_max = FDS_MAX,
                            .file_max_bytes = LOG_BYTES,
                            .memory_max_bytes = ADDRESS_SPACE_BYTES,
                            .load_filter = dn_resolver_filter_load };
  const char *step;
  int r = dn_lockdown_run (&plan, &step);

  if (r < 0)
    dn_say ("lockdown: %s: %s", step, strerrordesc_np (-r));
  return r;
}

int
main (int argc, char **argv)
{
  long numbers[NUMBERS];
  const char *empty_dir = "/tmp";
  DnResolverOptions options = { .control_fd = DN_RESOLVER_FD_CONTROL,
                                .datagram_fds = { socket_or_none (DN_RESOLVER_FD_DATAGRAMS4),
                                                  socket_or_none (DN_RESOLVER_FD_DATAGRAMS6) },
                                .connection_fds = { socket_or_none (DN_RESOLVER_FD_CONNECTIONS4),
                                                    socket_or_none (DN_RESOLVER_FD_CONNECTIONS6) },
                                .gateway_fd = -1 };
  int r;

  if (!read_options (argc, argv, numbers, &empty_dir))
    return 2;
  options.owner_uid = (uid_t) numbers[OPTION_OWNER_UID];
  /* A peer that goes away and a full log are errors of a call, not the end. */
  (void) signal (SIGPIPE, SIG_IGN);
  (void) signal (SIGXFSZ, SIG_IGN);
  (void) signal (SIGHUP, SIG_IGN);
  (void) mallopt (M_TRIM_THRESHOLD, 128 * 1024);
  if (lock_down (numbers, empty_dir) < 0)
    return 1;

  r = dn_resolver_init (&resolver, &options);
  while (r == 0 && !resolver.is_ending)
    r = dn_resolver_turn (&resolver, -1);
  if (r < 0)
    dn_say ("ends: %s", strerrordesc_np (-r));
  /* Nothing is freed: the filter lets no more than the end pass for some of it. */
  return r < 0;
}
