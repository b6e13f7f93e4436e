/* SPDX-License-Identifier: Apache-2.0 */
#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "../mapper/verity-words.h"
#include "poweroff.h"

#define DEVICE_WAIT_MS 10000
/* The kernel takes no longer one. */
#define CMDLINE_BYTES 2048

static void
read_table (DnMapperTable *ret_table)
{
  char cmdline[CMDLINE_BYTES] = ""; /* all of it NULs */
  int fd = open ("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read (fd, cmdline, sizeof cmdline - 1);
  int r;

  if (n < 0)
    dn_poweroff_failed ("read '/proc/cmdline'", errno);
  (void) close (fd);
  r = dn_verity_parse_cmdline (cmdline, ret_table);
  if (r < 0)
    dn_poweroff_failed ("find the root's table in the kernel's command line", -r);
  if (ret_table->minor != 0)
    dn_poweroff_failed ("the root's table is not for '" DN_VERITY_ROOT_DEVICE "'", 0);
}

/* A virtio disk's driver makes the device while it is loaded, so as a rule it is there; else a
 * millisecond's sleep, because a guest may have to wait for its host's disk. */
static void
wait_for_disk (const DnMapperTable *table)
{
  const struct timespec tick = { .tv_nsec = 1000 * 1000 };
  char device[64];

  if (dn_verity_find_device (table->parameters, device, sizeof device) < 0)
    dn_poweroff_failed ("find the root's disk in its table", EINVAL);
  for (int ms = 0; ms < DEVICE_WAIT_MS && access (device, F_OK) < 0; ms++)
    (void) nanosleep (&tick, NULL);
}

void
dn_verity_make_root (void)
{
  DnMapperTable table;
  int r;

  read_table (&table);
  wait_for_disk (&table);
  r = dn_mapper_make (&table, NULL);
  if (r < 0)
    dn_poweroff_failed ("make the verified root '" DN_VERITY_ROOT_DEVICE "'", -r);
}
