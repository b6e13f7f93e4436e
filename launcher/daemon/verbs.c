/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include "../base/control.h"
#include "../common/error.h"
#include "../common/names.h"
#include "container.h"

static const struct
{
  const char *name;
  DnVerbFunc func;
} verbs[] = {
  { "version", dn_verb_version },
  { "info", dn_verb_info },
  { "doctor", dn_verb_doctor },
  { "gc", dn_verb_gc },
  { "container-create", dn_verb_container_create },
  { "container-run", dn_verb_container_run },
  { "container-start", dn_verb_container_start },
  { "container-attach", dn_verb_container_attach },
  { "container-exec", dn_verb_container_exec },
  { "container-stop", dn_verb_container_stop },
  { "container-kill", dn_verb_container_kill },
  { "container-wait", dn_verb_container_wait },
  { "container-remove", dn_verb_container_remove },
  { "container-pause", dn_verb_container_pause },
  { "container-unpause", dn_verb_container_unpause },
  { "container-restart", dn_verb_container_restart },
  { "container-rename", dn_verb_container_rename },
  { "container-update", dn_verb_container_update },
  { "container-list", dn_verb_container_list },
  { "container-logs", dn_verb_container_logs },
  { "container-top", dn_verb_container_top },
  { "container-stats", dn_verb_container_stats },
  { "container-copy-out", dn_verb_container_copy_out },
  { "container-copy-in", dn_verb_container_copy_in },
  { "inspect", dn_verb_inspect },
  { "verify", dn_verb_verify },
  { "events", dn_verb_events },
  { "profile-list", dn_verb_profile_list },
  { "profile-show", dn_verb_profile_show },
  { "image-load", dn_verb_image_load },
  { "image-list", dn_verb_image_list },
  { "image-remove", dn_verb_image_remove },
  { "context-list", dn_verb_context_list },
  { "context-create", dn_verb_context_create },
  { "context-explain", dn_verb_context_explain },
  { "context-stop", dn_verb_context_stop },
  { "context-remove", dn_verb_context_remove },
  { "context-console", dn_verb_context_console },
};

DnVerbFunc
dn_verb_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].name, name))
      return verbs[i].func;
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
  return dn_container_find (request->daemon, name, error);
}
