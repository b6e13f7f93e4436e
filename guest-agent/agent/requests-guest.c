/* SPDX-License-Identifier: Apache-2.0 */
/* The guest as a whole: what it is, what it has, its clock and name, its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "autofd.h"
#include "console.h"
#include "container.h"
#include "copy.h"
#include "report.h"
#include "request-handlers.h"
#include "requests.h"
#include "volume.h"

#define SHUTDOWN_MS 250 /* for the last answers and ends of containers to get away */

static void
read_line (const char *path, char *ret_text, size_t size)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read (fd, ret_text, size - 1);

  ret_text[n > 0 ? n : 0] = '\0';
  ret_text[strcspn (ret_text, "\n")] = '\0';
}

void
dn_requests_link_up (DnAgent *agent)
{
  static bool was_linked;
  DnMsgReady ready = { .agent_version = DN_VERSION };
  struct utsname names;
  struct sysinfo info;

  /* The streams of copies belong to the link they were made on. */
  dn_copies_forget_all (agent);
  read_line ("/proc/sys/kernel/random/boot_id", ready.boot_id, sizeof ready.boot_id);
  if (uname (&names) == 0)
    (void) snprintf (ready.kernel, sizeof ready.kernel, "%s", names.release);
  if (sysinfo (&info) == 0)
    ready.memory_bytes = (uint64_t) info.totalram * info.mem_unit;
  ready.processors = (uint32_t) sysconf (_SC_NPROCESSORS_ONLN);
  DN_AGENT_SEND (agent, READY, ready, &ready);
  if (!was_linked)
    dn_console_milestone (DN_MILESTONE_LINKED);
  was_linked = true;
}

int
dn_handle_ping (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Ping, ping);
  dn_agent_reply (agent, &request, 0, "");
  return 0;
}

int
dn_handle_configure (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  struct timespec now;

  DN_UNPACK (Configure, configure);
  now.tv_sec = (time_t) (message.time_ns / 1000000000);
  now.tv_nsec = (long) (message.time_ns % 1000000000);
  if (!agent->options.is_test
      && ((message.time_ns != 0 && clock_settime (CLOCK_REALTIME, &now) < 0)
          || (message.hostname[0] != '\0'
              && sethostname (message.hostname, strlen (message.hostname)) < 0)))
    dn_agent_reply (agent, &request, -errno, "the clock or the hostname cannot be set");
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static void
end_due (DnTimer *timer)
{
  /* The host waits for the end and no longer: what containers wrote is to be there then. */
  dn_volumes_sync (timer->data);
  dn_loop_end (timer->loop, 0);
}

int
dn_handle_shutdown (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Shutdown, shutdown);
  dn_containers_kill_all (agent);
  dn_agent_reply (agent, &request, 0, "");
  agent->end_timer.fired = end_due;
  dn_timer_set (&agent->end_timer, SHUTDOWN_MS);
  return 0;
}

int
dn_handle_list (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (List, list);
  dn_report_list (agent, &request);
  return 0;
}
