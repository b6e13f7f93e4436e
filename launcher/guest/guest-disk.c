/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a disk: apart, for those who describe one and run no guest. */
#include "guest.h"

DnGuestDisk *
dn_guest_disk_new (const char *path, const char *serial, gboolean is_readonly)
{
  DnGuestDisk *disk = g_new0 (DnGuestDisk, 1);

  disk->path = g_strdup (path);
  g_strlcpy (disk->serial, serial, sizeof disk->serial);
  disk->is_readonly = is_readonly;
  return disk;
}

void
dn_guest_disk_free (DnGuestDisk *disk)
{
  if (disk == NULL)
    return;
  g_free (disk->path);
  g_free (disk);
}
