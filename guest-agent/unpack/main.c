/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-unpack: an image archive becomes EROFS images, in guests that live for nothing else.
 *
 * Every byte of an archive is a stranger's, and the parsers here (tar, gzip, zstd, JSON) are
 * large.  What contains them is the guest: it has no network, one image, and limits on memory,
 * disk and time; the host takes from it fixed fields and images that only guests will mount.
 * The checks in here are for a clear message, and for the image's own integrity.
 *
 *   read    the archive → manifest and config → the image's fields, and where its blobs are
 *   layer   one blob → overlayfs's form of it → EROFS
 *
 * The agent starts this program; see options.h for its command lines, report.h for its output.
 * Exit status: 0 after UNPACK_READ_DONE or UNPACK_LAYER_DONE, 1 after a REPLY that says why not.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "reading.h"
#include "report.h"
#include "unpacking.h"

static bool
run (int argc, char **argv, DnFailure *failure)
{
  static DnLayerOptions layer;
  DnReadOptions read;

  if (argc >= 2 && strcmp (argv[1], "read") == 0)
    return dn_options_read_archive (argc - 1, argv + 1, &read, failure)
           && dn_reading_run (&read, failure);
  if (argc >= 2 && strcmp (argv[1], "layer") == 0)
    return dn_options_read_layer (argc - 1, argv + 1, &layer, failure)
           && dn_unpacking_run (&layer, failure);
  return dn_fail (failure, -EINVAL, "neither 'read' nor 'layer'");
}

int
main (int argc, char **argv)
{
  DnFailure failure = { 0 };

  (void) umask (0022);
  /* A reader that is gone shows as an error of write(2). */
  (void) signal (SIGPIPE, SIG_IGN);
  if (run (argc, argv, &failure))
    return 0;
  if (failure.status == 0)
    (void) dn_fail (&failure, -EIO, "unpacking failed");
  dn_report_failure (&failure);
  return 1;
}
