/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inquiry.h"
#include "report.h"
#include "socket-table.h"
#include "verify.h"

/* What is noted of a container while its cgroup is open; in the child, which looks once and ends.
 */
typedef struct
{
  const DnContainer *container;
  int *pids; /* never freed */
  size_t count;
} Subject;

static Subject subjects[DN_CONTAINERS_MAX];
static size_t subject_count;

static void
prepare (DnAgent *agent, DnContainer *container)
{
  static int pids[DN_LISTENERS_PROCESSES_MAX];

  for (DnContainer *at = agent->containers; at != NULL && subject_count < DN_CONTAINERS_MAX;
       at = at->next)
    {
      Subject *subject = &subjects[subject_count];

      if ((container != NULL && at != container) || at->is_deleting || at->cgroup.fd < 0
          || at->processes->stage != DN_PROCESS_STAGE_RUNNING)
        continue;
      subject->count = dn_cgroup_pids (&at->cgroup, pids, DN_LISTENERS_PROCESSES_MAX);
      subject->pids = calloc (subject->count + 1, sizeof *pids);
      if (subject->pids == NULL)
        _exit (1);
      memcpy (subject->pids, pids, subject->count * sizeof *pids);
      subject->container = at;
      subject_count++;
    }
}

static bool
shares_our_network (pid_t tid)
{
  char path[64];
  struct stat theirs;
  struct stat ours;

  (void) snprintf (path, sizeof path, "/proc/%d/ns/net", (int) tid);
  return stat (path, &theirs) == 0 && stat ("/proc/self/ns/net", &ours) == 0
         && theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

static int
compare_inodes (const void *a, const void *b)
{
  const DnSocket *const *one = a;
  const DnSocket *const *other = b;

  return ((*one)->inode > (*other)->inode) - ((*one)->inode < (*other)->inode);
}

/* Pid and name of the process as the container knows it. */
static void
name_owner (DnSocket *found, int pid)
{
  char path[64];

  (void) snprintf (path, sizeof path, "/proc/%d/comm", pid);
  (void) dn_facts_read_file (AT_FDCWD, path, found->entry.program, sizeof found->entry.program);
  found->entry.pid = dn_report_inner_pid (pid);
}

/* Looks for the sockets, sorted by inode, among the descriptors of one process. */
static void
find_descriptors (DnSocket **sorted, size_t count, int pid, size_t *left)
{
  char path[64];
  struct dirent *entry;
  DIR *directory;

  (void) snprintf (path, sizeof path, "/proc/%d/fd", pid);
  directory = opendir (path);
  while (directory != NULL && *left > 0 && (entry = readdir (directory)) != NULL)
    {
      char target[64];
      DnSocket key = { 0 };
      DnSocket *wanted = &key;
      DnSocket **found;
      ssize_t n = readlinkat (dirfd (directory), entry->d_name, target, sizeof target - 1);

      (*left)--;
      if (n <= 0)
        continue;
      target[n] = '\0';
      if (sscanf (target, "socket:[%" SCNu64 "]", &key.inode) != 1)
        continue;
      found = bsearch (&wanted, sorted, count, sizeof *sorted, compare_inodes);
      if (found != NULL && (*found)->entry.pid == 0)
        name_owner (*found, pid);
    }
  if (directory != NULL)
    (void) closedir (directory);
}

static void
find_owners (DnSocketTable *table, const Subject *subject)
{
  static DnSocket *sorted[DN_SOCKET_TABLE_MAX];
  size_t left = DN_LISTENERS_DESCRIPTORS_MAX;

  for (size_t i = 0; i < table->count; i++)
    sorted[i] = &table->items[i];
  qsort (sorted, table->count, sizeof *sorted, compare_inodes);
  for (size_t i = 0; i < subject->count && table->count > 0; i++)
    find_descriptors (sorted, table->count, subject->pids[i], &left);
}

static void
send_socket (const Subject *subject, const DnSocket *socket, uint32_t left_out, uint32_t request,
             int fd)
{
  DnMsgListenerEntry entry = socket->entry;
  uint32_t first_uid = subject->container->config.first_uid;
  uint8_t payload[512];
  int size;

  entry.request = request;
  entry.left_out = left_out;
  entry.uid = entry.uid >= first_uid ? entry.uid - first_uid : entry.uid;
  strcpy (entry.container, subject->container->id);
  size = dn_msg_listener_entry_pack (&entry, payload, sizeof payload);
  if (size < 0 || send (fd, payload, (size_t) size, MSG_NOSIGNAL) != size)
    _exit (1);
}

static void
tell_subject (const Subject *subject, uint32_t request, int fd)
{
  pid_t tid = dn_verify_live_thread (subject->container->processes->pid);
  bool is_shared = shares_our_network (tid);
  DnSocketTable table;
  size_t told = 0;

  if (dn_socket_table_init (&table) < 0)
    _exit (1);
  dn_socket_table_read (&table, tid);
  find_owners (&table, subject);
  for (size_t i = 0; i < table.count; i++)
    if (!is_shared || table.items[i].entry.pid != 0)
      {
        if (told < DN_LISTENERS_MAX)
          table.items[told++] = table.items[i];
        else
          table.left_out++;
      }
  for (size_t i = 0; i < told; i++)
    send_socket (subject, &table.items[i], table.left_out, request, fd);
  dn_socket_table_clear (&table);
}

static void
run (DnAgent *agent, DnContainer *container, uint32_t request, int fd)
{
  (void) agent;
  (void) container;
  for (size_t i = 0; i < subject_count; i++)
    tell_subject (&subjects[i], request, fd);
}

void
dn_listeners_start (DnAgent *agent, DnRequest request, DnContainer *container)
{
  static const DnInquiryKind kind = { .name = "listeners",
                                      .answer = DN_MSG_LISTENER_ENTRY,
                                      .deadline_ms = DN_LISTENERS_DEADLINE_MS,
                                      .run = run,
                                      .prepare = prepare };

  dn_inquiry_start (agent, request, container, &kind);
}
