/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include "../common/error.h"
#include "danchid.h"
#include "pod.h"

#define RETRY_MS 1000
#define ASK_TIMEOUT_MS 30000

static void
container_clear (gpointer data)
{
  DnContainer *container = data;

  g_clear_handle_id (&container->execs_timer, g_source_remove);
  g_clear_handle_id (&container->attach_timer, g_source_remove);
  g_clear_pointer (&container->init, dn_task_unref);
  g_hash_table_unref (container->execs);
  g_clear_pointer (&container->user, json_node_unref);
  g_clear_pointer (&container->rights, json_node_unref);
  g_clear_pointer (&container->stats, json_object_unref);
  g_free (container->id);
  g_free (container->bundle);
  g_free (container->root);
  g_free (container->danchid_id);
}

DnContainer *
dn_container_new (DnPod *pod, const char *id)
{
  DnContainer *container = g_rc_box_new0 (DnContainer);

  container->pod = pod;
  container->id = g_strdup (id);
  container->init = dn_task_new (container, "");
  container->execs
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) dn_task_unref);
  return container;
}

DnContainer *
dn_container_ref (DnContainer *container)
{
  return g_rc_box_acquire (container);
}

void
dn_container_unref (DnContainer *container)
{
  g_rc_box_release_full (container, container_clear);
}

DnTask *
dn_container_find_task (DnContainer *container, const char *exec_id)
{
  return *exec_id == '\0' ? container->init : g_hash_table_lookup (container->execs, exec_id);
}

gboolean
dn_container_input_ends (DnBundleKind kind, gboolean has_terminal)
{
  return kind == DN_BUNDLE_SINGLE && !has_terminal;
}

static gboolean
has_live_execs (DnContainer *container)
{
  GHashTableIter iter;
  gpointer exec;

  g_hash_table_iter_init (&iter, container->execs);
  while (g_hash_table_iter_next (&iter, NULL, &exec))
    if (dn_task_is_alive (exec))
      return TRUE;
  return FALSE;
}

/* Calls @function for each exec; it may change the table. */
static void
for_each_exec (DnContainer *container, void (*function) (DnTask *task, guint32 status),
               guint32 status)
{
  g_autoptr (GPtrArray) execs = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_task_unref);
  GHashTableIter iter;
  gpointer exec;

  g_hash_table_iter_init (&iter, container->execs);
  while (g_hash_table_iter_next (&iter, NULL, &exec))
    g_ptr_array_add (execs, dn_task_ref (exec));
  for (guint i = 0; i < execs->len; i++)
    function (execs->pdata[i], status);
}

static void
stop_live (DnTask *task, guint32 status)
{
  if (dn_task_is_alive (task))
    dn_task_stop (task, status);
}

static gboolean
on_execs_late (gpointer user_data)
{
  DnContainer *container = dn_container_ref (user_data);

  container->execs_timer = 0;
  for_each_exec (container, stop_live, DN_TASK_KILLED);
  dn_task_stop (container->init, container->init->exit_status);
  dn_container_unref (container);
  return G_SOURCE_REMOVE;
}

void
dn_container_task_drained (DnTask *task)
{
  DnContainer *container = task->container;

  if (task != container->init || !has_live_execs (container))
    {
      dn_task_stop (task, task->exit_status);
      return;
    }
  for_each_exec (container, dn_task_expect_end, DN_TASK_KILLED);
  if (container->execs_timer == 0 && dn_task_is_alive (task))
    container->execs_timer = g_timeout_add (DN_CONTAINER_EXECS_MS, on_execs_late, container);
}

void
dn_container_task_stopped (DnTask *task)
{
  DnContainer *container = task->container;

  if (task == container->init)
    {
      g_clear_handle_id (&container->attach_timer, g_source_remove);
      dn_pod_container_stopped (container->pod);
    }
  else if (container->execs_timer != 0 && !has_live_execs (container))
    {
      g_clear_handle_id (&container->execs_timer, g_source_remove);
      dn_task_stop (container->init, container->init->exit_status);
    }
}

static JsonObject *
container_args (DnContainer *container)
{
  JsonObject *args = json_object_new ();

  json_object_set_string_member (args, "container", container->danchid_id);
  return args;
}

static gboolean
watch_again (gpointer user_data)
{
  DnContainer *container = user_data;

  dn_container_watch (container);
  dn_container_unref (container);
  return G_SOURCE_REMOVE;
}

static void
on_wait_answer (DnDanchidAnswer *answer, gpointer user_data)
{
  DnContainer *container = user_data;

  if (answer->ok != NULL)
    dn_task_expect_end (container->init, (guint32) dn_danchid_int (answer->ok, "exit_code"));
  else if (answer->is_lost && dn_task_is_alive (container->init) && !container->init->is_ending)
    {
      /* danchid was restarted, or is being: the next one knows as much. */
      (void) g_timeout_add (RETRY_MS, watch_again, container);
      return;
    }
  else
    dn_task_expect_end (container->init, DN_TASK_KILLED);
  dn_container_unref (container);
}

void
dn_container_watch (DnContainer *container)
{
  dn_danchid_call ("container-wait", container_args (container), 0, on_wait_answer,
                   dn_container_ref (container));
}

void
dn_container_guest_ended (DnContainer *container, guint32 status)
{
  for_each_exec (container, dn_task_expect_end, status);
  dn_task_expect_end (container->init, status);
}

static void attach_later (DnContainer *container);

static void
on_attach_answer (DnDanchidAnswer *answer, gpointer user_data)
{
  DnContainer *container = user_data;
  DnTask *task = container->init;

  if (!dn_task_is_alive (task) || task->is_ending || task->link != NULL)
    {
      dn_container_unref (container);
      return;
    }
  if (answer->ok != NULL && answer->fds.count == 4)
    {
      gboolean is_paused = task->state == DN_TASK_PAUSED;

      answer->fds.count = 0;
      dn_task_begin (task, answer->fds.fds);
      if (is_paused)
        task->state = DN_TASK_PAUSED;
    }
  else
    attach_later (container); /* until danchid's word on its end comes, or a session */
  dn_container_unref (container);
}

static gboolean
attach (gpointer user_data)
{
  DnContainer *container = user_data;
  JsonObject *args = container_args (container);
  JsonArray *streams = json_array_new ();

  container->attach_timer = 0;
  if (dn_stdio_has_stdin (container->init->stdio))
    json_array_add_string_element (streams, "stdin");
  json_array_add_string_element (streams, "stdout");
  json_array_add_string_element (streams, "stderr");
  json_object_set_array_member (args, "attach", streams);
  dn_danchid_call ("container-attach", args, ASK_TIMEOUT_MS, on_attach_answer,
                   dn_container_ref (container));
  return G_SOURCE_REMOVE;
}

static void
attach_later (DnContainer *container)
{
  if (container->attach_timer == 0)
    container->attach_timer = g_timeout_add (RETRY_MS, attach, container);
}

void
dn_container_task_lost (DnTask *task)
{
  g_message ("container '%s': session of '%s' lost", task->container->id, task->exec_id);
  /* A process of Exec has one session in its life. */
  if (task != task->container->init)
    dn_task_end (task, task->container->pod->guest_has_ended ? DN_TASK_KILLED : DN_TASK_UNKNOWN);
  else if (task->container->pod->guest_has_ended)
    dn_task_end (task, DN_TASK_KILLED);
  else
    attach_later (task->container);
}
