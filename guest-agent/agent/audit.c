/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit-record.h"
#include "autofd.h"
#include "console.h"
#include "container.h"

/* Larger than any record of a system call: a name, a path and a few numbers. */
#define RECORD_BYTES 8192
/* In one turn, so that the rest of the loop has its turn too. */
#define RECORDS_A_TURN 128

/* Sends what has grown; all of it, or nothing while there is no link. */
static void
tell (DnContainer *container)
{
  DnAgent *agent = container->agent;
  DnRefusals *refusals = &container->refusals;

  if (agent->channel == NULL)
    return;
  for (unsigned i = 0; i < refusals->count; i++)
    {
      DnRefusal *refusal = &refusals->entries[i];
      DnMsgRefused refused = { .call = refusal->call,
                               .arch = refusal->arch,
                               .action = refusal->action,
                               .error = refusal->error,
                               .count = refusal->count };

      if (!refusal->is_untold)
        continue;
      strcpy (refused.container, container->id);
      strcpy (refused.program, refusal->program);
      DN_AGENT_SEND (agent, REFUSED, refused, &refused);
      refusal->is_untold = false;
    }
  refusals->told_ms = dn_loop_now_ms ();
}

void
dn_audit_tell_due (DnTimer *timer)
{
  tell (timer->data);
}

static void
tell_soon (DnContainer *container)
{
  int64_t since_ms = dn_loop_now_ms () - container->refusals.told_ms;

  if (container->refusals.told_ms == 0 || since_ms >= DN_REFUSALS_PAUSE_MS)
    tell (container);
  else if (!container->refusal_timer.is_running)
    dn_timer_set (&container->refusal_timer, (unsigned) (DN_REFUSALS_PAUSE_MS - since_ms));
}

static void
take_record (DnAgent *agent, const char *text, size_t size)
{
  DnAuditRecord record;

  if (!dn_audit_record_read (text, size, &record))
    return;
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    {
      const DnConfig *config = &container->config;

      if (record.uid < config->first_uid || record.uid - config->first_uid >= config->id_count)
        continue;
      if (dn_refusals_add (&container->refusals, &record, container->filter,
                           container->filter_count))
        tell_soon (container);
      return;
    }
}

/* Returns: false when nothing more is there now. */
static bool
take_message (DnAgent *agent)
{
  union
  {
    struct nlmsghdr header;
    char bytes[RECORD_BYTES];
  } message;
  ssize_t n = recv (agent->audit_watch.fd, &message, sizeof message, 0);

  /* ENOBUFS: some were dropped; the next ones are there. */
  if (n < 0)
    return errno == ENOBUFS || errno == EINTR;
  if (n > (ssize_t) NLMSG_HDRLEN && message.header.nlmsg_type == AUDIT_SECCOMP)
    take_record (agent, message.bytes + NLMSG_HDRLEN, (size_t) n - NLMSG_HDRLEN);
  return true;
}

static void
take_messages (DnAgent *agent)
{
  for (int i = 0; i < RECORDS_A_TURN && take_message (agent); i++)
    ;
}

static void
audit_ready (DnWatch *watch, uint32_t events)
{
  /* The end of a test's socket; the kernel's has none. */
  if ((events & EPOLLHUP) != 0)
    dn_watch_remove (watch);
  take_messages (watch->data);
}

void
dn_audit_hurry (DnContainer *container)
{
  if (container->agent->audit_watch.fd < 0)
    return;
  take_messages (container->agent);
  dn_timer_stop (&container->refusal_timer);
  tell (container);
}

void
dn_audit_tell_all (DnAgent *agent)
{
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    {
      for (unsigned i = 0; i < container->refusals.count; i++)
        container->refusals.entries[i].is_untold = true;
      tell (container);
    }
}

/* The kernel's answer to AUDIT_SET is there when send() returns.  0 or -errno. */
static int
take_answer (int fd)
{
  struct
  {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer;

  while (recv (fd, &answer, sizeof answer, 0) >= (ssize_t) offsetof (typeof (answer), rest))
    if (answer.header.nlmsg_type == NLMSG_ERROR)
      return answer.error.error;
  return -EPROTO;
}

static int
become_auditor (int fd)
{
  struct
  {
    struct nlmsghdr header;
    struct audit_status status;
  } order = {
    .header = { .nlmsg_len = sizeof order,
                .nlmsg_type = AUDIT_SET,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
    .status = { .mask = AUDIT_STATUS_PID | AUDIT_STATUS_FAILURE | AUDIT_STATUS_RATE_LIMIT
                        | AUDIT_STATUS_BACKLOG_LIMIT | AUDIT_STATUS_BACKLOG_WAIT_TIME,
                .pid = (uint32_t) getpid (),
                .failure = 0, /* AUDIT_FAIL_SILENT: a record that is lost is only counted */
                .rate_limit = DN_AUDIT_RATE,
                .backlog_limit = DN_AUDIT_QUEUE,
                .backlog_wait_time = 0 },
  };
  struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  if (sendto (fd, &order, sizeof order, 0, (struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return take_answer (fd);
}

int
dn_audit_open (DnAgent *agent, int test_socket, DnFault *fault)
{
  dn_autofd int fd = test_socket;
  int r;

  dn_watch_init (&agent->audit_watch, &agent->loop, -1, audit_ready, agent);
  if (agent->options.is_test && fd < 0)
    return 0; /* the machine's auditing is not ours */
  if (fd < 0)
    {
      fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
      r = fd < 0 ? -errno : become_auditor (fd);
      if (r < 0)
        {
          dn_console_log ("refused system calls are not explained: %s", strerror (-r));
          return 0;
        }
    }
  agent->audit_watch.fd = fd;
  r = dn_watch_set (&agent->audit_watch, EPOLLIN);
  if (r < 0)
    return dn_fault_set (fault, r, "watch for refused system calls: %s", strerror (-r));
  fd = -1;
  return 0;
}
