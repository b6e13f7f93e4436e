/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/api.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "answer.h"
#include "daemon-start.h"
#include "progress.h"
#include "session-mode.h"

/* How often a drawn line is brought up to date while danchid says nothing. */
#define TICK_MS 100

struct DnClient
{
  int fd; /* owned */
  gboolean is_verbose;
};

int
dn_client_dial (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = -1;

  if (strlen (path) >= sizeof address.sun_path)
    {
      errno = ENAMETOOLONG;
      return -1;
    }
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return -1;
  return g_steal_fd (&fd);
}

DnClient *
dn_client_connect (const char *path, gboolean is_verbose, GError **error)
{
  DnClient *client;
  int fd = dn_client_dial (path);

  if (fd >= 0 && dn_paths ()->is_session && !dn_session_mode_is_kept ())
    {
      dn_fd_clear (&fd);
      errno = ENOENT;
    }
  if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
    {
      /* Whoever named another socket has a danchid of their own, with its own state: one started
       * here would be the wrong one, and look as if everything were gone. */
      if (!g_str_equal (path, DN_API_SOCKET) && !dn_paths ()->is_session)
        {
          dn_throw (error, DN_ERROR_FAILED,
                    "danchid: does not run: nobody listens at '%s'\n"
                    "danchi starts only the one at %s by itself",
                    path, DN_API_SOCKET);
          return NULL;
        }
      fd = dn_daemon_start (path, error);
      if (fd < 0)
        return NULL;
    }
  if (fd < 0 && errno == EACCES)
    {
      dn_throw (error, DN_ERROR_DENIED,
                "danchid at '%s': permission denied\n"
                "root may use it, and members of the group that [access] socket_group of "
                "danchi.conf names",
                path);
      return NULL;
    }
  if (fd < 0)
    {
      dn_throw_errno (error, "danchid at '%s'", path);
      return NULL;
    }
  client = g_new0 (DnClient, 1);
  client->fd = fd;
  client->is_verbose = is_verbose;
  return client;
}

void
dn_client_free (DnClient *client)
{
  if (client == NULL)
    return;
  dn_fd_clear (&client->fd);
  g_free (client);
}

int
dn_client_fd (const DnClient *client)
{
  return client->fd;
}

gboolean
dn_client_send (DnClient *client, const char *verb, JsonObject *args, const DnFdList *fds,
                GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *request = json_object_new ();

  json_object_set_string_member (request, "verb", verb);
  json_object_set_object_member (request, "args", args != NULL ? args : json_object_new ());
  json_node_take_object (node, request);
  if (!dn_api_send (client->fd, node, fds, error))
    {
      g_prefix_error (error, "danchid: ");
      return FALSE;
    }
  return TRUE;
}

/* The error danchid sent, as ours. */
static void
throw_sent (JsonObject *sent, GError **error)
{
  const char *message = dn_answer_text (sent, "message");
  const char *hint = dn_answer_text (sent, "hint");
  DnError code = dn_error_code_from_name (dn_answer_text (sent, "code"));

  if (*hint != '\0')
    dn_throw (error, code, "%s\n%s", message, hint);
  else
    dn_throw (error, code, "%s", *message != '\0' ? message : "failed without a word");
}

/* Waits until there is something to read.  Returns: FALSE when @call's deadline came first. */
static gboolean
wait_readable (DnClient *client, const DnClientCall *call, DnProgress *progress)
{
  struct pollfd pollfd = { .fd = client->fd, .events = POLLIN };

  for (;;)
    {
      int r = poll (&pollfd, 1, TICK_MS);

      if (r > 0 || (r < 0 && errno != EINTR))
        return TRUE;
      if (call != NULL && call->deadline_us > 0 && g_get_real_time () >= call->deadline_us)
        return FALSE;
      dn_progress_tick (progress);
    }
}

typedef struct
{
  DnClient *client;
  DnClientCall *call; /* may be NULL */
  DnProgress *progress;
  int *ret_console;
  JsonObject *ok; /* (transfer full): set by the last message */
} Waiting;

/* Takes one message.  Returns: 1 to go on, 0 after "ok", -1 with @error. */
static int
take_message (Waiting *waiting, JsonObject *message, DnFdList *fds, GError **error)
{
  DnClientCall *call = waiting->call;
  JsonObject *object;

  if ((object = dn_answer_object (message, "progress")) != NULL)
    {
      dn_progress_show (waiting->progress, object);
      return 1;
    }
  if ((object = dn_answer_object (message, "event")) != NULL)
    {
      dn_progress_hide (waiting->progress);
      if (call != NULL && call->event != NULL && !call->event (object, fds, call->data, error))
        return -1;
      return 1;
    }
  if ((object = dn_answer_object (message, "ok")) != NULL)
    {
      waiting->ok = json_object_ref (object);
      if (call != NULL)
        {
          call->ret_fds = *fds;
          fds->count = 0;
        }
      return 0;
    }
  if ((object = dn_answer_object (message, "error")) != NULL)
    {
      if (fds->count > 0)
        {
          dn_fd_clear (waiting->ret_console);
          *waiting->ret_console = fds->fds[--fds->count];
        }
      throw_sent (object, error);
      return -1;
    }
  dn_throw (error, DN_ERROR_PROTOCOL, "danchid: an answer of an unknown kind");
  return -1;
}

static int
receive_one (Waiting *waiting, GError **error)
{
  DnFdList fds = DN_FD_LIST_INIT;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) local = NULL;
  int r;

  node = dn_api_receive (waiting->client->fd, DN_API_ANSWER_MAX_BYTES, &fds, &local);
  if (node == NULL)
    {
      dn_fd_list_clear (&fds);
      if (local == NULL)
        dn_throw (error, DN_ERROR_FAILED,
                  "danchid: closed the connection without an answer\n"
                  "its log says why: /var/lib/danchi/log/danchid.log");
      else
        g_propagate_prefixed_error (error, g_steal_pointer (&local), "danchid: ");
      return -1;
    }
  r = take_message (waiting, json_node_get_object (node), &fds, error);
  dn_fd_list_clear (&fds);
  return r;
}

JsonObject *
dn_client_call (DnClient *client, const char *verb, JsonObject *args, DnClientCall *call,
                int *ret_console, GError **error)
{
  g_autoptr (DnProgress) progress = dn_progress_new (client->is_verbose);
  Waiting waiting
      = { .client = client, .call = call, .progress = progress, .ret_console = ret_console };
  int r = 1;

  if (!dn_client_send (client, verb, args, call != NULL ? call->fds : NULL, error))
    return NULL;
  while (r > 0)
    {
      if (!wait_readable (client, call, progress))
        {
          call->has_passed = TRUE;
          return NULL;
        }
      r = receive_one (&waiting, error);
    }
  dn_progress_hide (progress);
  return r == 0 ? waiting.ok : NULL;
}
