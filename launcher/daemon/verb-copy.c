/* SPDX-License-Identifier: Apache-2.0 */
/* Files in and out of a running container.  danchid makes a socket pair, gives one end to the
 * client and the other to the relay, and is out of the data path. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "container-call.h"
#include "json-build.h"
#include "lookup.h"
#include "verbs.h"

/* A copy lasts as long as client and container take for it; a client that goes ends it at once. */
#define COPY_TIMEOUT_MS (6 * 3600 * 1000)

typedef struct
{
  DnGuest *guest;
  guint32 stream;
  const char *container;
  const char *path;
  gboolean is_in;
  int relay_fd; /* the relay's end of the socket pair */
} Copy;

static gboolean
transfer (gpointer data, GError **error)
{
  Copy *copy = data;
  gboolean is_fine
      = dn_guest_transfer (copy->guest, copy->stream, copy->is_in, copy->relay_fd, error);

  dn_fd_clear (&copy->relay_fd);
  return is_fine;
}

/* Whoever receives has to know the stream before its first byte: the relay before COPY_OUT is sent,
 * the agent before the relay begins to send. */
static gboolean
call_copy (Copy *copy, GError **error)
{
  DnMsgCopyOut out = { .stream = copy->stream };
  DnMsgCopyIn in = { .stream = copy->stream };
  DnGuestCall call = { .timeout_ms = COPY_TIMEOUT_MS, .sent_data = copy };

  g_strlcpy (out.container, copy->container, sizeof out.container);
  g_strlcpy (out.path, copy->path, sizeof out.path);
  g_strlcpy (in.container, copy->container, sizeof in.container);
  g_strlcpy (in.path, copy->path, sizeof in.path);
  call.type = copy->is_in ? DN_MSG_COPY_IN : DN_MSG_COPY_OUT;
  call.message = copy->is_in ? (gpointer) &in : (gpointer) &out;
  call.pack = copy->is_in ? (DnPackFunc) dn_msg_copy_in_pack : (DnPackFunc) dn_msg_copy_out_pack;
  call.sent = copy->is_in ? transfer : NULL;
  return (copy->is_in || transfer (copy, error)) && dn_guest_call (copy->guest, &call, error);
}

/* Gives the client its end, which is not kept here: what the one side closes is the end of file for
 * the other.  So a client that goes away needs no watching: the relay sees it. */
static gboolean
say_ready (DnRequest *request, int *fd, GError **error)
{
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) event = dn_json_node_take (object);
  DnFdList fds = { .fds = { *fd }, .count = 1 };
  gboolean is_fine;

  json_object_set_boolean_member (object, "ready", TRUE);
  is_fine = dn_request_event (request, event, &fds, error);
  dn_fd_clear (fd);
  return is_fine;
}

static JsonObject *
run_copy (DnRequest *request, gboolean is_in, GError **error)
{
  g_autofree char *name = NULL, *path = NULL;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "path", DN_JSON_STRING, TRUE, &path },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  g_autoptr (DnGuest) guest = NULL;
  int pair[2] = { -1, -1 };
  Copy copy = { .is_in = is_in, .relay_fd = -1 };
  gboolean is_fine;

  if (!dn_request_read (request, fields, error))
    return NULL;
  if (path[0] == '\0' || strlen (path) > DN_PATH_BYTES)
    {
      dn_throw (error, DN_ERROR_USAGE, "path: must have from 1 to %d bytes", DN_PATH_BYTES);
      return NULL;
    }
  container = dn_lookup_container (request, name, error);
  guest = container != NULL ? dn_container_get_guest (container, error) : NULL;
  if (guest == NULL)
    return NULL;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    {
      dn_throw_errno (error, "copy: making a socket pair");
      return NULL;
    }
  copy.guest = guest;
  copy.container = container->id;
  copy.path = path;
  copy.stream = dn_guest_take_streams (guest);
  copy.relay_fd = g_steal_fd (&pair[1]);
  is_fine = say_ready (request, &pair[0], error) && call_copy (&copy, error);
  dn_fd_clear (&copy.relay_fd);
  return is_fine ? json_object_new () : NULL;
}

DN_VERB (container_copy_out)
{
  (void) ret_fds;
  return run_copy (request, FALSE, error);
}

DN_VERB (container_copy_in)
{
  (void) ret_fds;
  return run_copy (request, TRUE, error);
}
