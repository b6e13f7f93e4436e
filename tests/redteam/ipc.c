/* SPDX-License-Identifier: Apache-2.0 */
/* Segments, queues and semaphores that the probe did not make. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "probe.h"

/* aim.path: a table in /proc/sysvipc with a head line. */
static int
count_lines (const DnAim *aim)
{
  char line[512];
  int lines = 0;
  FILE *file = fopen (aim->path, "re");

  if (file == NULL)
    return errno;
  while (fgets (line, sizeof line, file) != NULL)
    lines++;
  (void) fclose (file);
  return lines <= 1 ? DN_SEEN_HIDDEN : 0;
}

/* aim.a: 0 segments, 1 queues, 2 semaphores; the kernel's own count in this namespace. */
static int
count_by_call (const DnAim *aim)
{
  struct shm_info segments = { 0 };
  struct msginfo queues = { 0 };
  struct seminfo semaphores = { 0 };
  int count = 0;

  if (aim->a == 0)
    count
        = shmctl (0, SHM_INFO, (struct shmid_ds *) (void *) &segments) < 0 ? -1 : segments.used_ids;
  else if (aim->a == 1)
    count = msgctl (0, MSG_INFO, (struct msqid_ds *) (void *) &queues) < 0 ? -1 : queues.msgpool;
  else
    count = semctl (0, 0, SEM_INFO, &semaphores) < 0 ? -1 : semaphores.semusz;
  return count < 0 ? errno : count == 0 ? DN_SEEN_HIDDEN : 0;
}

static int
list_directory (const DnAim *aim)
{
  DIR *directory = opendir (aim->path);
  struct dirent *entry;
  int seen = DN_SEEN_HIDDEN;

  if (directory == NULL)
    return errno;
  while ((entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.')
      seen = 0;
  (void) closedir (directory);
  return seen;
}

#define HIDDEN "hidden EACCES ENOENT"

static const DnProbe probes[] = {
  { "ipc.segments",
    "others' shared memory, listed",
    "R2.2",
    HIDDEN,
    NULL,
    count_lines,
    { .path = "/proc/sysvipc/shm" } },
  { "ipc.queues",
    "others' message queues, listed",
    "R2.2",
    HIDDEN,
    NULL,
    count_lines,
    { .path = "/proc/sysvipc/msg" } },
  { "ipc.semaphores",
    "others' semaphores, listed",
    "R2.2",
    HIDDEN,
    NULL,
    count_lines,
    { .path = "/proc/sysvipc/sem" } },
  { "ipc.segments-call",
    "others' shared memory, counted",
    "R2.2",
    "hidden EPERM ENOSYS",
    NULL,
    count_by_call,
    { .a = 0 } },
  { "ipc.queues-call",
    "others' message queues, counted",
    "R2.2",
    "hidden EPERM ENOSYS",
    NULL,
    count_by_call,
    { .a = 1 } },
  { "ipc.semaphores-call",
    "others' semaphores, counted",
    "R2.2",
    "hidden EPERM ENOSYS",
    NULL,
    count_by_call,
    { .a = 2 } },
  { "ipc.shm-files",
    "others' files in /dev/shm",
    "R5.15",
    HIDDEN,
    NULL,
    list_directory,
    { .path = "/dev/shm" } },
  { "ipc.tmp-files",
    "others' files in /tmp",
    "R5.15",
    HIDDEN,
    NULL,
    list_directory,
    { .path = DN_SCRATCH } },
};

DN_FAMILY (dn_ipc, probes);
