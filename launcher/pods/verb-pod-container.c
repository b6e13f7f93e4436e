/* SPDX-License-Identifier: Apache-2.0 */
/* pod-container-create: from containerd's words to a container of danchid's. */
#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../daemon/container-file.h"
#include "../daemon/request-record.h"
#include "../daemon/settings-file.h"
#include "../daemon/verbs.h"
#include "../spec/profile-store.h"
#include "oci-spec.h"
#include "pod-container.h"
#include "pod-processes.h"
#include "pod-volumes.h"
#include "pod-words.h"
#include "pods.h"

#define PROFILE "standard"
#define IMAGE_BYTES 255
#define NAME_BYTES 40
#define PEER_NAME_BYTES 63 /* as Kubernetes has them */
#define COMMAND_BYTES 512

typedef struct
{
  char *pod; /* owned, as are all */
  char *namespace_;
  DnPodMember *member;
  gboolean has_terminal;
  gboolean has_stdin;
} Wish;

static void
clear_wish (Wish *wish)
{
  g_free (wish->pod);
  g_free (wish->namespace_);
  dn_pod_member_free (wish->member);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wish, clear_wish)

static gboolean
read_wish (DnRequest *request, Wish *wish, GError **error)
{
  DnPodMember *member = wish->member = g_new0 (DnPodMember, 1);
  g_autoptr (JsonObject) config = NULL;
  g_autofree char *what = NULL;
  const DnJsonField fields[] = {
    { "pod", DN_JSON_STRING, TRUE, &wish->pod },
    { "namespace", DN_JSON_STRING, FALSE, &wish->namespace_ },
    { "id", DN_JSON_STRING, TRUE, &member->id },
    { "config", DN_JSON_OBJECT, TRUE, &config },
    { "rootfs", DN_JSON_STRING, TRUE, &member->rootfs },
    { "terminal", DN_JSON_BOOL, FALSE, &wish->has_terminal },
    { "stdin", DN_JSON_BOOL, FALSE, &wish->has_stdin },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error) || !dn_pod_id_check (wish->pod, "pod", error)
      || !dn_pod_id_check (member->id, "container", error))
    return FALSE;
  what = g_strdup_printf ("container '%s'", member->id);
  if (member->rootfs[0] != '/' || strchr (member->rootfs, '\n') != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: rootfs: is no absolute path", what);
  member->document = json_node_init_object (json_node_alloc (), config);
  member->config = dn_oci_config_read (config, what, error);
  if (member->config == NULL)
    return FALSE;
  if (member->config->args == NULL || member->config->args[0] == NULL
      || member->config->args[0][0] == '\0')
    return dn_throw (error, DN_ERROR_USAGE, "%s: has no command", what);
  return TRUE;
}

/* (transfer full) */
static DnContainerOptions *
make_options (const Wish *wish, const DnContext *context)
{
  const DnOciRoom room
      = { context->definition.guest_memory_bytes, context->definition.guest_vcpus };
  DnContainerOptions *options = dn_oci_options_new (wish->member->config, &room);

  options->has_terminal = wish->has_terminal;
  options->keeps_stdin_open = wish->has_stdin;
  return options;
}

/* For people: "web-1a2b3c4d". (transfer full) */
static char *
make_name (const DnContainer *container)
{
  const char *given = dn_pod_word (container->pod->config, DN_POD_WORD_CONTAINER);
  g_autofree char *name = g_strndup (given != NULL ? given : container->pod->id, NAME_BYTES);

  if (!dn_name_is_valid (name))
    {
      g_free (name);
      name = g_strdup ("container");
    }
  return g_strdup_printf ("%s-%.8s", name, container->id);
}

static void
set_words (DnContainer *container)
{
  const DnOciConfig *config = container->pod->config;
  const char *image = dn_pod_word (config, DN_POD_WORD_IMAGE);
  g_autofree char *command = g_strjoinv (" ", config->args);

  container->image = image != NULL ? dn_text_clean (image, IMAGE_BYTES) : g_strdup ("");
  container->image_id = g_strdup ("");
  container->command = dn_text_clean (command, COMMAND_BYTES);
  container->created_us = g_get_real_time ();
  g_free (container->options->name);
  container->options->name = make_name (container);
}

/* The containers that the pod has. (transfer full) */
static GArray *
list_peers (DnContext *context)
{
  DnDaemon *daemon = context->daemon;
  GArray *peers = g_array_new (FALSE, FALSE, sizeof (DnPodPeer));
  DnContainer *container;
  GHashTableIter iter;

  g_array_set_clear_func (peers, (GDestroyNotify) dn_pod_peer_clear);
  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    {
      const DnPodMember *member = container->context == context ? container->pod : NULL;
      const char *name
          = member != NULL ? dn_pod_word (member->config, DN_POD_WORD_CONTAINER) : NULL;
      DnPodPeer peer = { 0 };

      if (member == NULL)
        continue;
      peer.id = g_strdup (container->id);
      peer.name = dn_text_clean (name != NULL ? name : member->id, PEER_NAME_BYTES);
      peer.processes = g_strdup (member->processes);
      peer.is_running
          = container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED;
      g_array_append_val (peers, peer);
    }
  g_mutex_unlock (&daemon->lock);
  return peers;
}

/* 0: it has no guest. */
static gint
find_qemu (DnContext *context)
{
  g_autoptr (DnGuest) guest = NULL;
  DnGuestInfo info = { 0 };
  gint pid;

  g_mutex_lock (&context->daemon->lock);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  if (guest == NULL)
    return 0;
  dn_guest_get_info (guest, &info);
  pid = info.qemu_pid;
  dn_guest_info_clear (&info);
  return pid;
}

static gboolean
choose_processes (DnContainer *container, const char *what, GError **error)
{
  g_autoptr (GArray) peers = list_peers (container->context);

  return dn_pod_processes_choose (container->pod->config, peers, find_qemu (container->context),
                                  what, &container->pod->processes, error);
}

static gboolean
decide (DnContainer *container, DnRequest *request, GError **error)
{
  g_autoptr (DnSettings) settings = NULL;
  g_autofree char *what = g_strdup_printf ("container '%s'", container->pod->id);

  dn_settings_refresh (container->daemon);
  settings = dn_settings_get (container->daemon);
  return dn_oci_admit (container->pod->config, &settings->pods, container->profile, settings->file,
                       what, &container->relaxations, error)
         && choose_processes (container, what, error) && dn_pod_volumes_plan (container, error)
         && dn_request_record_decided (request, container, error);
}

/* Whether the pod has a container of that id; under no lock. */
static gboolean
check_new (DnContext *context, const char *id, GError **error)
{
  DnDaemon *daemon = context->daemon;
  DnContainer *container;
  GHashTableIter iter;
  gboolean is_there = FALSE;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    is_there = is_there
               || (container->context == context && container->pod != NULL
                   && g_str_equal (container->pod->id, id));
  g_mutex_unlock (&daemon->lock);
  return !is_there || dn_throw (error, DN_ERROR_CONFLICT, "container '%s': is there already", id);
}

DN_VERB (pod_container_create)
{
  g_auto (Wish) wish = { NULL };
  g_autoptr (DnContext) context = NULL;
  g_autoptr (DnContainer) container = NULL;
  char id[DN_ID_BYTES + 1];
  JsonObject *ok;

  (void) ret_fds;
  if (!read_wish (request, &wish, error))
    return NULL;
  context = dn_pods_find (request->daemon, wish.namespace_, wish.pod, error);
  if (context == NULL || !check_new (context, wish.member->id, error))
    return NULL;
  dn_id_new (id);
  container = dn_container_new (request->daemon, id);
  container->owner_uid = request->caller->uid;
  container->options = make_options (&wish, context);
  container->context = g_steal_pointer (&context);
  container->pod = g_steal_pointer (&wish.member);
  set_words (container);
  container->profile = dn_profile_load (PROFILE, NULL, error);
  if (container->profile == NULL || !decide (container, request, error)
      || !dn_container_add (container, request, error))
    return NULL;
  ok = dn_verb_answer (container);
  json_object_set_string_member (ok, "context", container->context->name);
  return ok;
}
