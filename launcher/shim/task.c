/* SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <unistd.h>

#include "container.h"
#include "pod.h"
#include "timestamp.h"

static void
task_clear (gpointer data)
{
  DnTask *task = data;

  g_clear_handle_id (&task->watchdog, g_source_remove);
  dn_session_link_free (task->link);
  dn_stdio_free (task->stdio);
  g_clear_pointer (&task->process, json_object_unref);
  g_ptr_array_unref (task->waits);
  g_ptr_array_unref (task->kills);
  g_free (task->exec_id);
  g_free (task->in);
  g_free (task->out);
  g_free (task->err);
}

DnTask *
dn_task_new (DnContainer *container, const char *exec_id)
{
  DnTask *task = g_rc_box_new0 (DnTask);

  task->container = container;
  task->exec_id = g_strdup (exec_id);
  task->waits = g_ptr_array_new ();
  task->kills = g_ptr_array_new ();
  return task;
}

DnTask *
dn_task_ref (DnTask *task)
{
  return g_rc_box_acquire (task);
}

void
dn_task_unref (DnTask *task)
{
  g_rc_box_release_full (task, task_clear);
}

gboolean
dn_task_is_alive (const DnTask *task)
{
  return task->state == DN_TASK_RUNNING || task->state == DN_TASK_PAUSED;
}

Pb__TaskStatus
dn_task_status (const DnTask *task)
{
  switch (task->state)
    {
    case DN_TASK_CREATED:
      return PB__TASK_STATUS__CREATED;
    case DN_TASK_RUNNING:
      return PB__TASK_STATUS__RUNNING;
    case DN_TASK_PAUSED:
      return PB__TASK_STATUS__PAUSED;
    case DN_TASK_STOPPED:
      return PB__TASK_STATUS__STOPPED;
    }
  return PB__TASK_STATUS__UNKNOWN;
}

static void
answer_wait (DnCall *call, guint32 status, gint64 exited_us)
{
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__WaitResponse response = PB__WAIT_RESPONSE__INIT;

  dn_timestamp_fill (&exited_at, exited_us);
  response.exit_status = status;
  response.exited_at = &exited_at;
  dn_call_reply (call, &response.base);
}

void
dn_task_answer_waits (DnTask *task, guint32 status)
{
  gint64 exited_us = task->exited_us != 0 ? task->exited_us : g_get_real_time ();

  for (guint i = 0; i < task->waits->len; i++)
    answer_wait (task->waits->pdata[i], status, exited_us);
  g_ptr_array_set_size (task->waits, 0);
}

void
dn_task_wait (DnTask *task, DnCall *call)
{
  if (task->state == DN_TASK_STOPPED)
    {
      answer_wait (call, task->exit_status, task->exited_us);
      return;
    }
  /* Those of a containerd that was restarted are awaited by nobody any more. */
  for (guint i = task->waits->len; i > 0; i--)
    if (!dn_call_is_awaited (task->waits->pdata[i - 1]))
      answer_wait (g_ptr_array_remove_index_fast (task->waits, i - 1), 0, 0);
  g_ptr_array_add (task->waits, call);
}

void
dn_task_add_kill (DnTask *task, DnCall *call)
{
  g_ptr_array_add (task->kills, call);
}

gboolean
dn_task_take_kill (DnTask *task, DnCall *call)
{
  return g_ptr_array_remove_fast (task->kills, call);
}

/* Who waits for the end may be who killed, and close the connection at once. */
static void
answer_kills (DnTask *task)
{
  for (guint i = 0; i < task->kills->len; i++)
    dn_call_reply (task->kills->pdata[i], NULL);
  g_ptr_array_set_size (task->kills, 0);
}

void
dn_task_stop (DnTask *task, guint32 status)
{
  if (task->state == DN_TASK_STOPPED)
    return;
  g_clear_handle_id (&task->watchdog, g_source_remove);
  if (!task->is_ending)
    {
      task->exit_status = status;
      task->exited_us = g_get_real_time ();
    }
  task->is_ending = FALSE;
  task->state = DN_TASK_STOPPED;
  g_clear_pointer (&task->link, dn_session_link_free);
  g_clear_pointer (&task->stdio, dn_stdio_free);
  /* The event first: a client that waits may delete at once. */
  dn_pod_publish_exit (task);
  answer_kills (task);
  dn_task_answer_waits (task, task->exit_status);
  dn_container_task_stopped (task);
}

static void
on_drained (gpointer user_data)
{
  dn_container_task_drained (user_data);
}

void
dn_task_end (DnTask *task, guint32 status)
{
  if (task->is_ending || !dn_task_is_alive (task))
    return;
  task->is_ending = TRUE;
  task->exit_status = status;
  task->exited_us = g_get_real_time ();
  g_clear_handle_id (&task->watchdog, g_source_remove);
  g_clear_pointer (&task->link, dn_session_link_free);
  dn_stdio_finish (task->stdio, on_drained, task);
}

static gboolean
on_watchdog (gpointer user_data)
{
  DnTask *task = user_data;
  guint64 progress = dn_stdio_progress (task->stdio);

  task->stillness_s = progress == task->seen ? task->stillness_s + 1 : 0;
  task->seen = progress;
  if (task->stillness_s < DN_TASK_PATIENCE_S)
    return G_SOURCE_CONTINUE;
  task->watchdog = 0;
  dn_task_end (task, task->expected_status);
  return G_SOURCE_REMOVE;
}

void
dn_task_expect_end (DnTask *task, guint32 status)
{
  if (!dn_task_is_alive (task) || task->is_ending || task->stdio == NULL)
    return;
  task->is_expected = TRUE;
  task->expected_status = status;
  if (task->link == NULL)
    dn_task_end (task, status);
  else if (task->watchdog == 0)
    {
      task->stillness_s = 0;
      task->watchdog = g_timeout_add_seconds (1, on_watchdog, task);
    }
}

static void
on_session_end (const DnSessionEnd *end, gpointer user_data)
{
  DnTask *task = user_data;

  g_clear_pointer (&task->link, dn_session_link_free);
  task->oom_kills = end->oom_kills;
  if (!end->is_lost)
    dn_task_end (task, end->signal != 0 ? 128 + end->signal : end->code);
  else if (task->is_expected)
    dn_task_end (task, task->expected_status);
  else
    dn_container_task_lost (task);
}

void
dn_task_begin (DnTask *task, const int sockets[4])
{
  task->state = DN_TASK_RUNNING;
  task->link = dn_session_link_new (sockets[0], on_session_end, task);
  dn_stdio_begin (task->stdio, sockets + 1);
}
