/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about a context's evidence; root's alone, by verbs.c. */
#include "../common/error.h"
#include "capture.h"
#include "context-freeze.h"
#include "forensics.h"
#include "lookup.h"
#include "settings-file.h"
#include "verbs.h"

static JsonObject *
describe_caller (const DnCaller *caller)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "uid", caller->uid);
  json_object_set_int_member (object, "gid", caller->gid);
  json_object_set_int_member (object, "pid", caller->pid);
  json_object_set_string_member (object, "command", caller->command);
  return object;
}

/* Before anything happens: what the client has to have ready. */
static gboolean
tell_beginning (DnRequest *request, int ack_fd, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  JsonObject *object = json_object_new ();
  DnCapture capture;
  gboolean is_told;

  if (settings->forensics_key != NULL)
    json_object_set_string_member (object, "key", settings->forensics_key);
  dn_capture_init (&capture, request, ack_fd);
  is_told = dn_capture_tell (&capture, "begin", object, -1, error);
  dn_capture_clear (&capture);
  return is_told;
}

static gboolean
read_plan (DnRequest *request, char **ret_context, DnForensics *ret_plan, char **ret_after,
           GError **error)
{
  const DnJsonField fields[] = {
    { "context", DN_JSON_STRING, TRUE, ret_context },
    { "live", DN_JSON_BOOL, FALSE, &ret_plan->is_live },
    { "memory", DN_JSON_BOOL, FALSE, &ret_plan->wants_memory },
    { "after", DN_JSON_STRING, FALSE, ret_after },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error))
    return FALSE;
  if (*ret_after != NULL && !g_str_equal (*ret_after, "freeze")
      && !g_str_equal (*ret_after, "resume"))
    return dn_throw (error, DN_ERROR_USAGE, "after: must be freeze or resume");
  if (ret_plan->is_live && g_strcmp0 (*ret_after, "freeze") == 0)
    return dn_throw (error, DN_ERROR_USAGE, "live: goes without freezing");
  if (request->fds.count != 1)
    return dn_throw (error, DN_ERROR_USAGE, "forensics: one socket for the answers is needed");
  return TRUE;
}

DN_VERB (forensics)
{
  g_autofree char *name = NULL, *after = NULL;
  g_autoptr (DnContext) context = NULL;
  DnForensics plan = { 0 };
  JsonObject *ok;

  (void) ret_fds;
  if (!read_plan (request, &name, &plan, &after, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL || !tell_beginning (request, request->fds.fds[0], error))
    return NULL;
  plan.is_frozen_after
      = after != NULL ? g_str_equal (after, "freeze") : dn_context_is_frozen (context);
  ok = dn_forensics_run (request, context, &plan, request->fds.fds[0], error);
  if (ok != NULL)
    json_object_set_object_member (ok, "who", describe_caller (request->caller));
  return ok;
}

DN_VERB (context_thaw)
{
  g_autofree char *name = NULL;
  const DnJsonField fields[]
      = { { "context", DN_JSON_STRING, TRUE, &name }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnContext) context = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL || !dn_context_thaw (context, error))
    return NULL;
  ok = json_object_new ();
  json_object_set_string_member (ok, "name", context->name);
  return ok;
}
