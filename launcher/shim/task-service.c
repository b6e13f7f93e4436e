/* SPDX-License-Identifier: Apache-2.0 */
#include "task-service.h"

#include "task-service-private.h"

static const struct
{
  const char *name;
  const ProtobufCMessageDescriptor *request;
  void (*run) (DnPod *pod, DnCall *call, const ProtobufCMessage *message);
} methods[] = {
  { "Checkpoint", &pb__checkpoint_request__descriptor, dn_method_checkpoint },
  { "CloseIO", &pb__close_iorequest__descriptor, dn_method_close_io },
  { "Connect", &pb__connect_request__descriptor, dn_method_connect },
  { "Create", &pb__create_request__descriptor, dn_method_create },
  { "Delete", &pb__delete_request__descriptor, dn_method_delete },
  { "Exec", &pb__exec_request__descriptor, dn_method_exec },
  { "Kill", &pb__kill_request__descriptor, dn_method_kill },
  { "Pause", &pb__pause_request__descriptor, dn_method_pause },
  { "Pids", &pb__pids_request__descriptor, dn_method_pids },
  { "ResizePty", &pb__resize_pty_request__descriptor, dn_method_resize_pty },
  { "Resume", &pb__resume_request__descriptor, dn_method_resume },
  { "Shutdown", &pb__shutdown_request__descriptor, dn_method_shutdown },
  { "Start", &pb__start_request__descriptor, dn_method_start },
  { "State", &pb__state_request__descriptor, dn_method_state },
  { "Stats", &pb__stats_request__descriptor, dn_method_stats },
  { "Update", &pb__update_request__descriptor, dn_method_update },
  { "Wait", &pb__wait_request__descriptor, dn_method_wait },
};

static const char *const services[]
    = { "containerd.task.v2.Task", "containerd.task.v3.Task", NULL };

DnContainer *
dn_method_find_container (DnPod *pod, DnCall *call, const char *id)
{
  DnContainer *container = dn_pod_find (pod, id);

  if (container == NULL)
    dn_call_fail (call, DN_STATUS_NOT_FOUND, "container '%.80s'", id);
  return container;
}

DnTask *
dn_method_find_task (DnPod *pod, DnCall *call, const char *id, const char *exec_id)
{
  DnContainer *container = dn_method_find_container (pod, call, id);
  DnTask *task;

  if (container == NULL)
    return NULL;
  task = dn_container_find_task (container, exec_id);
  if (task == NULL)
    dn_call_fail (call, DN_STATUS_NOT_FOUND, "container '%s': process '%.80s'", id, exec_id);
  return task;
}

JsonObject *
dn_method_args (const DnContainer *container)
{
  JsonObject *args = json_object_new ();

  json_object_set_string_member (args, "container", container->danchid_id);
  return args;
}

void
dn_task_service_handle (DnCall *call, const char *service, const char *method,
                        const guint8 *payload, gsize size, gpointer user_data)
{
  ProtobufCMessage *message;
  gsize i = 0;

  while (i < G_N_ELEMENTS (methods) && !g_str_equal (methods[i].name, method))
    i++;
  if (!g_strv_contains (services, service) || i == G_N_ELEMENTS (methods))
    {
      dn_call_fail (call, DN_STATUS_UNIMPLEMENTED, "service %.80s, method %.80s", service, method);
      return;
    }
  message = protobuf_c_message_unpack (methods[i].request, NULL, size, payload);
  if (message == NULL)
    {
      dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "%s: the request cannot be read", method);
      return;
    }
  g_debug ("%s", method);
  methods[i].run (user_data, call, message);
  protobuf_c_message_free_unpacked (message, NULL);
}
