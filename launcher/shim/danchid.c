/* SPDX-License-Identifier: Apache-2.0 */
#include "danchid.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../common/api.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "worker.h"

#define POLL_MS 100
#define REMOVALS 3 /* times that one is asked for where answers are lost */

void
dn_danchid_answer_clear (DnDanchidAnswer *answer)
{
  g_clear_pointer (&answer->ok, json_object_unref);
  dn_fd_list_clear (&answer->fds);
  g_clear_error (&answer->error);
}

static int
dial (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    {
      errno = ENAMETOOLONG;
      return -1;
    }
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return -1;
  return g_steal_fd (&fd);
}

static int
connect_patiently (GError **error)
{
  const char *given = g_getenv ("DANCHI_SOCKET");
  const char *path = given != NULL && *given != '\0' ? given : DN_API_SOCKET;
  gint64 deadline = g_get_monotonic_time () + DN_DANCHID_WAIT_MS * 1000;
  int fd = dial (path);

  while (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED) && g_get_monotonic_time () < deadline)
    {
      g_usleep (POLL_MS * 1000);
      fd = dial (path);
    }
  if (fd < 0)
    dn_throw (error, DN_ERROR_FAILED,
              "danchid at '%s': %s\nit must run for pods: systemctl start danchid.socket", path,
              g_strerror (errno));
  return fd;
}

static void
set_timeout (int fd, guint timeout_ms)
{
  struct timeval value = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };

  if (timeout_ms == 0)
    return;
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
  (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

static gboolean
send_request (int fd, const char *verb, JsonObject *args, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *request = json_object_new ();

  json_object_set_string_member (request, "verb", verb);
  json_object_set_object_member (request, "args", args);
  json_node_take_object (node, request);
  return dn_api_send (fd, node, NULL, error);
}

JsonObject *
dn_danchid_object (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

const char *
dn_danchid_text (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

gint64
dn_danchid_int (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_INT64
             ? json_node_get_int (node)
             : 0;
}

/* Takes one message.  Returns: FALSE after the last. */
static gboolean
take_message (JsonObject *message, DnFdList *fds, DnDanchidAnswer *answer)
{
  JsonObject *object = dn_danchid_object (message, "ok");
  const char *hint;

  if (object != NULL)
    {
      answer->ok = json_object_ref (object);
      answer->fds = *fds;
      fds->count = 0;
      return FALSE;
    }
  object = dn_danchid_object (message, "error");
  if (object == NULL)
    return TRUE; /* progress, events */
  hint = dn_danchid_text (object, "hint");
  dn_throw (&answer->error, dn_error_code_from_name (dn_danchid_text (object, "code")), "%s%s%s",
            dn_danchid_text (object, "message"), *hint != '\0' ? "\n" : "", hint);
  return FALSE;
}

static gboolean
receive_message (int fd, DnDanchidAnswer *answer)
{
  DnFdList fds = DN_FD_LIST_INIT;
  g_autoptr (JsonNode) node = dn_api_receive (fd, DN_API_ANSWER_MAX_BYTES, &fds, &answer->error);
  gboolean goes_on = FALSE;

  if (node != NULL)
    goes_on = take_message (json_node_get_object (node), &fds, answer);
  else
    {
      answer->is_lost = TRUE;
      if (answer->error == NULL)
        dn_throw (&answer->error, DN_ERROR_FAILED, "danchid: closed the connection");
    }
  dn_fd_list_clear (&fds);
  return goes_on;
}

/* On a connection of its own.  @args: stays the caller's */
static void
ask_once (const char *verb, JsonObject *args, guint timeout_ms, DnDanchidAnswer *ret_answer)
{
  dn_autofd int fd = -1;

  *ret_answer = (DnDanchidAnswer){ .fds = DN_FD_LIST_INIT };
  fd = connect_patiently (&ret_answer->error);
  if (fd >= 0)
    set_timeout (fd, timeout_ms);
  if (fd < 0 || !send_request (fd, verb, json_object_ref (args), &ret_answer->error))
    {
      ret_answer->is_lost = TRUE;
      return;
    }
  while (receive_message (fd, ret_answer))
    continue;
}

void
dn_danchid_ask (const char *verb, JsonObject *args, guint timeout_ms, DnDanchidAnswer *ret_answer)
{
  const guint times
      = g_str_equal (verb, "pod-remove") || g_str_equal (verb, "container-remove") ? REMOVALS : 1;
  const gint64 deadline_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;

  ask_once (verb, args, timeout_ms, ret_answer);
  for (guint i = 1; i < times && ret_answer->is_lost && g_get_monotonic_time () < deadline_us; i++)
    {
      dn_danchid_answer_clear (ret_answer);
      ask_once (verb, args, timeout_ms, ret_answer);
    }
  json_object_unref (args);
}

typedef struct
{
  const char *verb;
  JsonObject *args; /* owned until asked */
  guint timeout_ms;
  DnDanchidDone done;
  gpointer user_data;
  DnDanchidAnswer answer;
} Question;

static void
ask (gpointer data)
{
  Question *question = data;

  dn_danchid_ask (question->verb, question->args, question->timeout_ms, &question->answer);
}

static void
tell (gpointer data)
{
  g_autofree Question *question = data;

  question->done (&question->answer, question->user_data);
  dn_danchid_answer_clear (&question->answer);
}

void
dn_danchid_call (const char *verb, JsonObject *args, guint timeout_ms, DnDanchidDone done,
                 gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->verb = verb;
  question->args = args;
  question->timeout_ms = timeout_ms;
  question->done = done;
  question->user_data = user_data;
  dn_worker_run (ask, tell, question);
}
