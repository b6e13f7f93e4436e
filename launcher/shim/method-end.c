/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that end something: Kill, Delete, Shutdown. */
#include <signal.h>

#include "container-release.h"
#include "danchid.h"
#include "shim/events.pb-c.h"
#include "task-service-private.h"
#include "timestamp.h"

#define KILL_TIMEOUT_MS 10000
#define REMOVE_TIMEOUT_MS 60000
#define SIGNAL_MAX 64

typedef struct
{
  DnContainer *container; /* a reference */
  DnCall *call;
  guint32 signal;
} Work;

static Work *
work_new (DnContainer *container, DnCall *call, guint32 number)
{
  Work *work = g_new0 (Work, 1);

  *work = (Work){ .container = dn_container_ref (container), .call = call, .signal = number };
  return work;
}

static void
work_free (Work *work)
{
  dn_container_unref (work->container);
  g_free (work);
}

static void
ignore_answer (DnDanchidAnswer *answer, gpointer user_data)
{
  (void) answer;
  (void) user_data;
}

static void
on_killed (DnDanchidAnswer *answer, gpointer user_data)
{
  Work *work = user_data;
  DnTask *task = work->container->init;

  /* Frozen processes end once they are thawed. */
  if (answer->ok != NULL && work->signal == SIGKILL && task->state == DN_TASK_PAUSED)
    dn_danchid_call ("container-unpause", dn_method_args (work->container), KILL_TIMEOUT_MS,
                     ignore_answer, NULL);
  if (dn_task_take_kill (task, work->call))
    {
      if (answer->ok != NULL || task->is_ending)
        dn_call_reply (work->call, NULL);
      else
        dn_call_fail_error (work->call, answer->error);
    }
  work_free (work);
}

static void
kill_execs (DnContainer *container, guint32 number)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, container->execs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      DnTask *exec = value;

      if (exec->link != NULL)
        (void) dn_session_link_signal (exec->link, number);
    }
}

static void
on_pod_removed (DnDanchidAnswer *answer, gpointer user_data)
{
  Work *work = user_data;
  DnPod *pod = work->container->pod;
  gboolean is_awaited = dn_task_take_kill (work->container->init, work->call);

  pod->removals--;
  if (is_awaited && answer->error != NULL)
    dn_call_fail_error (work->call, answer->error);
  else if (is_awaited)
    dn_call_reply (work->call, NULL);
  if (answer->error == NULL)
    {
      pod->has_guest = FALSE;
      dn_pod_guest_ended (pod, 128 + work->signal);
    }
  else
    dn_pod_container_stopped (pod);
  work_free (work);
}

/* The pod itself: what would end its waiting process ends the guest. */
static void
kill_sandbox (DnTask *task, DnCall *call, guint32 number)
{
  DnPod *pod = task->container->pod;

  if (number != SIGKILL && number != SIGTERM && number != SIGINT && number != SIGQUIT)
    {
      dn_call_reply (call, NULL);
      return;
    }
  if (!pod->guest_has_ended)
    pod->sandbox_status = 128 + number;
  pod->removals++;
  dn_task_add_kill (task, call);
  dn_danchid_call ("pod-remove", dn_pod_remove_args (pod), REMOVE_TIMEOUT_MS, on_pod_removed,
                   work_new (task->container, call, number));
}

static void
kill_init (DnTask *task, DnCall *call, guint32 number, gboolean is_for_all)
{
  DnContainer *container = task->container;
  g_autofree char *text = g_strdup_printf ("%u", number);
  JsonObject *args;

  if (container->kind == DN_BUNDLE_SANDBOX)
    {
      kill_sandbox (task, call, number);
      return;
    }
  if (is_for_all)
    kill_execs (container, number);
  args = dn_method_args (container);
  json_object_set_string_member (args, "signal", text);
  dn_task_add_kill (task, call);
  dn_danchid_call ("container-kill", args, KILL_TIMEOUT_MS, on_killed,
                   work_new (container, call, number));
}

/* A process of Exec hears of it by its session. */
static void
kill_exec (DnTask *task, DnCall *call, guint32 number)
{
  if (task->link != NULL && !dn_session_link_signal (task->link, number))
    {
      dn_call_fail (call, DN_STATUS_UNAVAILABLE, "process '%s': its relay does not listen",
                    task->exec_id);
      return;
    }
  /* From then on nobody has to read its output for it to have ended. */
  if (number == SIGKILL)
    dn_task_expect_end (task, DN_TASK_KILLED);
  dn_call_reply (call, NULL);
}

/* Of a process that was not started.  The first one has ended then, or a client could never delete
 * it; one of Exec has not, as a client would wait for an end that never comes. */
static void
kill_created (DnTask *task, DnCall *call, guint32 number)
{
  gboolean is_init = task == task->container->init;

  if (!is_init && !task->is_starting)
    {
      dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "process '%s': was not started",
                    task->exec_id);
      return;
    }
  if (number != 0 && task->is_starting)
    task->kill_signal = number;
  else if (number != 0)
    dn_task_stop (task, 128 + number);
  dn_call_reply (call, NULL);
}

DN_METHOD (kill)
{
  const Pb__KillRequest *request = (const Pb__KillRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task == NULL)
    return;
  if (request->signal > SIGNAL_MAX)
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "signal %u", request->signal);
  else if (task->state == DN_TASK_CREATED)
    kill_created (task, call, request->signal);
  else if (task->state == DN_TASK_STOPPED)
    dn_call_fail (call, DN_STATUS_NOT_FOUND, "container '%s': process '%s' has ended", request->id,
                  request->exec_id);
  else if (request->signal == 0 || task->is_ending)
    dn_call_reply (call, NULL);
  else if (task == task->container->init)
    kill_init (task, call, request->signal, request->all);
  else
    kill_exec (task, call, request->signal);
}

static void
reply_deleted (DnTask *task, DnCall *call)
{
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__DeleteResponse response = PB__DELETE_RESPONSE__INIT;

  dn_timestamp_fill (&exited_at, task->exited_us != 0 ? task->exited_us : g_get_real_time ());
  response.pid = task->container->pod->guest_pid;
  response.exit_status = task->exit_status;
  response.exited_at = &exited_at;
  dn_call_reply (call, &response.base);
}

static void
publish_deleted (DnContainer *container)
{
  DnTask *task = container->init;
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__TaskDelete event = PB__TASK_DELETE__INIT;

  dn_timestamp_fill (&exited_at, task->exited_us != 0 ? task->exited_us : g_get_real_time ());
  event.container_id = container->id;
  event.pid = container->pod->guest_pid;
  event.exit_status = task->exit_status;
  event.exited_at = &exited_at;
  event.id = container->id;
  dn_events_publish (container->pod->events, "/tasks/delete", &event.base);
}

static void
on_released (const GError *error, gpointer user_data)
{
  Work *work = user_data;
  DnContainer *container = work->container;

  if (error != NULL)
    {
      container->is_deleting = FALSE;
      dn_call_fail_error (work->call, error);
    }
  else
    {
      dn_task_answer_waits (container->init, DN_TASK_KILLED);
      publish_deleted (container);
      reply_deleted (container->init, work->call);
      (void) g_hash_table_remove (container->pod->containers, container->id);
    }
  work_free (work);
}

static void
delete_exec (DnTask *task, DnCall *call)
{
  dn_task_answer_waits (task, DN_TASK_UNKNOWN);
  reply_deleted (task, call);
  (void) g_hash_table_remove (task->container->execs, task->exec_id);
}

DN_METHOD (delete)
{
  const Pb__DeleteRequest *request = (const Pb__DeleteRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task == NULL)
    return;
  if (dn_task_is_alive (task) || task->is_starting || task->container->is_deleting)
    dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "container '%s': process '%s' %s",
                  request->id, request->exec_id,
                  dn_task_is_alive (task) ? "still runs" : "is being started or deleted");
  else if (task != task->container->init)
    delete_exec (task, call);
  else
    {
      task->container->is_deleting = TRUE;
      dn_container_release (task->container, on_released, work_new (task->container, call, 0));
    }
}

DN_METHOD (shutdown)
{
  const Pb__ShutdownRequest *request = (const Pb__ShutdownRequest *) message;

  dn_call_reply (call, NULL);
  if (request->now || g_hash_table_size (pod->containers) == 0)
    dn_pod_quit (pod);
  else
    pod->wants_quit = TRUE;
}
