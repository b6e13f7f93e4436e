/* SPDX-License-Identifier: Apache-2.0 */
/* A container beside this one, of the same context and the same uid, that holds out everything by
 * which two processes can meet (`redteam-probe --neighbour`).  Where there is none, nothing of it
 * is found either: the runner starts one first. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

#define KEY 0x72656474
#define NAME "redteam-neighbour"
#define PORT 7265

static socklen_t
set_abstract (struct sockaddr_un *address)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  (void) memcpy (address->sun_path + 1, NAME, sizeof NAME - 1);
  return (socklen_t) (offsetof (struct sockaddr_un, sun_path) + sizeof NAME);
}

static struct sockaddr_in
get_loopback (void)
{
  return (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons (PORT),
                               .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
}

static int
make_file (const char *path)
{
  return open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
}

int
dn_neighbour_be (void)
{
  struct sockaddr_un abstract;
  struct sockaddr_in loopback = get_loopback ();
  socklen_t size = set_abstract (&abstract);
  int local = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int stream = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (shmget (KEY, 4096, IPC_CREAT | 0666) < 0 || msgget (KEY, IPC_CREAT | 0666) < 0
      || semget (KEY, 1, IPC_CREAT | 0666) < 0 || make_file (DN_SCRATCH "/" NAME) < 0
      || make_file ("/dev/shm/" NAME) < 0
      || bind (local, (const struct sockaddr *) &abstract, size) < 0 || listen (local, 8) < 0
      || bind (stream, (const struct sockaddr *) &loopback, sizeof loopback) < 0
      || listen (stream, 8) < 0)
    {
      perror ("redteam-probe: neighbour");
      return 1;
    }
  (void) mq_open ("/" NAME, O_CREAT | O_RDWR, 0666, NULL);
  printf ("neighbour\n");
  (void) fflush (stdout);
  for (;;)
    (void) pause ();
}

/* aim.a: 0 shared memory, 1 message queue, 2 semaphore */
static int
find_key (const DnAim *aim)
{
  return dn_seen (aim->a == 0   ? shmget (KEY, 0, 0)
                  : aim->a == 1 ? msgget (KEY, 0)
                                : semget (KEY, 0, 0));
}

static int
find_queue (const DnAim *aim)
{
  return dn_seen (mq_open (aim->path, O_RDONLY));
}

static int
dial_abstract (const DnAim *aim)
{
  struct sockaddr_un abstract;
  socklen_t size = set_abstract (&abstract);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  (void) aim;
  return fd < 0 ? DN_SEEN_UNKNOWN : dn_seen (connect (fd, (struct sockaddr *) &abstract, size));
}

static int
dial_loopback (const DnAim *aim)
{
  struct sockaddr_in loopback = get_loopback ();
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  (void) aim;
  return fd < 0 ? DN_SEEN_UNKNOWN
                : dn_seen (connect (fd, (struct sockaddr *) &loopback, sizeof loopback));
}

static bool
has_word (pid_t pid, const char text[DN_PROCESS_TEXT_BYTES], const void *word)
{
  (void) pid;
  return memmem (text, DN_PROCESS_TEXT_BYTES, word, strlen (word)) != NULL;
}

/* A process that was started with --neighbour. */
static int
find_process (const DnAim *aim)
{
  return dn_process_find ("cmdline", has_word, aim->path);
}

static const DnProbe probes[] = {
  { "neighbours.segment",
    "its shared memory, by key",
    "R2.2",
    "ENOENT",
    NULL,
    find_key,
    { .a = 0 } },
  { "neighbours.queue", "its message queue, by key", "R2.2", "ENOENT", NULL, find_key, { .a = 1 } },
  { "neighbours.semaphore", "its semaphore, by key", "R2.2", "ENOENT", NULL, find_key, { .a = 2 } },
  { "neighbours.mqueue",
    "its POSIX queue",
    "R2.2",
    "ENOENT ENOSYS",
    NULL,
    find_queue,
    { .path = "/" NAME } },
  { "neighbours.abstract",
    "its abstract socket (CVE-2020-15257)",
    "R2.2",
    "ECONNREFUSED",
    NULL,
    dial_abstract,
    { 0 } },
  { "neighbours.loopback",
    "its port on 127.0.0.1",
    "R5.13",
    "ECONNREFUSED",
    NULL,
    dial_loopback,
    { 0 } },
  { "neighbours.tmp",
    "its file in /tmp",
    "R5.15",
    "ENOENT",
    NULL,
    dn_attempt_open,
    { .path = DN_SCRATCH "/" NAME, .a = O_RDONLY } },
  { "neighbours.shm",
    "its file in /dev/shm",
    "R5.15",
    "ENOENT",
    NULL,
    dn_attempt_open,
    { .path = "/dev/shm/" NAME, .a = O_RDONLY } },
  { "neighbours.process",
    "its process",
    "R1.6",
    "hidden",
    NULL,
    find_process,
    { .path = "--neighbour" } },
};

DN_FAMILY (dn_neighbours, probes);
