/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include "../base/control.h"
#include "../common/error.h"
#include "../common/names.h"
#include "container.h"
#include "lookup.h"

/* A verb that is not here cannot be called, and one cannot be here without saying who may. */
static const DnVerb verbs[] = {
  { "version", dn_verb_version, 0, DN_SCOPE_HOST },
  { "info", dn_verb_info, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "doctor", dn_verb_doctor, 0, DN_SCOPE_ROOT },
  { "gc", dn_verb_gc, 0, DN_SCOPE_ROOT },
  { "container-create", dn_verb_container_create, DN_RIGHT_RUN, DN_SCOPE_MAKING },
  { "container-run", dn_verb_container_run, DN_RIGHT_RUN, DN_SCOPE_MAKING },
  { "container-start", dn_verb_container_start, DN_RIGHT_RUN, DN_SCOPE_CONTAINER },
  { "container-attach", dn_verb_container_attach, DN_RIGHT_ATTACH, DN_SCOPE_CONTAINER },
  { "container-exec", dn_verb_container_exec, DN_RIGHT_EXEC, DN_SCOPE_CONTAINER },
  { "container-stop", dn_verb_container_stop, DN_RIGHT_STOP, DN_SCOPE_CONTAINER },
  { "container-kill", dn_verb_container_kill, DN_RIGHT_STOP, DN_SCOPE_CONTAINER },
  { "container-wait", dn_verb_container_wait, DN_RIGHT_INSPECT, DN_SCOPE_CONTAINER },
  { "container-remove", dn_verb_container_remove, DN_RIGHT_RM, DN_SCOPE_CONTAINER },
  { "container-pause", dn_verb_container_pause, DN_RIGHT_STOP, DN_SCOPE_CONTAINER },
  { "container-unpause", dn_verb_container_unpause, DN_RIGHT_STOP, DN_SCOPE_CONTAINER },
  { "container-restart", dn_verb_container_restart, DN_RIGHT_RUN | DN_RIGHT_STOP,
    DN_SCOPE_CONTAINER },
  { "container-rename", dn_verb_container_rename, DN_RIGHT_UPDATE, DN_SCOPE_CONTAINER },
  { "container-update", dn_verb_container_update, DN_RIGHT_UPDATE, DN_SCOPE_CONTAINER },
  { "container-list", dn_verb_container_list, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "container-logs", dn_verb_container_logs, DN_RIGHT_LOGS, DN_SCOPE_CONTAINER },
  { "container-top", dn_verb_container_top, DN_RIGHT_INSPECT, DN_SCOPE_CONTAINER },
  { "container-stats", dn_verb_container_stats, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "container-copy-out", dn_verb_container_copy_out, DN_RIGHT_CP, DN_SCOPE_CONTAINER },
  { "container-copy-in", dn_verb_container_copy_in, DN_RIGHT_CP, DN_SCOPE_CONTAINER },
  { "secret-list", dn_verb_secret_list, DN_RIGHT_INSPECT, DN_SCOPE_CONTAINER },
  { "secret-update", dn_verb_secret_update, DN_RIGHT_RUN | DN_RIGHT_UPDATE, DN_SCOPE_CONTAINER },
  { "inspect", dn_verb_inspect, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "verify", dn_verb_verify, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "audit", dn_verb_audit, 0, DN_SCOPE_ROOT },
  { "events", dn_verb_events, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "profile-list", dn_verb_profile_list, 0, DN_SCOPE_HOST },
  { "profile-show", dn_verb_profile_show, 0, DN_SCOPE_HOST },
  { "image-load", dn_verb_image_load, 0, DN_SCOPE_LOAD },
  { "image-pull", dn_verb_image_pull, 0, DN_SCOPE_LOAD },
  { "image-list", dn_verb_image_list, 0, DN_SCOPE_CHOICE },
  { "image-scan", dn_verb_image_scan, 0, DN_SCOPE_LOAD },
  { "image-check", dn_verb_image_check, 0, DN_SCOPE_LOAD },
  { "image-history", dn_verb_image_history, 0, DN_SCOPE_CHOICE },
  { "image-save", dn_verb_image_save, 0, DN_SCOPE_LOAD },
  { "image-tag", dn_verb_image_tag, 0, DN_SCOPE_LOAD },
  { "image-untag", dn_verb_image_untag, 0, DN_SCOPE_ROOT },
  { "image-verify", dn_verb_image_verify, 0, DN_SCOPE_ROOT },
  { "image-prune", dn_verb_image_prune, 0, DN_SCOPE_ROOT },
  { "image-remove", dn_verb_image_remove, 0, DN_SCOPE_ROOT },
  { "context-list", dn_verb_context_list, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "context-create", dn_verb_context_create, 0, DN_SCOPE_ROOT },
  { "context-explain", dn_verb_context_explain, DN_RIGHT_INSPECT, DN_SCOPE_CONTEXT },
  { "context-size", dn_verb_context_size, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "context-stats", dn_verb_context_stats, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "context-update", dn_verb_context_update, 0, DN_SCOPE_ROOT },
  { "context-stop", dn_verb_context_stop, DN_RIGHT_STOP, DN_SCOPE_CONTEXT },
  { "context-remove", dn_verb_context_remove, 0, DN_SCOPE_ROOT },
  { "context-console", dn_verb_context_console, DN_RIGHT_LOGS, DN_SCOPE_CONTEXT },
  { "context-thaw", dn_verb_context_thaw, 0, DN_SCOPE_ROOT },
  { "network-list", dn_verb_network_list, DN_RIGHT_INSPECT, DN_SCOPE_CHOICE },
  { "volume-create", dn_verb_volume_create, DN_RIGHT_RUN, DN_SCOPE_VOLUME },
  { "volume-list", dn_verb_volume_list, DN_RIGHT_INSPECT, DN_SCOPE_VOLUME },
  { "volume-inspect", dn_verb_volume_inspect, DN_RIGHT_INSPECT, DN_SCOPE_VOLUME },
  { "volume-remove", dn_verb_volume_remove, DN_RIGHT_RM, DN_SCOPE_VOLUME },
  { "volume-prune", dn_verb_volume_prune, DN_RIGHT_RM, DN_SCOPE_VOLUME },
  { "forensics", dn_verb_forensics, 0, DN_SCOPE_ROOT },
  { "pod-create", dn_verb_pod_create, 0, DN_SCOPE_ROOT },
  { "pod-container-create", dn_verb_pod_container_create, 0, DN_SCOPE_ROOT },
  { "pod-remove", dn_verb_pod_remove, 0, DN_SCOPE_ROOT },
  { "pod-list", dn_verb_pod_list, 0, DN_SCOPE_ROOT },
};

const DnVerb *
dn_verb_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].name, name))
      return &verbs[i];
  return NULL;
}

JsonObject *
dn_verb_answer (DnContainer *container)
{
  JsonObject *ok = json_object_new ();

  g_mutex_lock (&container->daemon->lock);
  json_object_set_string_member (ok, "id", container->id);
  json_object_set_string_member (ok, "name", container->name);
  g_mutex_unlock (&container->daemon->lock);
  return ok;
}

gboolean
dn_verb_read_attach (char **attach, guint32 *ret_session, GError **error)
{
  static const struct
  {
    const char *name;
    guint32 flag;
  } streams[] = { { "stdin", DN_SESSION_STDIN },
                  { "stdout", DN_SESSION_STDOUT },
                  { "stderr", DN_SESSION_STDERR } };

  *ret_session = 0;
  for (guint i = 0; attach != NULL && attach[i] != NULL; i++)
    {
      guint32 flag = 0;

      for (gsize k = 0; k < G_N_ELEMENTS (streams); k++)
        if (g_str_equal (streams[k].name, attach[i]))
          flag = streams[k].flag;
      if (flag == 0)
        {
          g_autofree char *shown = dn_text_clean (attach[i], 40);

          return dn_throw (error, DN_ERROR_USAGE, "attach '%s': must be stdin, stdout or stderr",
                           shown);
        }
      *ret_session |= flag;
    }
  return TRUE;
}

DnContainer *
dn_verb_read_container (DnRequest *request, GError **error)
{
  g_autofree char *name = NULL;
  const DnJsonField fields[]
      = { { "container", DN_JSON_STRING, TRUE, &name }, { NULL, DN_JSON_STRING, FALSE, NULL } };

  if (!dn_request_read (request, fields, error))
    return NULL;
  return dn_lookup_container (request, name, error);
}
