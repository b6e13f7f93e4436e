/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/api.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "gate.h"
#include "json-build.h"
#include "request-record.h"
#include "verbs.h"

#define BACKLOG 128
#define LISTEN_FD_FIRST 3 /* sd_listen_fds(3) */
#define STOP_WAIT_US (3 * G_USEC_PER_SEC)
#define GROUP_ENTRY_BYTES (1024 * 1024)

struct DnServer
{
  DnDaemon *daemon;
  int fd;
  char *path; /* owned; NULL for systemd's socket */
  guint source;
  GMutex lock;
  GCond left;
  GPtrArray *clients; /* Client, borrowed */
};

typedef struct
{
  DnServer *server;
  int socket;
  DnCaller caller;
} Client;

static JsonNode *
error_message (const GError *error)
{
  JsonObject *outer = json_object_new ();
  JsonObject *inner = json_object_new ();
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", 2);
  DnError code = error->domain == DN_ERROR ? (DnError) error->code : DN_ERROR_FAILED;
  g_autofree char *message = g_utf8_make_valid (lines[0] != NULL ? lines[0] : "", -1);

  json_object_set_string_member (inner, "code", dn_error_code_to_name (code));
  json_object_set_string_member (inner, "message", message);
  if (lines[0] != NULL && lines[1] != NULL)
    {
      g_autofree char *hint = g_utf8_make_valid (lines[1], -1);

      json_object_set_string_member (inner, "hint", hint);
    }
  json_object_set_object_member (outer, "error", inner);
  return dn_json_node_take (outer);
}

static gboolean
send_error (int socket, const GError *error, int console_fd)
{
  g_autoptr (JsonNode) message = error_message (error);
  DnFdList fds = { .fds = { console_fd }, .count = console_fd >= 0 ? 1 : 0 };

  return dn_api_send (socket, message, fds.count > 0 ? &fds : NULL, NULL);
}

/* Fills @request's verb and arguments. */
static gboolean
read_message (DnRequest *request, JsonObject *message, GError **error)
{
  g_autofree char *verb = NULL;
  g_autoptr (GError) local = NULL;
  const DnJsonField fields[] = {
    { "verb", DN_JSON_STRING, TRUE, &verb },
    { "args", DN_JSON_OBJECT, FALSE, &request->args },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (message, fields, "request", &local))
    return dn_throw (error, DN_ERROR_USAGE, "%s", local->message);
  request->verb = dn_verb_find (verb);
  if (request->verb == NULL)
    {
      g_autofree char *shown = dn_text_clean (verb, 80);

      return dn_throw (error, DN_ERROR_USAGE,
                       "verb '%s': this danchid has none of this name\nclient and danchid may be "
                       "of different versions: see danchi version",
                       shown);
    }
  if (request->args == NULL)
    request->args = json_object_new ();
  return TRUE;
}

static const char *
asked_verb (JsonObject *message)
{
  JsonNode *node = json_object_get_member (message, "verb");

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static JsonObject *
run_verb (DnRequest *request, JsonObject *message, DnFdList *ret_fds, GError **error)
{
  if (!read_message (request, message, error) || !dn_gate_pass (request, error)
      || !dn_request_record_before (request, error))
    return NULL;
  return request->verb->func (request, ret_fds, error);
}

/* Nothing is done without a line in the audit record, nor answered without one. */
static JsonObject *
run_recorded (DnRequest *request, JsonObject *message, DnFdList *ret_fds, GError **error)
{
  g_auto (DnRequestRecord) record = { 0 };
  JsonObject *ok;

  dn_request_record_begin (request, &record, asked_verb (message));
  ok = run_verb (request, message, ret_fds, error);
  ok = dn_request_record_after (request, ok, error);
  if (ok == NULL)
    dn_fd_list_clear (ret_fds);
  request->record = NULL;
  return ok;
}

/* Returns: whether the connection can go on. */
static gboolean
answer (Client *client, JsonObject *message, DnFdList *request_fds)
{
  g_autoptr (DnTrace) trace = dn_trace_new ();
  DnRequest request = { .daemon = client->server->daemon,
                        .caller = &client->caller,
                        .socket = client->socket,
                        .fds = *request_fds,
                        .trace = trace,
                        .console_fd = -1 };
  DnFdList fds = DN_FD_LIST_INIT;
  g_autoptr (GError) error = NULL;
  JsonObject *ok;
  gboolean is_fine;

  *request_fds = (DnFdList) DN_FD_LIST_INIT;
  dn_trace_begin (trace, "request");
  dn_caller_name (&client->caller);
  ok = run_recorded (&request, message, &fds, &error);
  dn_fd_list_clear (&request.fds);
  g_clear_pointer (&request.args, json_object_unref);
  g_clear_pointer (&request.rule, g_free);
  if (ok != NULL)
    {
      JsonObject *outer = json_object_new ();
      g_autoptr (JsonNode) node = dn_json_node_take (outer);

      json_object_set_object_member (outer, "ok", ok);
      is_fine = dn_api_send (client->socket, node, &fds, NULL);
    }
  else
    {
      if (error == NULL)
        dn_throw (&error, DN_ERROR_FAILED, "danchid: the request failed without a reason");
      is_fine = send_error (client->socket, error, request.console_fd);
    }
  dn_fd_list_clear (&fds);
  dn_fd_clear (&request.console_fd);
  return is_fine;
}

/* Until the next request begins, or the client goes. */
static gboolean
wait_for_request (int socket)
{
  struct pollfd entry = { .fd = socket, .events = POLLIN };

  while (poll (&entry, 1, -1) < 0)
    if (errno != EINTR)
      return FALSE;
  return (entry.revents & POLLIN) != 0;
}

static void
serve (Client *client)
{
  gboolean goes_on = TRUE;

  while (goes_on && wait_for_request (client->socket))
    {
      DnFdList fds = DN_FD_LIST_INIT;
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) message
          = dn_api_receive (client->socket, DN_API_REQUEST_MAX_BYTES, &fds, &error);

      if (message != NULL)
        goes_on = answer (client, json_node_get_object (message), &fds);
      else
        {
          /* After a broken message nothing more can be understood. */
          if (error != NULL)
            {
              dn_request_record_refused (client->server->daemon, &client->caller, error);
              (void) send_error (client->socket, error, -1);
            }
          goes_on = FALSE;
        }
      dn_fd_list_clear (&fds);
    }
}

static void
free_client (Client *client)
{
  dn_fd_clear (&client->socket);
  dn_caller_clear (&client->caller);
  g_free (client);
}

/* Out of the server's list, and gone. */
static void
leave (Client *client)
{
  DnServer *server = client->server;

  g_mutex_lock (&server->lock);
  g_ptr_array_remove_fast (server->clients, client);
  free_client (client);
  g_cond_broadcast (&server->left);
  g_mutex_unlock (&server->lock);
}

/* Lists of a thousand contexts leave heaps full of small holes, which free(3) does not give back.
 * At most once a second: it takes some milliseconds, and nobody waits for it. */
static void
give_back_memory (void)
{
  static gint64 next_us;
  static GMutex lock;

  if (!g_mutex_trylock (&lock))
    return;
  if (g_get_monotonic_time () >= next_us)
    {
      (void) malloc_trim (0);
      next_us = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
    }
  g_mutex_unlock (&lock);
}

static gpointer
run_client (gpointer data)
{
  serve (data);
  leave (data);
  give_back_memory ();
  return NULL;
}

static void
set_timeouts (int socket)
{
  const struct timeval time = { .tv_sec = DN_SERVER_REQUEST_TIMEOUT_S };

  (void) setsockopt (socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  (void) setsockopt (socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

static gboolean
admit (DnServer *server, Client *client, GError **error)
{
  const DnCaller *caller = &client->caller;
  guint of_uid = 0, of_users = 0, count;
  gboolean is_root;

  if (!dn_caller_read (client->socket, &client->caller, error))
    return FALSE;
  is_root = dn_caller_is_root (caller);
  /* A session is one user's.  Others have no number here, and so could not be told apart. */
  if (dn_paths ()->is_session && !is_root)
    return dn_throw (error, DN_ERROR_DENIED,
                     "danchid: this is another user's session\nuse danchi --session for your own");
  g_mutex_lock (&server->lock);
  count = server->clients->len;
  for (guint i = 0; i < count; i++)
    {
      const DnCaller *other = &((Client *) server->clients->pdata[i])->caller;

      of_uid += other->uid == caller->uid;
      of_users += !dn_caller_is_root (other);
    }
  g_mutex_unlock (&server->lock);
  if (!is_root && of_uid >= DN_SERVER_CLIENTS_OF_ONE_UID)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "danchid: uid %u has %d connections, which is the most for one user",
                     caller->uid, DN_SERVER_CLIENTS_OF_ONE_UID);
  if (count >= DN_SERVER_CLIENTS_MAX || (!is_root && of_users >= DN_SERVER_CLIENTS_OF_USERS))
    return dn_throw (error, DN_ERROR_LIMIT, "danchid: has as many connections as it takes");
  return TRUE;
}

static gboolean
accept_client (gint fd, GIOCondition condition, gpointer data)
{
  DnServer *server = data;
  int socket = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
  g_autoptr (GError) error = NULL;
  Client *client;
  GThread *thread;

  (void) condition;
  if (socket < 0)
    {
      if (errno == EMFILE || errno == ENFILE)
        g_usleep (100000); /* the loop would spin otherwise; the backlog keeps them */
      return G_SOURCE_CONTINUE;
    }
  set_timeouts (socket);
  client = g_new0 (Client, 1);
  client->server = server;
  client->socket = socket;
  if (!admit (server, client, &error))
    {
      dn_request_record_refused (server->daemon, &client->caller, error);
      (void) send_error (socket, error, -1);
      free_client (client);
      return G_SOURCE_CONTINUE;
    }
  g_mutex_lock (&server->lock);
  g_ptr_array_add (server->clients, client);
  g_mutex_unlock (&server->lock);
  thread = g_thread_try_new ("client", run_client, client, &error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return G_SOURCE_CONTINUE;
    }
  g_warning ("server: %s", error->message);
  leave (client);
  return G_SOURCE_CONTINUE;
}

/* systemd's socket, or -1: for this very process, one descriptor, a listening unix socket. */
static int
take_systemd_socket (void)
{
  const char *pid = g_getenv ("LISTEN_PID"), *count = g_getenv ("LISTEN_FDS");
  guint64 number;
  int is_listening = 0, domain = 0;
  socklen_t size = sizeof is_listening;

  if (pid == NULL || count == NULL || !g_str_equal (count, "1")
      || !g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &number, NULL)
      || (pid_t) number != getpid ())
    return -1;
  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDS");
  if (getsockopt (LISTEN_FD_FIRST, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) < 0
      || getsockopt (LISTEN_FD_FIRST, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0
      || is_listening == 0 || domain != AF_UNIX)
    return -1;
  (void) g_unix_set_fd_nonblocking (LISTEN_FD_FIRST, TRUE, NULL);
  (void) fcntl (LISTEN_FD_FIRST, F_SETFD, FD_CLOEXEC);
  return LISTEN_FD_FIRST;
}

static int
bind_socket (const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mode_t old_mask;
  int r;

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    {
      dn_throw (error, DN_ERROR_USAGE, "socket '%s': a path of more than %zu bytes", path,
                sizeof address.sun_path - 1);
      return -1;
    }
  if (fd < 0 || (unlink (path) < 0 && errno != ENOENT))
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  /* The mask instead of a chmod afterwards: there is no moment at which others could connect. */
  old_mask = umask (0177);
  r = bind (fd, (struct sockaddr *) &address, sizeof address);
  (void) umask (old_mask);
  if (r < 0 || listen (fd, BACKLOG) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

DnServer *
dn_server_listen (const char *path, GError **error)
{
  DnServer *server;
  int fd = take_systemd_socket ();
  gboolean is_own = fd < 0;

  if (is_own)
    fd = bind_socket (path, error);
  if (fd < 0)
    return NULL;
  server = g_new0 (DnServer, 1);
  server->fd = fd;
  server->path = is_own ? g_strdup (path) : NULL;
  g_mutex_init (&server->lock);
  g_cond_init (&server->left);
  server->clients = g_ptr_array_new ();
  return server;
}

/* The socket's group and mode, by its path: of a bound socket's descriptor they cannot be changed.
 * Its directory is root's. */
static gboolean
let_in (DnServer *server, const char *group, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  socklen_t size = sizeof address;
  g_autofree char *buffer = g_malloc (GROUP_ENTRY_BYTES);
  struct group entry, *found = NULL;

  if (g_str_equal (group, "root"))
    return TRUE;
  if (getgrnam_r (group, &entry, buffer, GROUP_ENTRY_BYTES, &found) != 0 || found == NULL)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s/danchi.conf': [access] socket_group: this host has no group "
                     "'%s'\nmake it with groupadd, or leave the key out",
                     dn_paths ()->config, group);
  if (getsockname (server->fd, (struct sockaddr *) &address, &size) < 0
      || lchown (address.sun_path, (uid_t) -1, found->gr_gid) < 0
      || chmod (address.sun_path, 0660) < 0)
    return dn_throw_errno (error, "socket: letting in group '%s'", group);
  return TRUE;
}

gboolean
dn_server_run (DnServer *server, DnDaemon *daemon, GError **error)
{
  if (!let_in (server, daemon->settings->access.socket_group, error))
    return FALSE;
  server->daemon = daemon;
  server->source = g_unix_fd_add (server->fd, G_IO_IN, accept_client, server);
  return TRUE;
}

void
dn_server_stop (DnServer *server)
{
  gint64 end_us = g_get_monotonic_time () + STOP_WAIT_US;

  (void) g_source_remove (server->source);
  if (server->path != NULL)
    (void) unlink (server->path);
  dn_fd_clear (&server->fd);
  g_mutex_lock (&server->lock);
  /* Those who wait for something see that as a client that has gone. */
  for (guint i = 0; i < server->clients->len; i++)
    (void) shutdown (((Client *) server->clients->pdata[i])->socket, SHUT_RD);
  while (server->clients->len > 0)
    if (!g_cond_wait_until (&server->left, &server->lock, end_us))
      break;
  g_mutex_unlock (&server->lock);
}
