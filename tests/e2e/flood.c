/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that floods its host by every way there is: linked into a copy of the agent that only the
 * tests put into a guest.
 *
 *   console   a process writes to the serial console without end
 *   channel   once there is a container, the queue to the host is kept full of valid messages about
 *             it that are lies
 *
 * The agent itself works on, so there can be a container whose output is the third flood.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../guest-agent/agent/agent.h"
#include "../../guest-agent/agent/channel.h"

#define QUEUE_BYTES (32 * 1024)
#define TELL_EVERY 1000

/* Names that the linker asks for. */
void __real_dn_channel_flush (DnChannel *channel);
void __wrap_dn_channel_flush (DnChannel *channel);

static void
flood_console (void)
{
  static const char lines[] = "flood of the console: fifty-odd bytes that say nothing\n"
                              "danchi-boot: 99999999999999999999\ndanchi-boot: 4\n\033[2J\377\n";

  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  for (;;)
    if (write (STDERR_FILENO, lines, sizeof lines) < 0)
      (void) usleep (1000);
}

/* The id of some container: its cgroup's name. */
static bool
find_container (char *ret_id)
{
  DIR *groups = opendir ("/sys/fs/cgroup/danchi");
  struct dirent *group;
  bool is_found = false;

  while (groups != NULL && !is_found && (group = readdir (groups)) != NULL)
    {
      size_t length = strspn (group->d_name, "0123456789abcdef");

      is_found = group->d_name[length] == '\0' && length >= 16 && length <= DN_ID_BYTES;
      if (is_found)
        memcpy (ret_id, group->d_name, length + 1);
    }
  if (groups != NULL)
    (void) closedir (groups);
  return is_found;
}

/* Two lies: of memory that ran out, and of the end of a process that nobody started. */
static int
put_lies (DnChannel *channel, const char *container)
{
  static uint32_t process;
  DnMsgOom oom;
  DnMsgExited exited = { .process = ++process };
  uint8_t payload[128];
  int r;

  strcpy (oom.container, container);
  strcpy (exited.container, container);
  r = dn_channel_put (channel, DN_MSG_OOM, 0, payload,
                      (size_t) dn_msg_oom_pack (&oom, payload, sizeof payload));
  if (r == 0)
    r = dn_channel_put (channel, DN_MSG_EXITED, 0, payload,
                        (size_t) dn_msg_exited_pack (&exited, payload, sizeof payload));
  return r;
}

/* The linker puts this between the agent's loop and its channel (--wrap). */
void
__wrap_dn_channel_flush (DnChannel *channel)
{
  static char container[DN_ID_BYTES + 1];
  static unsigned sent, told;

  if (container[0] != '\0' || find_container (container))
    while (channel->is_linked && channel->control_end - channel->control_start < QUEUE_BYTES
           && put_lies (channel, container) == 0)
      sent += 2;
  if (sent >= told + TELL_EVERY)
    {
      told = sent;
      dprintf (STDERR_FILENO, "flood: %u messages\n", sent);
    }
  __real_dn_channel_flush (channel);
}

__attribute__ ((constructor)) static void
begin (void)
{
  if (fork () == 0)
    flood_console ();
}
