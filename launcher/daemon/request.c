/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <poll.h>

#include "../common/api.h"
#include "../common/error.h"
#include "json-build.h"

gboolean
dn_request_read (DnRequest *request, const DnJsonField *fields, GError **error)
{
  g_autoptr (GError) local = NULL;

  return dn_json_read (request->args, fields, "request", &local)
         || dn_throw (error, DN_ERROR_USAGE, "%s", local->message);
}

static gboolean
send_member (DnRequest *request, const char *name, JsonNode *value, const DnFdList *fds,
             GError **error)
{
  g_autoptr (JsonNode) message = dn_json_node_take (json_object_new ());

  json_object_set_member (json_node_get_object (message), name, json_node_ref (value));
  return dn_api_send (request->socket, message, fds, error);
}

void
dn_request_progress (DnRequest *request, const char *step, guint64 done, guint64 total)
{
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) node = dn_json_node_take (object);

  json_object_set_string_member (object, "step", step);
  json_object_set_int_member (object, "phase", request->steps);
  if (total > 0)
    {
      json_object_set_int_member (object, "done", (gint64) MIN (done, G_MAXINT64));
      json_object_set_int_member (object, "total", (gint64) MIN (total, G_MAXINT64));
    }
  (void) send_member (request, "progress", node, NULL, NULL);
}

gboolean
dn_request_event (DnRequest *request, JsonNode *event, const DnFdList *fds, GError **error)
{
  return send_member (request, "event", event, fds, error);
}

gboolean
dn_request_is_gone (DnRequest *request)
{
  struct pollfd entry = { .fd = request->socket, .events = POLLRDHUP };

  return poll (&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

gboolean
dn_request_wait_readable (DnRequest *request, int fd, GError **error)
{
  struct pollfd entries[]
      = { { .fd = fd, .events = POLLIN }, { .fd = request->socket, .events = POLLRDHUP } };

  for (;;)
    {
      if (poll (entries, 2, -1) < 0)
        {
          if (errno == EINTR)
            continue;
          return dn_throw_errno (error, "waiting for the client's data");
        }
      if (entries[1].revents != 0)
        return dn_throw (error, DN_ERROR_FAILED, "the client has gone");
      if (entries[0].revents != 0)
        return TRUE;
    }
}

typedef struct
{
  const DnRequestJob *job;
  GMutex lock;
  GCond done;
  gboolean is_done;
  gboolean is_fine;
  GError *error;
} Supervision;

static gpointer
run_job (gpointer data)
{
  Supervision *supervision = data;
  GError *error = NULL;
  gboolean is_fine = supervision->job->work (supervision->job->data, &error);

  g_mutex_lock (&supervision->lock);
  supervision->is_done = TRUE;
  supervision->is_fine = is_fine;
  supervision->error = error;
  g_cond_signal (&supervision->done);
  g_mutex_unlock (&supervision->lock);
  return NULL;
}

gboolean
dn_request_supervise (DnRequest *request, const DnRequestJob *job, GError **error)
{
  Supervision supervision = { .job = job };
  gboolean is_cancelled = FALSE;
  GThread *thread;

  g_mutex_init (&supervision.lock);
  g_cond_init (&supervision.done);
  thread = g_thread_new ("job", run_job, &supervision);
  g_mutex_lock (&supervision.lock);
  while (!supervision.is_done)
    {
      gint64 until_us = g_get_monotonic_time () + DN_REQUEST_WATCH_MS * 1000;

      if (g_cond_wait_until (&supervision.done, &supervision.lock, until_us))
        continue;
      g_mutex_unlock (&supervision.lock);
      if (job->tick != NULL && !is_cancelled)
        job->tick (request, job->data);
      if (!is_cancelled && dn_request_is_gone (request))
        {
          is_cancelled = TRUE;
          if (job->cancel != NULL)
            job->cancel (job->data);
        }
      g_mutex_lock (&supervision.lock);
    }
  g_mutex_unlock (&supervision.lock);
  g_thread_join (thread);
  g_mutex_clear (&supervision.lock);
  g_cond_clear (&supervision.done);
  if (supervision.error != NULL)
    g_propagate_error (error, supervision.error);
  return supervision.is_fine;
}
