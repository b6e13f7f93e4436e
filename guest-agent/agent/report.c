/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "autofd.h"
#include "block-limits.h"
#include "damage.h"

static void
list_one (DnAgent *agent, const DnRequest *request, const DnProcess *process)
{
  DnMsgListEntry entry = { .request = request->number,
                           .process = process->number,
                           .state = dn_process_state (process),
                           .pid = (uint32_t) process->pid,
                           .streams = process->stream_base,
                           .flags = process->flags };

  strcpy (entry.container, process->container->id);
  DN_AGENT_SEND (agent, LIST_ENTRY, list_entry, &entry);
  if (process->stage == DN_PROCESS_STAGE_ENDED)
    dn_process_send_exited (process);
}

void
dn_report_list (DnAgent *agent, DnRequest *request)
{
  DnContainer *container;
  DnProcess *process;

  for (container = agent->containers; container != NULL; container = container->next)
    if (!container->is_deleting)
      list_one (agent, request, container->processes);
  for (container = agent->containers; container != NULL; container = container->next)
    if (!container->is_deleting)
      for (process = container->processes->next; process != NULL; process = process->next)
        if (!dn_process_is_check (process))
          list_one (agent, request, process);
  for (container = agent->containers; container != NULL; container = container->next)
    if (!container->is_deleting)
      dn_health_tell (&container->health);
  dn_audit_tell_all (agent);
  dn_damage_tell_all (agent);
  dn_agent_reply (agent, request, 0, "");
}

/* Sums "rbytes=N" and "wbytes=N" of io.stat over the devices that the container reaches, not over
 * those that they stand on; none where there is no controller. */
static void
read_io (const DnCgroup *cgroup, DnMsgStatsEntry *entry)
{
  dn_autofd int fd = dn_cgroup_open_file (cgroup, "io.stat");
  char text[4096];
  ssize_t n = fd < 0 ? -1 : read (fd, text, sizeof text - 1);
  bool is_topmost = true;
  char *rest = text;
  char *word;

  if (n <= 0)
    return;
  text[n] = '\0';
  /* "MAJOR:MINOR rbytes=N wbytes=N ..." */
  while ((word = strsep (&rest, " \n")) != NULL)
    {
      if (strchr (word, ':') != NULL)
        is_topmost = dn_block_is_topmost (word);
      else if (is_topmost && strncmp (word, "rbytes=", 7) == 0)
        entry->read_bytes += strtoull (word + 7, NULL, 10);
      else if (is_topmost && strncmp (word, "wbytes=", 7) == 0)
        entry->written_bytes += strtoull (word + 7, NULL, 10);
    }
}

static uint64_t
read_available_memory (void)
{
  dn_autofd int fd = open ("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  char text[1024];
  ssize_t n = fd < 0 ? -1 : read (fd, text, sizeof text - 1);
  const char *at;

  if (n <= 0)
    return 0;
  text[n] = '\0';
  at = strstr (text, "MemAvailable:");
  return at != NULL ? strtoull (at + strlen ("MemAvailable:"), NULL, 10) * 1024 : 0;
}

static void
take_time_and_memory (DnMsgStatsEntry *entry)
{
  struct timespec now;
  struct sysinfo info;
  uint64_t available = read_available_memory ();

  (void) clock_gettime (CLOCK_REALTIME, &now);
  entry->time_ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
  if (sysinfo (&info) == 0)
    {
      entry->guest_memory_bytes = (uint64_t) info.totalram * info.mem_unit;
      entry->guest_memory_used_bytes = entry->guest_memory_bytes - available;
    }
}

void
dn_report_guest_stats (DnAgent *agent, DnRequest *request)
{
  DnMsgStatsEntry entry = { .request = request->number };
  struct sysinfo info;

  take_time_and_memory (&entry);
  if (sysinfo (&info) == 0)
    entry.pids = info.procs;
  DN_AGENT_SEND (agent, STATS_ENTRY, stats_entry, &entry);
  dn_agent_reply (agent, request, 0, "");
}

void
dn_report_stats (DnContainer *container, DnRequest *request)
{
  const DnCgroup *cgroup = &container->cgroup;
  DnMsgStatsEntry entry = { .request = request->number };

  take_time_and_memory (&entry);
  entry.cpu_us = dn_cgroup_read (cgroup, "cpu.stat", "usage_usec", 0);
  entry.cpu_user_us = dn_cgroup_read (cgroup, "cpu.stat", "user_usec", 0);
  entry.cpu_system_us = dn_cgroup_read (cgroup, "cpu.stat", "system_usec", 0);
  entry.throttled_us = dn_cgroup_read (cgroup, "cpu.stat", "throttled_usec", 0);
  entry.memory_bytes = dn_cgroup_read (cgroup, "memory.current", NULL, 0);
  entry.memory_cache_bytes = dn_cgroup_read (cgroup, "memory.stat", "file", 0);
  entry.memory_limit_bytes = dn_cgroup_read (cgroup, "memory.max", NULL, DN_LIMIT_NONE);
  entry.oom_kills = dn_cgroup_read (cgroup, "memory.events", "oom_kill", 0);
  entry.pids = dn_cgroup_read (cgroup, "pids.current", NULL, 0);
  entry.pids_limit = dn_cgroup_read (cgroup, "pids.max", NULL, DN_LIMIT_NONE);
  read_io (cgroup, &entry);
  if (container->card != NULL && container->card->has_card
      && container->agent->generation >= DN_PROTOCOL_GENERATION_OUTSIDE)
    {
      DnMsgCardStats card = { .request = request->number };

      dn_card_count (container->card, &card);
      DN_AGENT_SEND (container->agent, CARD_STATS, card_stats, &card);
    }
  DN_AGENT_SEND (container->agent, STATS_ENTRY, stats_entry, &entry);
  dn_agent_reply (container->agent, request, 0, "");
}

static ssize_t
read_proc (int pid, const char *file, char *ret_text, size_t size)
{
  char path[64];
  dn_autofd int fd = -1;
  ssize_t n;

  (void) snprintf (path, sizeof path, "/proc/%d/%s", pid, file);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  n = fd < 0 ? -1 : read (fd, ret_text, size - 1);
  ret_text[n > 0 ? n : 0] = '\0';
  return n;
}

/* The pid as the innermost namespace sees it: the last number of NSpid.  @ret_levels: how many
 * namespaces see it. */
static uint32_t
inner_pid (const char *status, unsigned *ret_levels)
{
  const char *at = strstr (status, "\nNSpid:");
  uint32_t pid = 0;

  *ret_levels = 0;
  if (at == NULL)
    return 0;
  at += strlen ("\nNSpid:");
  for (; *at == '\t' || *at == ' '; (*ret_levels)++)
    pid = (uint32_t) strtoul (at, (char **) &at, 10);
  return pid;
}

uint32_t
dn_report_inner_pid (int pid)
{
  char status[2048];
  unsigned levels;

  return pid > 0 && read_proc (pid, "status", status, sizeof status) > 0
             ? inner_pid (status, &levels)
             : 0;
}

/* 0 where that is outside, as the process itself is told: the agent, of the first and of exec's. */
static uint32_t
inner_parent (int ppid, unsigned levels)
{
  char status[2048];
  unsigned parents;
  uint32_t pid = ppid > 0 && read_proc (ppid, "status", status, sizeof status) > 0
                     ? inner_pid (status, &parents)
                     : 0;

  return pid != 0 && parents == levels ? pid : 0;
}

/* Fills what /proc/PID/stat says.  The program's name in it may hold anything: look behind the
 * last parenthesis. */
static bool
read_stat (int pid, DnMsgTopEntry *entry, int *ret_ppid)
{
  char text[1024];
  const uint64_t tick_us = 1000000 / (uint64_t) sysconf (_SC_CLK_TCK);
  unsigned long long user = 0;
  unsigned long long system = 0;
  unsigned long long started = 0;
  long long pages = 0;
  char state = '?';
  const char *rest;

  if (read_proc (pid, "stat", text, sizeof text) <= 0 || (rest = strrchr (text, ')')) == NULL
      || sscanf (rest,
                 ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d "
                 "%llu %*u %lld",
                 &state, ret_ppid, &user, &system, &started, &pages)
             != 6)
    return false;
  entry->state = (uint8_t) state;
  entry->cpu_us = (user + system) * tick_us;
  entry->started_us = started * tick_us;
  entry->rss_bytes = pages < 0 ? 0 : (uint64_t) pages * (uint64_t) sysconf (_SC_PAGESIZE);
  return true;
}

/* started_us of /proc is since boot; the host wants the time of day. */
static uint64_t
boot_time_us (void)
{
  struct timespec real;
  struct timespec boot;

  (void) clock_gettime (CLOCK_REALTIME, &real);
  (void) clock_gettime (CLOCK_BOOTTIME, &boot);
  return (uint64_t) (real.tv_sec - boot.tv_sec) * 1000000 + (uint64_t) (real.tv_nsec / 1000)
         - (uint64_t) (boot.tv_nsec / 1000);
}

static void
send_process (DnContainer *container, const DnRequest *request, int pid)
{
  DnMsgTopEntry entry = { .request = request->number };
  char status[2048];
  char command[DN_COMMAND_BYTES + 1];
  const char *uid;
  unsigned levels;
  ssize_t n;
  int ppid = 0;

  if (read_proc (pid, "status", status, sizeof status) <= 0 || !read_stat (pid, &entry, &ppid))
    return; /* ended meanwhile */
  entry.started_us += boot_time_us ();
  entry.pid = inner_pid (status, &levels);
  entry.ppid = inner_parent (ppid, levels);
  uid = strstr (status, "\nUid:");
  entry.uid
      = uid != NULL ? (uint32_t) strtoul (uid + 5, NULL, 10) - container->config.first_uid : 0;
  n = read_proc (pid, "cmdline", command, sizeof command);
  for (ssize_t i = 0; i + 1 < n; i++)
    if (command[i] == '\0')
      command[i] = ' ';
  strcpy (entry.command, command);
  DN_AGENT_SEND (container->agent, TOP_ENTRY, top_entry, &entry);
}

void
dn_report_top (DnContainer *container, DnRequest *request)
{
  static int pids[DN_REPORT_PROCESSES_MAX];
  size_t count = container->cgroup.fd < 0
                     ? 0
                     : dn_cgroup_pids (&container->cgroup, pids, DN_REPORT_PROCESSES_MAX);

  for (size_t i = 0; i < count; i++)
    send_process (container, request, pids[i]);
  dn_agent_reply (container->agent, request, 0, "");
}
