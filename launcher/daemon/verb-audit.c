/* SPDX-License-Identifier: Apache-2.0 */
/* The verb audit: what danchid knows of contexts, programs and machines on this host.  Where some
 * of it cannot be asked the rest is told: no guest and no libvirt keeps an auditor waiting. */
#include <string.h>

#include "../common/paths.h"
#include "../guest/domain-xml.h"
#include "../guest/hypervisor.h"
#include "../guest/process.h"
#include "../images/trust.h"
#include "audit-contexts.h"
#include "chain.h"
#include "json-build.h"
#include "settings-file.h"
#include "verbs.h"

/* For the listening sockets; an emulated guest takes a second or two under load. */
#define ASK_TIMEOUT_MS 5000
#define LIST_TIMEOUT_MS 5000

/* The context whose guest has the domain's name, or NULL. (transfer full) */
static char *
find_context (const GPtrArray *contexts, const char *domain, gint *ret_pid)
{
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      g_autoptr (DnGuest) guest = NULL;
      DnGuestInfo info = { 0 };
      gboolean is_it;

      g_mutex_lock (&context->daemon->lock);
      is_it = g_str_has_prefix (domain, DN_DOMAIN_NAME_PREFIX) && context->guest_id[0] != '\0'
              && g_str_equal (domain + strlen (DN_DOMAIN_NAME_PREFIX), context->guest_id);
      guest = is_it && context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
      g_mutex_unlock (&context->daemon->lock);
      if (!is_it)
        continue;
      if (guest != NULL)
        {
          dn_guest_get_info (guest, &info);
          *ret_pid = info.qemu_pid;
          dn_guest_info_clear (&info);
        }
      return g_strdup (context->name);
    }
  return NULL;
}

static JsonObject *
machine_to_json (const DnHypervisorMachine *machine, const GPtrArray *contexts)
{
  gint pid = machine->pid;
  g_autofree char *context = machine->is_ours ? find_context (contexts, machine->name, &pid) : NULL;
  JsonObject *object = json_object_new ();
  guint uid;

  json_object_set_string_member (object, "name", machine->name);
  dn_json_set_text_or_null (object, "uuid", machine->uuid);
  if (pid > 0 && dn_process_get_uid (pid, &uid))
    {
      json_object_set_int_member (object, "pid", pid);
      json_object_set_int_member (object, "uid", uid);
    }
  else
    {
      json_object_set_null_member (object, "pid");
      json_object_set_null_member (object, "uid");
    }
  json_object_set_boolean_member (object, "is_danchi", machine->is_ours);
  json_object_set_string_member (object, "source", "libvirt");
  dn_json_set_text_or_null (object, "context", context);
  json_object_set_string_member (object, "hypervisor", machine->hypervisor);
  return object;
}

/* NULL with @error: it is not known which there are. */
static JsonArray *
list_machines (DnDaemon *daemon, GError **error)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  g_autoptr (GPtrArray) machines = dn_hypervisor_list_machines (
      DN_DOMAIN_METADATA_URI, dn_paths ()->run, LIST_TIMEOUT_MS, error);
  JsonArray *array;

  if (machines == NULL)
    return NULL;
  array = json_array_new ();
  for (guint i = 0; i < machines->len; i++)
    json_array_add_object_element (array, machine_to_json (machines->pdata[i], contexts));
  return array;
}

static JsonArray *
list_chain (DnDaemon *daemon, const DnLibvirtFacts *libvirt)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  JsonArray *chain = json_array_new ();

  dn_chain_add_host (chain, libvirt);
  for (guint i = 0; i < contexts->len; i++)
    dn_chain_add_context (chain, contexts->pdata[i], libvirt);
  return chain;
}

/* What is asked of images that come to this host. */
static JsonObject *
images_to_json (DnDaemon *daemon)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *policy = dn_trust_find (settings->trust_policy);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "policy", policy);
  json_object_set_string_member (object, "takes", dn_trust_takes (policy));
  json_object_set_int_member (object, "load_keys", g_strv_length (settings->load_keys));
  json_object_set_string_member (object, "load_signature", dn_need_words[settings->load_signature]);
  return object;
}

DN_VERB (audit)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_auto (DnLibvirtFacts) libvirt = { 0 };
  g_autoptr (DnListeners) listeners = NULL;
  g_autoptr (GError) problem = NULL;
  JsonArray *machines;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  dn_context_refresh (request->daemon);
  listeners = dn_listeners_ask (request->daemon, ASK_TIMEOUT_MS);
  dn_libvirt_facts_get (&libvirt);
  machines = list_machines (request->daemon, &problem);
  if (machines == NULL && libvirt.error == NULL)
    libvirt.error = g_strndup (problem->message, strcspn (problem->message, "\n"));
  ok = json_object_new ();
  json_object_set_array_member (ok, "contexts", dn_audit_contexts (request->daemon, listeners));
  json_object_set_array_member (ok, "chain", list_chain (request->daemon, &libvirt));
  json_object_set_array_member (ok, "machines", machines != NULL ? machines : json_array_new ());
  json_object_set_object_member (ok, "images", images_to_json (request->daemon));
  json_object_set_object_member (ok, "libvirt", dn_libvirt_facts_to_json (&libvirt));
  return ok;
}
