/* SPDX-License-Identifier: Apache-2.0 */
#include "running.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#include "answer.h"

/* Of orders with a source; side by side, for poll(2). */
static uint32_t parties[DN_SHARE_RUNNING_MAX];
static struct pollfd ends[DN_SHARE_RUNNING_MAX];
static size_t count;

static void
forget_ended (void)
{
  if (poll (ends, count, 0) <= 0)
    return;
  for (size_t i = count; i > 0; i--)
    if (ends[i - 1].revents != 0)
      {
        (void) close (ends[i - 1].fd);
        count--;
        ends[i - 1] = ends[count];
        parties[i - 1] = parties[count];
      }
}

static unsigned
count_of (uint32_t party)
{
  unsigned found = 0;

  for (size_t i = 0; i < count; i++)
    found += parties[i] == party;
  return found;
}

bool
dn_share_running_has_room (const DnShareOrder *order, DnShareAnswer *answer)
{
  static const char remedy[] = "see what danchi-share's processes wait for, and mend or unmount it";

  if (!dn_share_order_has_source (order->verb))
    return true;
  forget_ended ();
  if (count_of (dn_share_order_party (order)) >= DN_SHARE_RUNNING_OF_ONE_MAX)
    dn_share_refuse (answer, EBUSY,
                     "%d earlier ones for the same do not end: a file system of the host hangs\n%s",
                     DN_SHARE_RUNNING_OF_ONE_MAX, remedy);
  else if (count == DN_SHARE_RUNNING_MAX)
    dn_share_refuse (answer, EBUSY, "%d earlier ones do not end: file systems of the host hang\n%s",
                     DN_SHARE_RUNNING_MAX, remedy);
  else
    return true;
  return false;
}

void
dn_share_running_add (const DnShareOrder *order, int fd)
{
  if (!dn_share_order_has_source (order->verb))
    {
      (void) close (fd);
      return;
    }
  parties[count] = dn_share_order_party (order);
  ends[count++] = (struct pollfd){ .fd = fd, .events = 0 };
}
