/* SPDX-License-Identifier: Apache-2.0 */
#include "pod.h"

#include <glib-unix.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "danchid.h"
#include "shim/events.pb-c.h"
#include "timestamp.h"

#define QUIT_POLL_MS 20
#define QUIT_MS 3000 /* for events that nobody takes */
#define REMOVE_TIMEOUT_MS 60000

DnPod *
dn_pod_new (const char *name_space, const char *id, const char *events_address, GMainLoop *loop)
{
  DnPod *pod = g_new0 (DnPod, 1);

  pod->name_space = g_strdup (name_space);
  pod->id = g_strdup (id);
  pod->events = dn_events_new (events_address, name_space);
  pod->metrics_version = dn_metrics_host_version ();
  pod->containers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                           (GDestroyNotify) dn_container_unref);
  pod->guest_fd = -1;
  pod->loop = loop;
  return pod;
}

void
dn_pod_free (DnPod *pod)
{
  if (pod == NULL)
    return;
  g_clear_handle_id (&pod->guest_source, g_source_remove);
  dn_fd_clear (&pod->guest_fd);
  g_hash_table_unref (pod->containers);
  dn_events_free (pod->events);
  g_free (pod->name_space);
  g_free (pod->context);
  g_free (pod->id);
  g_free (pod->netns);
  g_free (pod);
}

DnContainer *
dn_pod_find (DnPod *pod, const char *id)
{
  DnContainer *container = g_hash_table_lookup (pod->containers, id);

  return container != NULL && !container->is_creating ? container : NULL;
}

static gboolean
on_guest_gone (int fd, GIOCondition condition, gpointer user_data)
{
  DnPod *pod = user_data;

  (void) fd;
  (void) condition;
  pod->guest_source = 0;
  if (!pod->guest_has_ended)
    g_message ("pod '%s': its guest has ended", pod->id);
  dn_pod_guest_ended (pod, DN_TASK_KILLED);
  return G_SOURCE_REMOVE;
}

void
dn_pod_guest_started (DnPod *pod, const char *context, guint32 pid)
{
  g_free (pod->context);
  pod->context = g_strdup (context);
  pod->guest_pid = pid;
  pod->guest_fd = (int) syscall (SYS_pidfd_open, (pid_t) pid, 0);
  /* Without one, danchid's answers tell of the end. */
  if (pod->guest_fd >= 0)
    pod->guest_source = g_unix_fd_add (pod->guest_fd, G_IO_IN, on_guest_gone, pod);
}

static DnContainer *
find_sandbox (DnPod *pod, gboolean *ret_others_live)
{
  GHashTableIter iter;
  gpointer value;
  DnContainer *sandbox = NULL;

  *ret_others_live = FALSE;
  g_hash_table_iter_init (&iter, pod->containers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      DnContainer *container = value;

      if (container->kind == DN_BUNDLE_SANDBOX)
        sandbox = container;
      else if (dn_task_is_alive (container->init))
        *ret_others_live = TRUE;
    }
  return sandbox;
}

void
dn_pod_container_stopped (DnPod *pod)
{
  gboolean others_live;
  DnContainer *sandbox = find_sandbox (pod, &others_live);

  if (pod->guest_has_ended && pod->removals == 0 && !others_live && sandbox != NULL
      && dn_task_is_alive (sandbox->init))
    dn_task_stop (sandbox->init, pod->sandbox_status);
}

void
dn_pod_guest_ended (DnPod *pod, guint32 status)
{
  g_autoptr (GList) containers = NULL;

  if (pod->sandbox_status == 0)
    pod->sandbox_status = status;
  pod->guest_has_ended = TRUE;
  containers = g_hash_table_get_values (pod->containers);
  for (GList *at = containers; at != NULL; at = at->next)
    dn_container_guest_ended (at->data, DN_TASK_KILLED);
  dn_pod_container_stopped (pod);
}

JsonObject *
dn_pod_remove_args (const DnPod *pod)
{
  JsonObject *args = json_object_new ();

  json_object_set_string_member (args, "id", pod->id);
  json_object_set_string_member (args, "namespace", pod->name_space);
  return args;
}

static gboolean
on_quit_poll (gpointer user_data)
{
  DnPod *pod = user_data;
  static guint waited_ms;

  waited_ms += QUIT_POLL_MS;
  if (dn_events_are_pending (pod->events) && waited_ms < QUIT_MS)
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (pod->loop);
  return G_SOURCE_REMOVE;
}

static void
on_removed (DnDanchidAnswer *answer, gpointer user_data)
{
  DnPod *pod = user_data;

  if (answer->error != NULL)
    g_warning ("pod '%s': %s", pod->id, answer->error->message);
  (void) g_timeout_add (QUIT_POLL_MS, on_quit_poll, pod);
}

void
dn_pod_quit (DnPod *pod)
{
  if (pod->is_quitting)
    return;
  pod->is_quitting = TRUE;
  if (pod->has_guest)
    dn_danchid_call ("pod-remove", dn_pod_remove_args (pod), REMOVE_TIMEOUT_MS, on_removed, pod);
  else
    (void) g_timeout_add (QUIT_POLL_MS, on_quit_poll, pod);
}

/* For want of memory: CRI shows it as the reason when it has heard so before the end. */
static void
publish_oom (const DnTask *task)
{
  Pb__TaskOOM oom = PB__TASK_OOM__INIT;
  g_autofree char *mark = g_build_filename (task->container->bundle, "oom", NULL);

  oom.container_id = task->container->id;
  dn_events_publish (task->container->pod->events, "/tasks/oom", &oom.base);
  /* CRI-O takes no events; it looks for this file. */
  (void) g_file_set_contents_full (mark, "", 0, G_FILE_SET_CONTENTS_NONE, 0644, NULL);
}

void
dn_pod_publish_exit (DnTask *task)
{
  DnContainer *container = task->container;
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__TaskExit exit_event = PB__TASK_EXIT__INIT;

  if (task->oom_kills > 0 && task == container->init)
    publish_oom (task);
  dn_timestamp_fill (&exited_at, task->exited_us);
  exit_event.container_id = container->id;
  exit_event.id = *task->exec_id != '\0' ? task->exec_id : container->id;
  exit_event.pid = container->pod->guest_pid;
  exit_event.exit_status = task->exit_status;
  exit_event.exited_at = &exited_at;
  dn_events_publish (container->pod->events, "/tasks/exit", &exit_event.base);
}
