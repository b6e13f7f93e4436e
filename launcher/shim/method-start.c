/* SPDX-License-Identifier: Apache-2.0 */
/* Start of a container's first process and of those of Exec, and Exec itself, which only notes what
 * is to be started. */
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "danchid.h"
#include "shim/events.pb-c.h"
#include "task-service-private.h"
#include "worker.h"

#define START_TIMEOUT_MS 120000
#define PROCESS_MAX_BYTES (1024 * 1024)
#define EXEC_FAILED 126
#define EXEC_NOT_FOUND 127

typedef struct
{
  DnContainer *container; /* a reference */
  DnTask *task;           /* a reference */
  DnCall *call;
  GError *error; /* owned */
} Work;

static Work *
work_new (DnTask *task, DnCall *call)
{
  Work *work = g_new0 (Work, 1);

  *work = (Work){ .container = dn_container_ref (task->container),
                  .task = dn_task_ref (task),
                  .call = call };
  return work;
}

static void
work_free (Work *work)
{
  dn_task_unref (work->task);
  dn_container_unref (work->container);
  g_clear_error (&work->error);
  g_free (work);
}

static void
publish_start (const DnTask *task)
{
  DnPod *pod = task->container->pod;
  Pb__TaskStart start = PB__TASK_START__INIT;
  Pb__TaskExecStarted exec_started = PB__TASK_EXEC_STARTED__INIT;

  if (*task->exec_id == '\0')
    {
      start.container_id = task->container->id;
      start.pid = pod->guest_pid;
      dn_events_publish (pod->events, "/tasks/start", &start.base);
      return;
    }
  exec_started.container_id = task->container->id;
  exec_started.exec_id = task->exec_id;
  exec_started.pid = pod->guest_pid;
  dn_events_publish (pod->events, "/tasks/exec-started", &exec_started.base);
}

static void
reply_started (DnTask *task, DnCall *call)
{
  Pb__StartResponse response = PB__START_RESPONSE__INIT;

  response.pid = task->container->pod->guest_pid;
  publish_start (task);
  dn_call_reply (call, &response.base);
}

/* It stays created: a client that kills it then finds it ended, and may delete it.  Its streams end
 * at once: a client waits for that before it does either. */
static void
start_failed (Work *work, const GError *error)
{
  DnTask *task = work->task;

  g_clear_pointer (&task->stdio, dn_stdio_free);
  dn_call_fail_error (work->call, error);
  if (task == work->container->init)
    {
      if (task->kill_signal != 0)
        dn_task_stop (task, DN_TASK_KILLED);
      return;
    }
  dn_task_answer_waits (
      task, g_error_matches (error, DN_ERROR, DN_ERROR_NO_COMMAND) ? EXEC_NOT_FOUND : EXEC_FAILED);
}

/* What was asked for while danchid was asked. */
static void
catch_up (DnTask *task)
{
  if (task->rows > 0 && task->has_terminal)
    (void) dn_session_link_resize (task->link, task->rows, task->columns);
  if (task->kill_signal != 0)
    (void) dn_session_link_signal (task->link, task->kill_signal);
}

static void
on_started (DnDanchidAnswer *answer, gpointer user_data)
{
  Work *work = user_data;
  DnTask *task = work->task;
  g_autoptr (GError) error = NULL;

  task->is_starting = FALSE;
  if (answer->ok != NULL && answer->fds.count != 4)
    dn_throw (&error, DN_ERROR_PROTOCOL, "danchid: %" G_GSIZE_FORMAT " descriptors, not 4",
              answer->fds.count);
  if (answer->ok == NULL || error != NULL)
    start_failed (work, error != NULL ? error : answer->error);
  else
    {
      answer->fds.count = 0;
      dn_task_begin (task, answer->fds.fds);
      reply_started (task, work->call);
      catch_up (task);
      if (task == work->container->init)
        dn_container_watch (work->container);
    }
  work_free (work);
}

/* Members that start and exec have in common. */
static JsonObject *
session_args (const DnTask *task)
{
  JsonObject *args = dn_method_args (task->container);
  JsonArray *attach = json_array_new ();

  if (dn_stdio_has_stdin (task->stdio))
    json_array_add_string_element (attach, "stdin");
  json_array_add_string_element (attach, "stdout");
  json_array_add_string_element (attach, "stderr");
  json_object_set_array_member (args, "attach", attach);
  json_object_set_int_member (args, "rows", task->has_terminal ? task->rows : 0);
  json_object_set_int_member (args, "columns", task->has_terminal ? task->columns : 0);
  return args;
}

static void
copy_member (JsonObject *from, const char *name, JsonObject *to, const char *to_name)
{
  JsonNode *node = json_object_get_member (from, name);

  if (node != NULL && !JSON_NODE_HOLDS_NULL (node))
    json_object_set_member (to, to_name, json_node_copy (node));
}

/* Whom it is to run as, with which groups: nobody is named where it is the container's own user. */
static void
add_user (const DnTask *task, JsonObject *args)
{
  JsonNode *node = json_object_get_member (task->process, "user");
  JsonObject *user = dn_danchid_object (task->process, "user");
  g_autofree char *text = NULL;

  if (user == NULL
      || (task->container->user != NULL && json_node_equal (node, task->container->user)))
    return;
  text = g_strdup_printf ("%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, dn_danchid_int (user, "uid"),
                          dn_danchid_int (user, "gid"));
  json_object_set_string_member (args, "user", text);
  copy_member (user, "additionalGids", args, "groups");
}

/* danchid lets it have those that the container has; all where nothing else is said. */
static void
add_capabilities (const DnTask *task, JsonObject *args)
{
  JsonNode *node = json_object_get_member (task->process, "capabilities");
  JsonObject *sets = dn_danchid_object (task->process, "capabilities");

  if (sets == NULL
      || (task->container->rights != NULL && json_node_equal (node, task->container->rights)))
    return;
  if (json_object_has_member (sets, "bounding"))
    copy_member (sets, "bounding", args, "capabilities");
  /* Go leaves an empty list out. */
  if (!json_object_has_member (args, "capabilities"))
    json_object_set_array_member (args, "capabilities", json_array_new ());
}

/* An OCI process as danchid's verb takes it.  What is not named here is the container's own. */
static JsonObject *
exec_args (DnTask *task)
{
  JsonObject *args = session_args (task), *process = task->process;

  copy_member (process, "args", args, "command");
  copy_member (process, "env", args, "env");
  copy_member (process, "cwd", args, "working_dir");
  add_user (task, args);
  add_capabilities (task, args);
  json_object_set_boolean_member (args, "terminal", task->has_terminal);
  return args;
}

DN_METHOD (start)
{
  const Pb__StartRequest *request = (const Pb__StartRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task == NULL)
    return;
  if (task->state != DN_TASK_CREATED || task->is_starting || task->container->is_deleting
      || (task->stdio == NULL && task->container->kind != DN_BUNDLE_SANDBOX))
    {
      dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION,
                    "container '%s': process '%s' was started before", request->id,
                    request->exec_id);
      return;
    }
  if (pod->guest_has_ended)
    {
      dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "pod '%s': has ended", pod->id);
      return;
    }
  if (task->container->kind == DN_BUNDLE_SANDBOX)
    {
      task->state = DN_TASK_RUNNING;
      reply_started (task, call);
      return;
    }
  task->is_starting = TRUE;
  if (task == task->container->init)
    dn_danchid_call ("container-start", session_args (task), START_TIMEOUT_MS, on_started,
                     work_new (task, call));
  else
    dn_danchid_call ("container-exec", exec_args (task), START_TIMEOUT_MS, on_started,
                     work_new (task, call));
}

/* On a worker's thread, as a log program may take its time. */
static void
open_streams (gpointer data)
{
  Work *work = data;
  DnTask *task = work->task;
  const DnStdioPlan plan
      = { .in = task->in,
          .out = task->out,
          .err = task->err,
          .has_terminal = task->has_terminal,
          .ends_with_client = dn_container_input_ends (work->container->kind, task->has_terminal),
          .id = work->container->id,
          .name_space = work->container->pod->name_space };

  task->stdio = dn_stdio_open (&plan, &work->error);
}

static void
on_streams_open (gpointer data)
{
  Work *work = data;
  DnContainer *container = work->container;
  Pb__TaskExecAdded added = PB__TASK_EXEC_ADDED__INIT;

  if (work->error == NULL && !dn_task_is_alive (container->init))
    dn_throw (&work->error, DN_ERROR_CONFLICT, "container '%s': does not run", container->id);
  if (work->error == NULL && g_hash_table_contains (container->execs, work->task->exec_id))
    dn_throw (&work->error, DN_ERROR_CONFLICT, "container '%s': process '%s' is there",
              container->id, work->task->exec_id);
  if (work->error != NULL)
    dn_call_fail_error (work->call, work->error);
  else
    {
      (void) g_hash_table_insert (container->execs, g_strdup (work->task->exec_id),
                                  dn_task_ref (work->task));
      added.container_id = container->id;
      added.exec_id = work->task->exec_id;
      dn_events_publish (container->pod->events, "/tasks/exec-added", &added.base);
      dn_call_reply (work->call, NULL);
    }
  work_free (work);
}

static gboolean
read_process (const Pb__Any *spec, JsonObject **ret_process, GError **error)
{
  g_autoptr (JsonNode) node = NULL;

  if (spec == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "no process is given");
  node = dn_json_parse_unsigned ((const char *) spec->value.data, spec->value.len,
                                 PROCESS_MAX_BYTES, "process", error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_USAGE, "process: not an object");
  *ret_process = json_object_ref (json_node_get_object (node));
  return TRUE;
}

/* Returns: FALSE after @call has failed. */
static gboolean
check_exec (DnContainer *container, DnCall *call, const Pb__ExecRequest *request)
{
  if (!dn_shim_id_is_valid (request->exec_id))
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "process '%.80s'", request->exec_id);
  else if (g_hash_table_contains (container->execs, request->exec_id))
    dn_call_fail (call, DN_STATUS_ALREADY_EXISTS, "process '%s'", request->exec_id);
  else if (container->kind == DN_BUNDLE_SANDBOX)
    dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION,
                  "container '%s': is the pod's guest and has no process", container->id);
  else if (container->init->state != DN_TASK_RUNNING || container->init->is_ending)
    dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "container '%s': does not run",
                  container->id);
  else if (g_hash_table_size (container->execs) >= DN_CONTAINER_EXECS_MAX)
    dn_call_fail (call, DN_STATUS_RESOURCE_EXHAUSTED, "container '%s': %d processes", container->id,
                  DN_CONTAINER_EXECS_MAX);
  else
    return TRUE;
  return FALSE;
}

DN_METHOD (exec)
{
  const Pb__ExecRequest *request = (const Pb__ExecRequest *) message;
  DnContainer *container = dn_method_find_container (pod, call, request->id);
  g_autoptr (JsonObject) process = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *size;
  DnTask *task;

  if (container == NULL || !check_exec (container, call, request))
    return;
  if (!read_process (request->spec, &process, &error))
    {
      dn_call_fail_error (call, error);
      return;
    }
  size = dn_danchid_object (process, "consoleSize");
  task = dn_task_new (container, request->exec_id);
  task->in = g_strdup (request->stdin);
  task->out = g_strdup (request->stdout);
  task->err = g_strdup (request->stderr);
  task->has_terminal = request->terminal;
  task->rows = (guint16) CLAMP (dn_danchid_int (size, "height"), 0, G_MAXUINT16);
  task->columns = (guint16) CLAMP (dn_danchid_int (size, "width"), 0, G_MAXUINT16);
  task->process = g_steal_pointer (&process);
  dn_worker_run (open_streams, on_streams_open, work_new (task, call));
  dn_task_unref (task);
}
