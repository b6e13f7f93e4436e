/* SPDX-License-Identifier: Apache-2.0 */
/* Create: what containerd has prepared, as a container in the pod's guest.
 *
 * In this order, each step undone where a later one fails: the mounts of the root and the streams,
 * beside the main loop; the guest, for the pod's first; the container in danchid.  A client that
 * has gone by then would never ask for the container: it is undone, too.
 */
#include "../common/error.h"
#include "bundle.h"
#include "container-release.h"
#include "danchid.h"
#include "root-mount.h"
#include "shim/events.pb-c.h"
#include "shim/runtime.pb-c.h"
#include "task-service-private.h"
#include "worker.h"

/* A guest boots, maybe under emulation. */
#define POD_TIMEOUT_MS 240000
#define CONTAINER_TIMEOUT_MS 120000

typedef struct
{
  DnContainer *container; /* a reference */
  DnCall *call;
  Pb__CreateRequest *request; /* owned: a copy */
  JsonNode *config;           /* owned */
  DnBundleFacts facts;        /* owned */
  GError *error;              /* owned */
} Creation;

static Pb__CreateRequest *
copy_request (const Pb__CreateRequest *request)
{
  gsize size = pb__create_request__get_packed_size (request);
  g_autofree guint8 *bytes = g_malloc (size + 1);

  (void) pb__create_request__pack (request, bytes);
  return pb__create_request__unpack (NULL, size, bytes);
}

static void
creation_free (Creation *creation)
{
  dn_container_unref (creation->container);
  if (creation->request != NULL)
    pb__create_request__free_unpacked (creation->request, NULL);
  g_clear_pointer (&creation->config, json_node_unref);
  dn_bundle_facts_clear (&creation->facts);
  g_clear_error (&creation->error);
  g_free (creation);
}

static void
on_undone (const GError *error, gpointer user_data)
{
  Creation *creation = user_data;
  DnPod *pod = creation->container->pod;

  if (error != NULL)
    g_warning ("container '%s': %s", creation->container->id, error->message);
  dn_call_fail_error (creation->call, creation->error);
  (void) g_hash_table_remove (pod->containers, creation->container->id);
  creation_free (creation);
  /* containerd gave up and said so: it will not say it again. */
  if (pod->wants_quit && g_hash_table_size (pod->containers) == 0)
    dn_pod_quit (pod);
}

/* @error is taken over. */
static void
fail (Creation *creation, GError *error)
{
  creation->error = error;
  dn_container_release (creation->container, on_undone, creation);
}

static void
publish (const Creation *creation)
{
  DnContainer *container = creation->container;
  Pb__TaskIO io = PB__TASK_IO__INIT;
  Pb__TaskCreate event = PB__TASK_CREATE__INIT;

  io.stdin = container->init->in;
  io.stdout = container->init->out;
  io.stderr = container->init->err;
  io.terminal = container->init->has_terminal;
  event.container_id = container->id;
  event.bundle = container->bundle;
  event.rootfs = creation->request->rootfs;
  event.n_rootfs = creation->request->n_rootfs;
  event.io = &io;
  event.pid = container->pod->guest_pid;
  dn_events_publish (container->pod->events, "/tasks/create", &event.base);
}

static void
finish (Creation *creation)
{
  Pb__CreateResponse response = PB__CREATE_RESPONSE__INIT;

  if (!dn_call_is_awaited (creation->call))
    {
      fail (creation, g_error_new (DN_ERROR, DN_ERROR_FAILED, "container '%s': nobody waits for it",
                                   creation->container->id));
      return;
    }
  creation->container->is_creating = FALSE;
  publish (creation);
  response.pid = creation->container->pod->guest_pid;
  dn_call_reply (creation->call, &response.base);
  creation_free (creation);
}

static void
on_container_made (DnDanchidAnswer *answer, gpointer user_data)
{
  Creation *creation = user_data;
  DnContainer *container = creation->container;

  if (answer->ok == NULL)
    {
      fail (creation, g_steal_pointer (&answer->error));
      return;
    }
  container->danchid_id = g_strdup (dn_danchid_text (answer->ok, "id"));
  finish (creation);
}

static void
make_container (Creation *creation)
{
  DnContainer *container = creation->container;
  JsonObject *args = json_object_new ();

  json_object_set_string_member (args, "pod", container->pod->id);
  json_object_set_string_member (args, "namespace", container->pod->name_space);
  json_object_set_string_member (args, "id", container->id);
  json_object_set_object_member (args, "config", json_node_dup_object (creation->config));
  json_object_set_string_member (args, "rootfs", container->root);
  json_object_set_boolean_member (args, "terminal", container->init->has_terminal);
  json_object_set_boolean_member (args, "stdin", dn_stdio_has_stdin (container->init->stdio));
  dn_danchid_call ("pod-container-create", args, CONTAINER_TIMEOUT_MS, on_container_made, creation);
}

static void
on_pod_made (DnDanchidAnswer *answer, gpointer user_data)
{
  Creation *creation = user_data;
  DnPod *pod = creation->container->pod;
  gint64 pid = dn_danchid_int (dn_danchid_object (answer->ok, "guest"), "qemu_pid");

  if (answer->ok == NULL)
    {
      fail (creation, g_steal_pointer (&answer->error));
      return;
    }
  dn_pod_guest_started (pod, dn_danchid_text (answer->ok, "context"), (guint32) pid);
  if (creation->container->kind == DN_BUNDLE_SINGLE)
    make_container (creation);
  else
    finish (creation);
}

static void
make_pod (Creation *creation)
{
  DnPod *pod = creation->container->pod;
  JsonObject *args = json_object_new ();

  json_object_set_string_member (args, "id", pod->id);
  json_object_set_string_member (args, "namespace", pod->name_space);
  json_object_set_string_member (args, "bundle", creation->container->bundle);
  json_object_set_object_member (args, "config", json_node_dup_object (creation->config));
  json_object_set_string_member (args, "netns", creation->facts.netns);
  json_object_set_string_member (args, "hostname", creation->facts.hostname);
  pod->netns = g_strdup (creation->facts.netns);
  pod->has_guest = TRUE;
  dn_danchid_call ("pod-create", args, POD_TIMEOUT_MS, on_pod_made, creation);
}

/* On a worker's thread. */
static gboolean
mount_root (Creation *creation, GError **error)
{
  const Pb__CreateRequest *request = creation->request;
  g_autofree DnRootMount *mounts = g_new0 (DnRootMount, request->n_rootfs + 1);

  for (gsize i = 0; i < request->n_rootfs; i++)
    {
      const Pb__Mount *mount = request->rootfs[i];

      mounts[i] = (DnRootMount){ .type = mount->type,
                                 .source = mount->source,
                                 .target = mount->target,
                                 .options = (const char *const *) mount->options,
                                 .option_count = mount->n_options };
    }
  return dn_root_mount_make (mounts, request->n_rootfs, creation->container->root, error);
}

/* On a worker's thread; the container is known to nobody else yet. */
static void
prepare (gpointer data)
{
  Creation *creation = data;
  DnContainer *container = creation->container;
  const DnStdioPlan plan = { .in = creation->request->stdin,
                             .out = creation->request->stdout,
                             .err = creation->request->stderr,
                             .has_terminal = creation->request->terminal,
                             .ends_with_client = dn_container_input_ends (
                                 container->kind, creation->request->terminal),
                             .id = container->id,
                             .name_space = container->pod->name_space };

  /* The sandbox's process would only wait: the guest does. */
  if (container->kind == DN_BUNDLE_SANDBOX)
    return;
  if (!mount_root (creation, &creation->error))
    return;
  container->is_mounted = creation->request->n_rootfs > 0;
  container->init->stdio = dn_stdio_open (&plan, &creation->error);
}

static void
on_prepared (gpointer data)
{
  Creation *creation = data;

  if (creation->error != NULL)
    fail (creation, g_steal_pointer (&creation->error));
  else if (creation->container->kind == DN_BUNDLE_MEMBER)
    make_container (creation);
  else
    make_pod (creation);
}

/* As whom it runs, with its groups, and its capabilities: most processes of Exec are to run so,
 * too. */
static JsonNode *
copy_of_process (JsonNode *config, const char *name)
{
  JsonObject *process = dn_danchid_object (json_node_get_object (config), "process");
  JsonNode *member = process != NULL ? json_object_get_member (process, name) : NULL;

  return member != NULL ? json_node_copy (member) : NULL;
}

static void
fill_container (DnContainer *container, const Pb__CreateRequest *request,
                const DnBundleFacts *facts)
{
  DnTask *task = container->init;

  container->bundle = g_strdup (request->bundle);
  container->kind = facts->kind;
  container->root = g_path_is_absolute (facts->root)
                        ? g_strdup (facts->root)
                        : g_build_filename (request->bundle, facts->root, NULL);
  container->is_creating = TRUE;
  task->in = g_strdup (request->stdin);
  task->out = g_strdup (request->stdout);
  task->err = g_strdup (request->stderr);
  task->has_terminal = request->terminal;
  task->rows = facts->rows;
  task->columns = facts->columns;
}

/* A file or table of settings for this runtime, which Danchi has not: danchid's are the node's.  To
 * leave it unread would be to let somebody believe that it holds.  Of other types (runc's) nothing
 * is known. */
static gboolean
has_settings (const Pb__Any *options)
{
  Pb__RuntimeOptions *own;
  gboolean found;

  if (options == NULL || !g_str_has_suffix (options->type_url, "runtimeoptions.v1.Options"))
    return FALSE;
  own = pb__runtime_options__unpack (NULL, options->value.len, options->value.data);
  if (own == NULL)
    return TRUE;
  found = *own->config_path != '\0' || own->config_body.len > 0;
  pb__runtime_options__free_unpacked (own, NULL);
  return found;
}

/* What can be refused before anything is done.  Returns: FALSE after @call has failed. */
static gboolean
check (DnPod *pod, DnCall *call, const Pb__CreateRequest *request)
{
  if (!dn_shim_id_is_valid (request->id))
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "id '%.80s'", request->id);
  else if (!g_path_is_absolute (request->bundle))
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "bundle '%.80s'", request->bundle);
  else if (g_hash_table_contains (pod->containers, request->id))
    dn_call_fail (call, DN_STATUS_ALREADY_EXISTS, "container '%s'", request->id);
  else if (*request->checkpoint != '\0' || *request->parent_checkpoint != '\0')
    dn_call_fail (call, DN_STATUS_UNIMPLEMENTED, "container '%s': a checkpoint", request->id);
  else if (has_settings (request->options))
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT,
                  "container '%s': the runtime's configuration on this node gives options for "
                  "Danchi (ConfigPath, runtime_config_path), which reads /etc/danchi/danchi.conf "
                  "alone: take them out",
                  request->id);
  else if (pod->is_quitting || pod->guest_has_ended)
    dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "pod '%s': has ended", pod->id);
  else
    return TRUE;
  return FALSE;
}

/* Whether the container is one of this pod's, and comes when it may. */
static gboolean
check_facts (DnPod *pod, DnCall *call, const char *id, const DnBundleFacts *facts)
{
  gboolean is_first = facts->kind != DN_BUNDLE_MEMBER;

  if (!g_str_equal (facts->pod, pod->id))
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "container '%s': is of pod '%s', this is '%s'",
                  id, facts->pod, pod->id);
  else if (is_first == pod->has_guest || (!is_first && pod->guest_pid == 0))
    dn_call_fail (call, DN_STATUS_FAILED_PRECONDITION, "pod '%s': %s", pod->id,
                  is_first ? "has its guest already" : "has no guest");
  /* CRI-O lets a pod's annotations stand for its own: so the sandbox of one pod could say that it
   * is a container of another's.  Its network it cannot choose. */
  else if (!is_first && facts->repeats_network && g_strcmp0 (facts->netns, pod->netns) != 0)
    dn_call_fail (call, DN_STATUS_PERMISSION_DENIED,
                  "container '%s': says that it is of pod '%s', whose network it has not", id,
                  pod->id);
  else if (is_first && facts->netns == NULL)
    dn_call_fail (call, DN_STATUS_UNIMPLEMENTED,
                  "pod '%s': the host's network, which a guest cannot share", pod->id);
  else
    return TRUE;
  return FALSE;
}

DN_METHOD (create)
{
  const Pb__CreateRequest *request = (const Pb__CreateRequest *) message;
  g_auto (DnBundleFacts) facts = { 0 };
  g_autoptr (JsonNode) config = NULL;
  g_autoptr (GError) error = NULL;
  Creation *creation;

  if (!check (pod, call, request))
    return;
  config = dn_bundle_read (request->bundle, &error);
  if (config == NULL
      || !dn_bundle_get_facts (json_node_get_object (config), request->id, &facts, &error))
    {
      dn_call_fail_error (call, error);
      return;
    }
  if (!check_facts (pod, call, request->id, &facts))
    return;
  creation = g_new0 (Creation, 1);
  creation->container = dn_container_new (pod, request->id);
  creation->call = call;
  creation->request = copy_request (request);
  creation->config = g_steal_pointer (&config);
  creation->facts = facts;
  facts = (DnBundleFacts){ 0 };
  fill_container (creation->container, request, &creation->facts);
  creation->container->user = copy_of_process (creation->config, "user");
  creation->container->rights = copy_of_process (creation->config, "capabilities");
  (void) g_hash_table_insert (pod->containers, g_strdup (request->id),
                              dn_container_ref (creation->container));
  dn_worker_run (prepare, on_prepared, creation);
}
