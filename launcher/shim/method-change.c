/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that change something that goes on: Pause, Resume, ResizePty, CloseIO, Update. */
#include "danchid.h"
#include "resources.h"
#include "shim/events.pb-c.h"
#include "task-service-private.h"

#define TIMEOUT_MS 30000

typedef struct
{
  DnContainer *container; /* a reference */
  DnCall *call;
  DnTaskState state; /* of the first process afterwards */
} Work;

static Work *
work_new (DnContainer *container, DnCall *call, DnTaskState state)
{
  Work *work = g_new0 (Work, 1);

  *work = (Work){ .container = dn_container_ref (container), .call = call, .state = state };
  return work;
}

static void
work_free (Work *work)
{
  dn_container_unref (work->container);
  g_free (work);
}

static void
publish_frozen (DnContainer *container, gboolean is_paused)
{
  Pb__TaskPaused paused = PB__TASK_PAUSED__INIT;
  Pb__TaskResumed resumed = PB__TASK_RESUMED__INIT;

  paused.container_id = resumed.container_id = container->id;
  if (is_paused)
    dn_events_publish (container->pod->events, "/tasks/paused", &paused.base);
  else
    dn_events_publish (container->pod->events, "/tasks/resumed", &resumed.base);
}

static void
on_frozen (DnDanchidAnswer *answer, gpointer user_data)
{
  Work *work = user_data;
  DnTask *task = work->container->init;

  if (answer->ok == NULL)
    dn_call_fail_error (work->call, answer->error);
  else
    {
      if (dn_task_is_alive (task))
        {
          task->state = work->state;
          publish_frozen (work->container, work->state == DN_TASK_PAUSED);
        }
      dn_call_reply (work->call, NULL);
    }
  work_free (work);
}

static void
freeze (DnPod *pod, DnCall *call, const char *id, DnTaskState from, DnTaskState to)
{
  DnContainer *container = dn_method_find_container (pod, call, id);

  if (container == NULL)
    return;
  if (container->init->state != from || container->kind == DN_BUNDLE_SANDBOX)
    {
      dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "container '%s': %s", id,
                    container->kind == DN_BUNDLE_SANDBOX ? "has no process"
                    : from == DN_TASK_RUNNING            ? "does not run"
                                                         : "is not paused");
      return;
    }
  dn_danchid_call (to == DN_TASK_PAUSED ? "container-pause" : "container-unpause",
                   dn_method_args (container), TIMEOUT_MS, on_frozen,
                   work_new (container, call, to));
}

DN_METHOD (pause)
{
  freeze (pod, call, ((const Pb__PauseRequest *) message)->id, DN_TASK_RUNNING, DN_TASK_PAUSED);
}

DN_METHOD (resume)
{
  freeze (pod, call, ((const Pb__ResumeRequest *) message)->id, DN_TASK_PAUSED, DN_TASK_RUNNING);
}

DN_METHOD (resize_pty)
{
  const Pb__ResizePtyRequest *request = (const Pb__ResizePtyRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task == NULL)
    return;
  /* Without a terminal there is nothing to do, which runc's shim does not call an error. */
  if (request->width > 0 && request->height > 0 && task->has_terminal)
    {
      task->rows = (guint16) MIN (request->height, G_MAXUINT16);
      task->columns = (guint16) MIN (request->width, G_MAXUINT16);
      if (task->link != NULL)
        (void) dn_session_link_resize (task->link, task->rows, task->columns);
    }
  dn_call_reply (call, NULL);
}

DN_METHOD (close_io)
{
  const Pb__CloseIORequest *request = (const Pb__CloseIORequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task == NULL)
    return;
  if (request->stdin && task->stdio != NULL)
    dn_stdio_close_stdin (task->stdio);
  dn_call_reply (call, NULL);
}

static void
on_updated (DnDanchidAnswer *answer, gpointer user_data)
{
  Work *work = user_data;

  if (answer->ok == NULL)
    dn_call_fail_error (work->call, answer->error);
  else
    dn_call_reply (work->call, NULL);
  work_free (work);
}

DN_METHOD (update)
{
  const Pb__UpdateRequest *request = (const Pb__UpdateRequest *) message;
  DnContainer *container = dn_method_find_container (pod, call, request->id);
  g_autoptr (JsonObject) limits = NULL;
  g_autoptr (GError) error = NULL;

  if (container == NULL)
    return;
  if (request->resources == NULL)
    {
      dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "container '%s': no resources given",
                    request->id);
      return;
    }
  if (!dn_resources_read ((const char *) request->resources->value.data,
                          request->resources->value.len, &limits, &error))
    {
      dn_call_fail_error (call, error);
      return;
    }
  /* The sandbox has nothing of its own, and its guest its size. */
  if (container->danchid_id == NULL || json_object_get_size (limits) == 0)
    {
      dn_call_reply (call, NULL);
      return;
    }
  json_object_set_string_member (limits, "container", container->danchid_id);
  dn_danchid_call ("container-update", g_steal_pointer (&limits), TIMEOUT_MS, on_updated,
                   work_new (container, call, DN_TASK_RUNNING));
}

DN_METHOD (checkpoint)
{
  const Pb__CheckpointRequest *request = (const Pb__CheckpointRequest *) message;

  (void) pod;
  dn_call_fail (call, DN_STATUS_UNIMPLEMENTED, "container '%s': checkpoint", request->id);
}
