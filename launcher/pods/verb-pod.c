/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about pods: root's, that is, the shim's. */
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../daemon/container-admission.h"
#include "../daemon/context-guest.h"
#include "../daemon/request-record.h"
#include "../daemon/request.h"
#include "../daemon/settings-file.h"
#include "../daemon/verbs.h"
#include "../network/pod-network.h"
#include "oci-spec.h"
#include "pod-size.h"
#include "pod-words.h"
#include "pods.h"

#define PATH_MAX_BYTES 4000

typedef struct
{
  DnPod *pod; /* owned, as are all */
  JsonObject *config;
  DnOciConfig *sandbox;
  gboolean allow_emulation;
} Wish;

static void
clear_wish (Wish *wish)
{
  dn_pod_free (wish->pod);
  g_clear_pointer (&wish->config, json_object_unref);
  dn_oci_config_free (wish->sandbox);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wish, clear_wish)

static gboolean
check_path (const char *path, const char *what, gboolean may_be_empty, GError **error)
{
  return (may_be_empty && path[0] == '\0')
         || (path[0] == '/' && strlen (path) <= PATH_MAX_BYTES && strchr (path, '\n') == NULL)
         || dn_throw (error, DN_ERROR_USAGE, "pod: %s: is no absolute path", what);
}

static char *
dup_clean (const char *text)
{
  return text != NULL ? dn_text_clean (text, 253) : NULL;
}

/* What Kubernetes calls it.  The uid becomes a part of a path. */
static gboolean
take_labels (Wish *wish, GError **error)
{
  const char *uid = dn_pod_word (wish->sandbox, DN_POD_WORD_UID);

  wish->pod->pod_name = dup_clean (dn_pod_word (wish->sandbox, DN_POD_WORD_NAME));
  wish->pod->pod_namespace = dup_clean (dn_pod_word (wish->sandbox, DN_POD_WORD_NAMESPACE));
  wish->pod->pod_uid = g_strdup (uid);
  return uid == NULL || dn_pod_id_check (uid, "pod's uid", error);
}

static gboolean
read_wish (DnRequest *request, Wish *wish, GError **error)
{
  DnPod *pod = wish->pod = g_new0 (DnPod, 1);
  g_autofree char *what = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &pod->id },
    { "namespace", DN_JSON_STRING, TRUE, &pod->namespace_ },
    { "bundle", DN_JSON_STRING, TRUE, &pod->bundle },
    { "config", DN_JSON_OBJECT, TRUE, &wish->config },
    { "netns", DN_JSON_STRING, FALSE, &pod->netns },
    { "hostname", DN_JSON_STRING, FALSE, &pod->hostname },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &wish->allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error) || !dn_pod_id_check (pod->id, "pod", error)
      || !dn_pod_id_check (pod->namespace_, "containerd's namespace", error))
    return FALSE;
  pod->netns = pod->netns != NULL ? pod->netns : g_strdup ("");
  what = g_strdup_printf ("pod '%s'", pod->id);
  wish->sandbox = dn_oci_config_read (wish->config, what, error);
  /* There is nobody whose it could be: see pod-processes.h. */
  if (wish->sandbox != NULL && wish->sandbox->pid == DN_OCI_SPACE_PATH)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: hostPID: the process namespace '%.80s' is the host's\na pod is a machine "
                     "of its own here, and has nothing of the host's",
                     what, wish->sandbox->pid_path);
  if (wish->sandbox == NULL || !check_path (pod->bundle, "bundle", FALSE, error)
      || !check_path (pod->netns, "netns", TRUE, error)
      || !dn_oci_check_sysctls (wish->sandbox->sysctls, what, error))
    return FALSE;
  if (pod->hostname == NULL || pod->hostname[0] == '\0')
    {
      g_free (pod->hostname);
      pod->hostname = g_strdup (wish->sandbox->hostname != NULL ? wish->sandbox->hostname : "");
    }
  if (pod->hostname[0] != '\0' && !dn_name_is_valid (pod->hostname))
    return dn_throw (error, DN_ERROR_USAGE, "%s: its hostname is none", what);
  pod->sysctls = g_ptr_array_ref (wish->sandbox->sysctls);
  return take_labels (wish, error);
}

static gboolean
define (DnDaemon *daemon, const Wish *wish, DnContextDefinition *definition, GError **error)
{
  g_autoptr (DnSettings) settings = NULL;
  const DnPod *pod = wish->pod;
  DnPodSize size;

  dn_settings_refresh (daemon);
  settings = dn_settings_get (daemon);
  if (!dn_pod_size (wish->sandbox, &settings->pods, settings->file, &size, error))
    return FALSE;
  dn_context_definition_init (definition, settings);
  definition->guest_memory_bytes = size.memory_bytes;
  definition->guest_vcpus = size.vcpus;
  definition->allow_emulation = definition->allow_emulation || wish->allow_emulation;
  /* The tenant is who shares nothing with others: in Kubernetes, a namespace. */
  if (pod->pod_namespace != NULL && dn_name_is_valid (pod->pod_namespace))
    {
      g_free (definition->tenant);
      definition->tenant = g_strdup (pod->pod_namespace);
    }
  /* The kubelet's network is not one of danchid's. */
  dn_network_policy_set_mode (&definition->network, "none");
  definition->network.containers = FALSE;
  return TRUE;
}

/* (transfer full): in the table and on disk; or NULL */
static DnContext *
make_context (DnRequest *request, Wish *wish, GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *name = dn_pod_context_name (wish->pod->namespace_, wish->pod->id);
  DnContextDefinition definition = { 0 };
  g_autoptr (DnContext) context = NULL;
  gboolean is_there;

  if (!define (daemon, wish, &definition, error))
    return NULL;
  context = dn_context_new (daemon, name, TRUE, &definition);
  context->owner_uid = request->caller->uid;
  context->pod = g_steal_pointer (&wish->pod);
  if (!dn_context_check_host (context, error)
      || !dn_request_record_decided_context (request, context, error))
    return NULL;
  g_mutex_lock (&daemon->lock);
  is_there = g_hash_table_contains (daemon->contexts, name);
  if (!is_there)
    g_hash_table_insert (daemon->contexts, g_strdup (name), dn_context_ref (context));
  g_mutex_unlock (&daemon->lock);
  if (is_there)
    {
      dn_throw (error, DN_ERROR_CONFLICT, "pod '%s': is there already", context->pod->id);
      return NULL;
    }
  if (dn_context_save (context, error))
    return g_steal_pointer (&context);
  dn_context_forget (context);
  return NULL;
}

static void
step (const char *name, gpointer data)
{
  DnRequest *request = data;

  dn_trace_begin (request->trace, name);
  request->steps++;
  dn_request_progress (request, name, 0, 0);
}

/* (transfer full): the sandbox; or NULL, and the context is as it was */
static DnGuest *
start_guest (DnRequest *request, DnContext *context, GError **error)
{
  const DnContextEntry entry = { .wants_share = TRUE, .step = step, .step_data = request };
  int console = -1;
  DnGuest *guest = dn_context_enter (context, &entry, &console, error);

  if (console >= 0)
    request->console_fd = console;
  return guest;
}

/* The card that CNI has made, where there is a namespace for one. */
static gboolean
take_network (const DnPod *pod, int *ret_netns, GError **error)
{
  int fd = -1;

  if (pod->netns[0] != '\0')
    {
      fd = dn_pod_network_open (pod->netns, error);
      if (fd < 0 || !dn_pod_network_look (fd, error))
        {
          g_prefix_error (error, "pod '%s': ", pod->id);
          if (fd >= 0)
            (void) close (fd);
          return FALSE;
        }
    }
  *ret_netns = fd;
  return TRUE;
}

static gboolean
join_network (DnRequest *request, DnGuest *guest, int netns, GError **error)
{
  if (netns < 0)
    return TRUE;
  step ("network", request);
  return dn_pod_network_join (netns, guest, error);
}

static gboolean
finish (DnContext *context, GError **error)
{
  g_mutex_lock (&context->daemon->lock);
  context->pod->is_made = TRUE;
  g_mutex_unlock (&context->daemon->lock);
  return dn_context_save (context, error);
}

DN_VERB (pod_create)
{
  g_auto (Wish) wish = { NULL };
  g_autoptr (DnContext) context = NULL;
  g_autoptr (DnGuest) guest = NULL;
  dn_autofd int netns = -1;
  JsonObject *ok;

  (void) ret_fds;
  if (!read_wish (request, &wish, error) || !take_network (wish.pod, &netns, error))
    return NULL;
  context = make_context (request, &wish, error);
  if (context == NULL)
    return NULL;
  guest = start_guest (request, context, error);
  if (guest == NULL || !join_network (request, guest, netns, error) || !finish (context, error))
    {
      dn_pods_remove (context, "the pod could not be made");
      return NULL;
    }
  ok = json_object_new ();
  json_object_set_string_member (ok, "context", context->name);
  json_object_set_object_member (ok, "guest", dn_context_guest_to_json (guest));
  return ok;
}

DN_VERB (pod_remove)
{
  g_autofree char *id = NULL, *namespace_ = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &id },
    { "namespace", DN_JSON_STRING, FALSE, &namespace_ },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContext) context = NULL;
  g_autoptr (GError) local = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error) || !dn_pod_id_check (id, "pod", error))
    return NULL;
  context = dn_pods_find (request->daemon, namespace_, id, &local);
  /* Whoever removes may do so twice. */
  if (context == NULL && !g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (context != NULL)
    dn_pods_remove (context, "the pod was removed");
  ok = json_object_new ();
  json_object_set_boolean_member (ok, "was_there", context != NULL);
  return ok;
}

DN_VERB (pod_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GPtrArray) contexts = NULL;
  JsonArray *pods;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  contexts = dn_context_list (request->daemon);
  pods = json_array_new ();
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];

      if (context->pod != NULL)
        json_array_add_object_element (pods, dn_context_to_json (context, FALSE));
    }
  ok = json_object_new ();
  json_object_set_array_member (ok, "pods", pods);
  return ok;
}
