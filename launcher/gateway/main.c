/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-gateway: guests' networks on the host.
 *
 *     danchi-gateway --serve FD      takes orders from danchid on that socket
 *     danchi-gateway --listen        likewise on a socket that systemd has made
 *     danchi-gateway --version
 *
 * danchid starts the first one before it gives up its own network (launcher/daemon/confine.h), and
 * it ends with danchid.  Guests' networks do not: they are in the kernel.
 *
 * Privilege: root at the start; lockdown.h says what is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../confined/say.h"
#include "door.h"
#include "lockdown.h"
#include "server.h"

#define EXIT_USAGE 2

/* Standard input and output are nothing, standard error a log; @fd becomes 3, all else is closed.
 */
static int
arrange (int fd)
{
  int null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null_fd < 0 || dup2 (null_fd, 0) < 0 || dup2 (null_fd, 1) < 0
      || (fd != DN_SERVE_LISTEN_FD && dup3 (fd, DN_SERVE_LISTEN_FD, O_CLOEXEC) < 0)
      || close_range (DN_SERVE_LISTEN_FD + 1, ~0u, 0) < 0)
    return -errno;
  return fcntl (DN_SERVE_LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int
main (int argc, char **argv)
{
  static const struct option table[] = {
    { "serve", required_argument, NULL, 's' },
    { "listen", no_argument, NULL, 'l' },
    { "version", no_argument, NULL, 'v' },
    { NULL, 0, NULL, 0 },
  };
  const char *step = "descriptors";
  bool is_listening = false;
  int fd = -1, door_fd = -1, option, r;

  while ((option = getopt_long (argc, argv, "", table, NULL)) != -1)
    switch (option)
      {
      case 's':
        fd = atoi (optarg);
        break;
      case 'l':
        fd = DN_SERVE_LISTEN_FD;
        is_listening = true;
        break;
      case 'v':
        puts ("danchi-gateway " DN_VERSION);
        return EXIT_SUCCESS;
      default:
        return EXIT_USAGE;
      }
  if (fd < 3 || optind != argc)
    {
      fprintf (stderr, "danchi-gateway: danchid starts this; see docs/network.md\n");
      return EXIT_USAGE;
    }
  r = arrange (fd);
  if (r == 0)
    r = door_fd = dn_door_start (DN_SERVE_LISTEN_FD);
  if (r >= 0)
    r = dn_gateway_lockdown (&step);
  if (r < 0)
    {
      fprintf (stderr, "danchi-gateway: lockdown: %s: %s\n", step, strerror (-r));
      return EXIT_FAILURE;
    }
  return dn_gateway_serve (DN_SERVE_LISTEN_FD, is_listening, door_fd);
}
