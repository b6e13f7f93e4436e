/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "../base/share-order.h"
#include "answer.h"
#include "copy.h"
#include "group.h"
#include "id-map.h"
#include "layers.h"
#include "mounts.h"
#include "place.h"
#include "running.h"
#include "source.h"
#include "start.h"
#include "tree.h"

/* A source that never answers (a file server that is gone) ends its order. */
#define ORDER_SECONDS 25

enum
{
  FD_REPORT,
  FD_LISTEN,
};

/* Who appears as the container's user: the caller; of root's binds, the source's owner. */
static DnShareOwner
choose_owner (const DnShareOrder *order, const struct stat *status)
{
  const DnShareSource *source = &order->source;

  return (DnShareOwner){ .host_uid = source->uid != 0 ? source->uid : status->st_uid,
                         .host_gid = source->uid != 0 ? source->gid : status->st_gid,
                         .guest_uid = order->guest_uid,
                         .guest_gid = order->guest_gid };
}

/* For bind, and for check, which has a mount made as well, so that whatever would be refused later
 * is refused now. */
static void
bind_source (const DnShareOrder *order, DnShareAnswer *answer)
{
  struct stat status;
  int fd = dn_share_source_open (&order->source, &status, answer), tree;
  DnShareOwner owner;

  if (fd < 0)
    return;
  owner = choose_owner (order, &status);
  answer->owner_uid = owner.host_uid;
  answer->owner_gid = owner.host_gid;
  tree = dn_share_tree_make (fd, &order->source, dn_share_make_map (&owner), answer);
  (void) close (fd);
  if (tree < 0 || order->verb == DN_SHARE_CHECK)
    return;
  if (dn_share_place_enter (&order->process, answer))
    dn_share_place_put (tree, order->number, answer->is_directory, answer);
}

/* Of a pod: whatever owners its files have. */
static void
bind_pod (const DnShareOrder *order, DnShareAnswer *answer)
{
  struct stat status;
  int fd = dn_share_source_open (&order->source, &status, answer), tree;

  if (fd < 0)
    return;
  tree = dn_share_layers_are_there (fd)
             ? dn_share_layers_make (fd, &order->source, order->guest_uid, answer)
             : dn_share_tree_make (fd, &order->source, dn_share_make_pod_map (order->guest_uid),
                                   answer);
  (void) close (fd);
  if (tree >= 0 && dn_share_place_enter (&order->process, answer))
    dn_share_place_put (tree, order->number, answer->is_directory, answer);
}

/* Which part of which tmpfs it is: what the guest has in its place has as much room, and may be a
 * part of another. */
static void
describe_memory (int fd, DnShareAnswer *answer)
{
  struct statfs system;
  unsigned long long id = 0;
  char *mountinfo = dn_share_mounts_read (fd, &id);
  const char *line = mountinfo != NULL ? dn_share_mounts_find (mountinfo, id) : NULL;
  int r = mountinfo == NULL ? -errno : line == NULL ? -ENOENT : 0;

  if (r == 0)
    r = dn_share_mounts_root (line, answer->text, sizeof answer->text);
  if (r == 0 && fstatfs (fd, &system) < 0)
    r = -errno;
  if (r == 0)
    answer->size_bytes = (uint64_t) system.f_blocks * (uint64_t) system.f_bsize;
  else
    dn_share_refuse (answer, -r, "what mount it is: %s", strerror (-r));
  free (mountinfo);
}

/* What it is, and whose. */
static void
look (const DnShareOrder *order, DnShareAnswer *answer)
{
  struct stat status;
  int fd = dn_share_source_open (&order->source, &status, answer);

  if (fd < 0)
    return;
  answer->owner_uid = status.st_uid;
  answer->owner_gid = status.st_gid;
  if (answer->is_memory)
    describe_memory (fd, answer);
  (void) close (fd);
}

/* To be read, what was found by its place alone. */
static int
reopen (int found)
{
  char path[32];

  (void) snprintf (path, sizeof path, "/proc/self/fd/%d", found);
  return open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void
copy (const DnShareOrder *order, DnShareAnswer *answer)
{
  struct stat status;
  int found = dn_share_source_open (&order->source, &status, answer), fd;

  if (found < 0)
    return;
  fd = reopen (found);
  (void) close (found);
  if (fd < 0)
    dn_share_refuse (answer, errno, "%s", strerror (errno));
  else if (dn_share_place_enter (&order->process, answer))
    {
      if (order->verb == DN_SHARE_COPY)
        dn_share_copy_make (fd, order->number, order->guest_uid, answer);
      else
        dn_share_copy_refresh (fd, order->number, order->guest_uid, answer);
    }
}

static void
report (int fd, const DnShareAnswer *answer)
{
  char text[DN_SHARE_ANSWER_MAX_BYTES];
  int length = dn_share_answer_format (answer, text, sizeof text);

  if (length > 0)
    (void) send (fd, text, (size_t) length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* In the process of its own. */
static _Noreturn void
carry_out (const DnShareOrder *order, const DnFdList *fds)
{
  DnShareAnswer answer = { 0 };

  (void) signal (SIGCHLD, SIG_DFL);
  (void) alarm (ORDER_SECONDS);
  switch (order->verb)
    {
    case DN_SHARE_START:
      if (fds->count == 2)
        dn_share_start (order, fds->fds[FD_LISTEN], &answer);
      else
        dn_share_refuse (&answer, EPROTO, "no socket came");
      break;
    case DN_SHARE_CHECK:
    case DN_SHARE_BIND:
      bind_source (order, &answer);
      break;
    case DN_SHARE_POD:
      bind_pod (order, &answer);
      break;
    case DN_SHARE_LOOK:
      look (order, &answer);
      break;
    case DN_SHARE_COPY:
    case DN_SHARE_REFRESH:
      copy (order, &answer);
      break;
    case DN_SHARE_UNBIND:
      if (dn_share_place_enter (&order->process, &answer))
        dn_share_place_remove (order->number);
      break;
    case DN_SHARE_JOIN:
      dn_share_group_join (order, &answer);
      break;
    }
  report (fds->fds[FD_REPORT], &answer);
  _exit (EXIT_SUCCESS);
}

/* Beside all others that are under way.  One that could not be begun is seen by danchid: nobody
 * holds the report's other end. */
static void
begin (const DnShareOrder *order, const DnFdList *fds)
{
  DnShareAnswer refusal = { 0 };
  int ends[2];
  pid_t pid;

  if (!dn_share_running_has_room (order, &refusal))
    {
      report (fds->fds[FD_REPORT], &refusal);
      return;
    }
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return;
  pid = fork ();
  if (pid == 0)
    carry_out (order, fds);
  (void) close (ends[1]);
  if (pid > 0)
    dn_share_running_add (order, ends[0]);
  else
    (void) close (ends[0]);
}

/* One message of danchid's.  Returns: whether there may be another */
static bool
serve_one (int fd)
{
  static char text[DN_SHARE_ORDER_MAX_BYTES];
  static DnShareOrder order;
  DnFdList fds = DN_FD_LIST_INIT;
  ssize_t n = dn_fdpass_receive (fd, text, sizeof text - 1, &fds);

  if (n < 0 && (errno == EINTR || errno == EMFILE))
    return true;
  if (n <= 0)
    return false;
  text[n] = '\0';
  if (strlen (text) == (size_t) n && fds.count >= 1 && dn_share_order_parse (text, &order) == 0)
    begin (&order, &fds);
  dn_fd_list_clear (&fds);
  return true;
}

/* The socket's mode lets root alone connect; asked again here. */
static bool
is_from_us (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid ();
}

static void
accept_one (int listening)
{
  int fd = accept4 (listening, NULL, NULL, SOCK_CLOEXEC);

  if (fd < 0)
    return;
  if (is_from_us (fd))
    (void) serve_one (fd);
  (void) close (fd);
}

int
dn_share_serve (const DnSharePlan *plan)
{
  const struct rlimit none = { 0, 0 };

  /* Orders are reaped by the kernel, their report says how they ended; and so are the virtiofsd
   * that they leave behind, as long as this runs. */
  if (signal (SIGCHLD, SIG_IGN) == SIG_ERR || signal (SIGPIPE, SIG_IGN) == SIG_ERR
      || setrlimit (RLIMIT_CORE, &none) < 0 || fcntl (plan->fd, F_SETFD, FD_CLOEXEC) < 0
      || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    {
      perror ("danchi-share");
      return EXIT_FAILURE;
    }
  while (plan->is_listening)
    accept_one (plan->fd);
  while (serve_one (plan->fd))
    ;
  return EXIT_SUCCESS;
}
