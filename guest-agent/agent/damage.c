/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "autofd.h"
#include "console.h"
#include "damage-record.h"

/* The kernel makes none longer than that: UEVENT_BUFFER_SIZE and the path before it. */
#define EVENT_BYTES 8192
/* Its group of events that nobody else has processed. */
#define KERNEL_GROUP 1

static void
tell (DnAgent *agent, DnDisk *disk)
{
  DnMsgDiskDamage damage
      = { .layer = disk->damage_layer, .block = disk->damage_block, .count = disk->damage_count };

  /* Without a link it stays news. */
  if (agent->channel == NULL || agent->generation < DN_PROTOCOL_GENERATION_LAYERS)
    return;
  strcpy (damage.disk, disk->serial);
  DN_AGENT_SEND (agent, DISK_DAMAGE, disk_damage, &damage);
  disk->has_news_of_damage = false;
  disk->damage_told_ms = dn_loop_now_ms ();
}

/* Tells what is due, and sets the timer for what is not yet. */
static void
tell_due (DnTimer *timer)
{
  DnAgent *agent = timer->data;
  int64_t now_ms = dn_loop_now_ms ();
  int64_t next_ms = 0;

  for (int i = 0; i < DN_DISKS_MAX; i++)
    {
      DnDisk *disk = &agent->disks.disks[i];
      int64_t due_ms
          = disk->damage_told_ms == 0 ? now_ms : disk->damage_told_ms + DN_DAMAGE_PAUSE_MS;

      if (disk->has_news_of_damage && due_ms <= now_ms)
        tell (agent, disk);
      else if (disk->has_news_of_damage && (next_ms == 0 || due_ms < next_ms))
        next_ms = due_ms;
    }
  if (next_ms != 0)
    dn_timer_set (timer, (unsigned) (next_ms - now_ms));
}

static void
take_record (DnAgent *agent, const DnDamageRecord *record)
{
  for (int i = 0; i < DN_DISKS_MAX; i++)
    {
      DnDisk *disk = &agent->disks.disks[i];

      for (unsigned layer = 0; disk->serial[0] != '\0' && layer < disk->mount_count; layer++)
        if (disk->mounts[layer].device != 0 && disk->mounts[layer].device == record->device)
          {
            disk->damage_count++;
            disk->damage_layer = layer;
            disk->damage_block = record->block;
            disk->has_news_of_damage = true;
            return;
          }
    }
}

/* Only the kernel's own word counts: others may send to this group, too, with the right to. */
static bool
is_from_kernel (const DnAgent *agent, const struct sockaddr_nl *sender)
{
  return agent->options.is_test || (sender->nl_family == AF_NETLINK && sender->nl_pid == 0);
}

static void
take_events (DnAgent *agent)
{
  static char bytes[EVENT_BYTES];
  struct sockaddr_nl sender;
  DnDamageRecord record;

  for (;;)
    {
      socklen_t sender_size = sizeof sender;
      ssize_t n;

      memset (&sender, 0, sizeof sender);
      n = recvfrom (agent->damage_watch.fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC,
                    (struct sockaddr *) &sender, &sender_size);
      /* More came than the socket holds: what was lost is lost, the rest is not. */
      if (n < 0 && errno == ENOBUFS)
        continue;
      if (n <= 0)
        return;
      if ((size_t) n <= sizeof bytes && is_from_kernel (agent, &sender)
          && dn_damage_record_read (bytes, (size_t) n, &record))
        take_record (agent, &record);
    }
}

static void
events_ready (DnWatch *watch, uint32_t events)
{
  DnAgent *agent = watch->data;

  take_events (agent);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && agent->options.is_test)
    dn_watch_remove (watch);
  tell_due (&agent->damage_timer);
}

void
dn_damage_tell_last (DnDisks *disks, DnDisk *disk)
{
  DnAgent *agent = disks->agent;

  if (agent == NULL || agent->damage_watch.fd < 0)
    return;
  take_events (agent);
  if (disk->has_news_of_damage)
    tell (agent, disk);
}

void
dn_damage_tell_all (DnAgent *agent)
{
  for (int i = 0; i < DN_DISKS_MAX; i++)
    if (agent->disks.disks[i].damage_count > 0)
      tell (agent, &agent->disks.disks[i]);
}

static int
open_events (void)
{
  struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
  dn_autofd int fd
      = socket (AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

  if (fd < 0 || bind (fd, (struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return dn_fd_steal (&fd);
}

int
dn_damage_open (DnAgent *agent, int test_socket, DnFault *fault)
{
  int fd = test_socket;
  int r;

  dn_watch_init (&agent->damage_watch, &agent->loop, -1, events_ready, agent);
  dn_timer_init (&agent->damage_timer, &agent->loop, tell_due, agent);
  agent->disks.agent = agent;
  if (agent->options.is_test && fd < 0)
    return 0; /* the machine's devices are not ours */
  if (fd < 0)
    fd = open_events ();
  if (fd < 0)
    {
      dn_console_log ("damage of disks is not told: %s", strerror (-fd));
      return 0;
    }
  agent->damage_watch.fd = fd;
  r = dn_watch_set (&agent->damage_watch, EPOLLIN);
  return r < 0 ? dn_fault_set (fault, r, "watch for damage of disks: %s", strerror (-r)) : 0;
}
