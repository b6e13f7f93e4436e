/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that ask and change nothing: State, Wait, Pids, Connect, Stats. */
#include <unistd.h>

#include "danchid.h"
#include "task-service-private.h"
#include "timestamp.h"

/* All containers are asked one after the other, every ten seconds. */
#define STATS_TIMEOUT_MS 5000

DN_METHOD (state)
{
  const Pb__StateRequest *request = (const Pb__StateRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__StateResponse response = PB__STATE_RESPONSE__INIT;

  if (task == NULL)
    return;
  response.id = task->container->id;
  response.bundle = task->container->bundle;
  response.pid = pod->guest_pid;
  response.status = dn_task_status (task);
  response.stdin = task->in;
  response.stdout = task->out;
  response.stderr = task->err;
  response.terminal = task->has_terminal;
  response.exec_id = task->exec_id;
  if (task->state == DN_TASK_STOPPED)
    {
      dn_timestamp_fill (&exited_at, task->exited_us);
      response.exit_status = task->exit_status;
      response.exited_at = &exited_at;
    }
  dn_call_reply (call, &response.base);
}

DN_METHOD (wait)
{
  const Pb__WaitRequest *request = (const Pb__WaitRequest *) message;
  DnTask *task = dn_method_find_task (pod, call, request->id, request->exec_id);

  if (task != NULL)
    dn_task_wait (task, call);
}

/* The guest's, as those inside it are no processes of this host. */
DN_METHOD (pids)
{
  const Pb__PidsRequest *request = (const Pb__PidsRequest *) message;
  Pb__ProcessInfo process = PB__PROCESS_INFO__INIT, *processes[] = { &process };
  Pb__PidsResponse response = PB__PIDS_RESPONSE__INIT;

  if (dn_method_find_container (pod, call, request->id) == NULL)
    return;
  process.pid = pod->guest_pid;
  response.processes = processes;
  response.n_processes = 1;
  dn_call_reply (call, &response.base);
}

DN_METHOD (connect)
{
  const Pb__ConnectRequest *request = (const Pb__ConnectRequest *) message;
  Pb__ConnectResponse response = PB__CONNECT_RESPONSE__INIT;

  if (dn_method_find_container (pod, call, request->id) == NULL)
    return;
  response.shim_pid = (guint32) getpid ();
  response.task_pid = pod->guest_pid;
  response.version = (char *) DN_VERSION;
  dn_call_reply (call, &response.base);
}

typedef struct
{
  DnContainer *container; /* a reference */
  DnCall *call;
} Question;

static void
reply_stats (DnContainer *container, DnCall *call)
{
  Pb__Any any = PB__ANY__INIT;
  Pb__StatsResponse response = PB__STATS_RESPONSE__INIT;

  dn_metrics_fill (container->pod->metrics_version, container->stats, container->init->oom_kills,
                   &any);
  response.stats = &any;
  dn_call_reply (call, &response.base);
  g_free (any.value.data);
}

static void
on_stats (DnDanchidAnswer *answer, gpointer user_data)
{
  g_autofree Question *question = user_data;
  DnContainer *container = question->container;
  JsonNode *list = answer->ok != NULL ? json_object_get_member (answer->ok, "stats") : NULL;
  JsonArray *array
      = list != NULL && JSON_NODE_HOLDS_ARRAY (list) ? json_node_get_array (list) : NULL;

  if (array != NULL && json_array_get_length (array) == 1
      && JSON_NODE_HOLDS_OBJECT (json_array_get_element (array, 0)))
    {
      g_clear_pointer (&container->stats, json_object_unref);
      container->stats = json_object_ref (json_array_get_object_element (array, 0));
    }
  /* It may have ended meanwhile: then the last ones are the ones wanted. */
  if (answer->error != NULL && dn_task_is_alive (container->init) && container->stats == NULL)
    dn_call_fail_error (question->call, answer->error);
  else
    reply_stats (container, question->call);
  dn_container_unref (container);
}

/* Of a container by its own numbers; of the sandbox, which is the guest, by what that takes of this
 * host: QEMU and what serves it. */
DN_METHOD (stats)
{
  const Pb__StatsRequest *request = (const Pb__StatsRequest *) message;
  DnContainer *container = dn_method_find_container (pod, call, request->id);
  gboolean is_guest;
  const char *name;
  JsonObject *args;
  JsonArray *names;
  Question *question;

  if (container == NULL)
    return;
  is_guest = container->kind == DN_BUNDLE_SANDBOX;
  name = is_guest ? pod->context : container->danchid_id;
  if (name == NULL || !dn_task_is_alive (container->init))
    {
      reply_stats (container, call);
      return;
    }
  names = json_array_new ();
  json_array_add_string_element (names, name);
  args = json_object_new ();
  json_object_set_array_member (args, is_guest ? "contexts" : "containers", names);
  question = g_new0 (Question, 1);
  *question = (Question){ .container = dn_container_ref (container), .call = call };
  dn_danchid_call (is_guest ? "context-stats" : "container-stats", args, STATS_TIMEOUT_MS, on_stats,
                   question);
}
