/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "container.h"
#include "report.h"

/* The kernel hands on a record whole or not at all. */
#define RECORD_BYTES 8192
#define RECORDS_A_TURN 64

static void
note (DnAgent *agent, const DnVictimRecord *record)
{
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    {
      const DnConfig *config = &container->config;

      if (record->uid < config->first_uid || record->uid - config->first_uid >= config->id_count)
        continue;
      container->victim = *record;
      /* While it is still there to be asked; it may be gone. */
      container->victim.pid = dn_report_inner_pid ((int) record->pid);
      container->victim.uid = record->uid - config->first_uid;
      container->has_untold_victim = true;
      return;
    }
}

/* Returns: false when nothing more is there now. */
static bool
take_record (DnAgent *agent)
{
  static char text[RECORD_BYTES];
  DnVictimRecord record;
  ssize_t n = read (agent->victim_watch.fd, text, sizeof text);

  /* EPIPE: some were written over; the next ones are there. */
  if (n < 0)
    return errno == EPIPE || errno == EINTR || errno == EINVAL;
  if (n > 0 && dn_victim_record_read (text, (size_t) n, &record))
    note (agent, &record);
  return n > 0;
}

void
dn_victim_take (DnAgent *agent)
{
  if (agent->victim_watch.fd < 0)
    return;
  for (int i = 0; i < RECORDS_A_TURN && take_record (agent); i++)
    ;
}

static void
log_ready (DnWatch *watch, uint32_t events)
{
  /* The end of a test's socket; the kernel's log has none. */
  if ((events & EPOLLHUP) != 0)
    dn_watch_remove (watch);
  dn_victim_take (watch->data);
}

void
dn_victim_tell (DnContainer *container)
{
  DnAgent *agent = container->agent;
  DnMsgOomVictim victim = { .pid = container->victim.pid,
                            .uid = container->victim.uid,
                            .memory_bytes = container->victim.memory_bytes };

  if (!container->has_untold_victim || agent->generation < DN_PROTOCOL_GENERATION_OUTSIDE)
    return;
  container->has_untold_victim = false;
  strcpy (victim.container, container->id);
  strcpy (victim.program, container->victim.program);
  DN_AGENT_SEND (agent, OOM_VICTIM, oom_victim, &victim);
}

void
dn_victim_open (DnAgent *agent, int test_log)
{
  int fd = test_log;

  dn_watch_init (&agent->victim_watch, &agent->loop, -1, log_ready, agent);
  if (fd < 0 && !agent->options.is_test)
    fd = open ("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    {
      if (!agent->options.is_test)
        dn_console_log ("the kernel's log cannot be read: victims of memory go unnamed");
      return;
    }
  /* What came before is nobody's end. */
  (void) lseek (fd, 0, SEEK_END);
  agent->victim_watch.fd = fd;
  (void) dn_watch_set (&agent->victim_watch, EPOLLIN);
}
