/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-share: what it takes to show a guest directories of the host's.
 *
 *     danchi-share --serve FD     takes orders from danchid on that socket
 *     danchi-share --listen       likewise on a socket that systemd has made
 *     danchi-share --version
 *
 * A program of its own, because danchid does not have what it needs and is better off without: it
 * sees the host's files as they are, and goes to other mount namespaces.  It starts one virtiofsd
 * for each guest that may have binds (start.h), which goes on when this ends, and puts binds into
 * its share (place.h).  It reads danchid's orders, and nothing of a guest's.
 *
 * Privilege: root; rights.h says what of it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rights.h"
#include "server.h"

#define EXIT_USAGE 2

int
main (int argc, char **argv)
{
  static const struct option table[] = {
    { "serve", required_argument, NULL, 's' },
    { "listen", no_argument, NULL, 'l' },
    { "version", no_argument, NULL, 'v' },
    { NULL, 0, NULL, 0 },
  };
  DnSharePlan plan = { .fd = -1 };
  int option, r;

  while ((option = getopt_long (argc, argv, "", table, NULL)) != -1)
    switch (option)
      {
      case 's':
        plan.fd = atoi (optarg);
        break;
      case 'l':
        plan.fd = DN_SHARE_LISTEN_FD;
        plan.is_listening = true;
        break;
      case 'v':
        puts ("danchi-share " DN_VERSION);
        return EXIT_SUCCESS;
      default:
        return EXIT_USAGE;
      }
  if (plan.fd < 3 || optind != argc)
    {
      fprintf (stderr, "danchi-share: danchid starts this; see docs/architecture.md\n");
      return EXIT_USAGE;
    }
  r = dn_share_rights_drop ();
  if (r < 0)
    {
      fprintf (stderr, "danchi-share: giving up rights: %s\n", strerror (-r));
      return EXIT_FAILURE;
    }
  return dn_share_serve (&plan);
}
