/* SPDX-License-Identifier: Apache-2.0 */
#include "incumbent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/api.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"

#define ANSWER_SECONDS 10
/* It gives its clients 3 s to see that it goes (server.c). */
#define END_MS 20000

/* Returns: a connection (transfer full), -1 without @error where nobody listens, -1 with it. */
static int
dial (const char *path, GError **error)
{
  const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    {
      dn_throw (error, DN_ERROR_USAGE, "socket '%s': a path of more than %zu bytes", path,
                sizeof address.sun_path - 1);
      return -1;
    }
  if (fd >= 0 && connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    {
      (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      return g_steal_fd (&fd);
    }
  if (fd < 0 || (errno != ENOENT && errno != ECONNREFUSED))
    dn_throw_errno (error, "socket '%s'", path);
  return -1;
}

/* Returns: the number that the other side says is its own, or 0 with @error. */
static gint64
ask_pid (int fd, GError **error)
{
  g_autoptr (JsonNode) request = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) answer = NULL;
  JsonObject *object = json_object_new ();
  JsonNode *pid = NULL;

  json_object_set_string_member (object, "verb", "version");
  json_node_take_object (request, object);
  if (!dn_api_send (fd, request, NULL, error))
    return 0;
  answer = dn_api_receive (fd, DN_API_REQUEST_MAX_BYTES, NULL, error);
  if (answer == NULL && error != NULL && *error != NULL)
    return 0;
  /* Leniently: a danchid of another version may say more. */
  if (answer != NULL)
    {
      JsonNode *ok = json_object_get_member (json_node_get_object (answer), "ok");

      if (ok != NULL && JSON_NODE_HOLDS_OBJECT (ok))
        pid = json_object_get_member (json_node_get_object (ok), "pid");
    }
  if (pid == NULL || !JSON_NODE_HOLDS_VALUE (pid) || json_node_get_value_type (pid) != G_TYPE_INT64
      || json_node_get_int (pid) <= 0)
    {
      dn_throw (error, DN_ERROR_PROTOCOL, "what listens there does not answer as danchid does");
      return 0;
    }
  return json_node_get_int (pid);
}

static gboolean
end_and_wait (int pidfd, pid_t pid, GError **error)
{
  struct pollfd ended = { .fd = pidfd, .events = POLLIN };
  int r;

  if (syscall (SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
    return dn_throw_errno (error, "ending the danchid of pid %d", (int) pid);
  while ((r = poll (&ended, 1, END_MS)) < 0 && errno == EINTR)
    continue;
  if (r > 0)
    return TRUE;
  return dn_throw (error, DN_ERROR_FAILED,
                   "the danchid of pid %d was asked to end and still runs after %d s\n"
                   "guests survive its end: kill -9 %d",
                   (int) pid, END_MS / 1000, (int) pid);
}

DnIncumbent
dn_incumbent_end (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  dn_autofd int fd = dial (path, &local), pidfd = -1;
  struct ucred peer = { 0 };
  socklen_t size = sizeof peer;
  gint64 pid;

  if (fd < 0 && local == NULL)
    return DN_INCUMBENT_NONE;
  if (fd < 0)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return DN_INCUMBENT_FAILED;
    }
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0
      || (pidfd = (int) syscall (SYS_pidfd_open, peer.pid, 0)) < 0)
    {
      dn_throw_errno (error, "socket '%s': who listens", path);
      return DN_INCUMBENT_FAILED;
    }
  if (peer.uid != geteuid ())
    {
      dn_throw (error, DN_ERROR_DENIED, "socket '%s': a process of uid %u listens", path,
                (guint) peer.uid);
      return DN_INCUMBENT_FAILED;
    }
  pid = ask_pid (fd, &local);
  if (pid == 0)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "socket '%s': ", path);
      return DN_INCUMBENT_FAILED;
    }
  if (pid != peer.pid)
    return DN_INCUMBENT_KEPT;
  return end_and_wait (pidfd, peer.pid, error) ? DN_INCUMBENT_ENDED : DN_INCUMBENT_FAILED;
}
