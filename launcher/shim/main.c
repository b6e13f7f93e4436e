/* SPDX-License-Identifier: Apache-2.0 */
/* containerd-shim-danchi-v2: what containerd and CRI-O run for a pod.
 *
 * Thin: it speaks containerd's protocol on one side and danchid's on the other, and moves the bytes
 * of the containers' streams.  What a pod may be and how its guest is made is danchid's.
 *
 * Runs as root, as containerd does, for whom it mounts root filesystems and opens pipes.  It reads
 * no byte of a guest's but output, which it passes on as it is, and the fixed fields of a session.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../common/error.h"
#include "actions.h"

#define EXIT_USAGE 1

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  DnShimOptions options;

  if (!dn_shim_options_read (argc, argv, &options, &error))
    {
      fprintf (stderr, "containerd-shim-danchi-v2: %s\n", error->message);
      return EXIT_USAGE;
    }
  switch (options.action)
    {
    case DN_ACTION_START:
      return dn_action_start (&options);
    case DN_ACTION_DELETE:
      return dn_action_delete (&options);
    case DN_ACTION_INFO:
      return dn_action_info ();
    case DN_ACTION_VERSION:
      printf ("containerd-shim-danchi-v2:\n  Version:  %s\n", DN_VERSION);
      return EXIT_SUCCESS;
    }
  return EXIT_FAILURE;
}
