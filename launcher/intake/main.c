/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-intake: reads what comes from outside, in a jail for each run.
 *
 *     danchi-intake --serve FD [--config DIR]     takes orders from danchid on that socket
 *     danchi-intake --listen [--config DIR]       likewise on a socket that systemd has made
 *     danchi-intake --version
 *
 * danchid starts the first one before it gives up its own rights: what it starts later could have
 * no network (launcher/daemon/confine.h), and danchid itself never has one.  The server parses one
 * line of danchid's and forks; it reads nothing of a run.  It ends with danchid.
 *
 * Privilege: root, for the jails (jail.h).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define EXIT_USAGE 2

int
main (int argc, char **argv)
{
  static const struct option table[] = {
    { "serve", required_argument, NULL, 's' },
    { "listen", no_argument, NULL, 'l' },
    { "config", required_argument, NULL, 'c' },
    { "version", no_argument, NULL, 'v' },
    { NULL, 0, NULL, 0 },
  };
  DnServePlan plan = { .fd = -1, .config = "/etc/danchi" };
  int option;

  while ((option = getopt_long (argc, argv, "", table, NULL)) != -1)
    switch (option)
      {
      case 's':
        plan.fd = atoi (optarg);
        break;
      case 'l':
        plan.fd = DN_SERVE_LISTEN_FD;
        plan.is_listening = true;
        break;
      case 'c':
        plan.config = optarg;
        break;
      case 'v':
        puts ("danchi-intake " DN_VERSION);
        return EXIT_SUCCESS;
      default:
        return EXIT_USAGE;
      }
  if (plan.fd < 3 || optind != argc)
    {
      fprintf (stderr, "danchi-intake: danchid starts this; see docs/architecture.md\n");
      return EXIT_USAGE;
    }
  return dn_serve (&plan);
}
