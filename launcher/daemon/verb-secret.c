/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a container's secrets, and new contents for them. */
#include "../common/error.h"
#include "../common/signal-name.h"
#include "../secrets/secret-send.h"
#include "../secrets/secrets-part.h"
#include "container-call.h"
#include "gate.h"
#include "lookup.h"
#include "verbs.h"

DN_VERB (secret_list)
{
  g_autoptr (DnContainer) container = dn_verb_read_container (request, error);
  g_autoptr (GPtrArray) specs = container != NULL ? dn_secrets_of (container, error) : NULL;
  g_autoptr (DnGuest) guest = NULL;
  g_autoptr (GHashTable) there = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (specs == NULL)
    return NULL;
  /* One that does not run has none, which is no error. */
  guest = dn_container_get_guest (container, NULL);
  if (guest != NULL && specs->len > 0)
    {
      there = dn_secrets_ask (container, guest, error);
      if (there == NULL)
        return NULL;
    }
  ok = json_object_new ();
  json_object_set_array_member (ok, "secrets", dn_secrets_to_json (specs, there));
  return ok;
}

static gboolean
update_one (DnContainer *container, DnGuest *guest, DnRequest *request, const DnSecretSpec *spec,
            gint64 end_us, GError **error)
{
  DnMsgSecret message;

  dn_secrets_fill_message (container, spec, &message);
  if (!dn_secret_send (guest, request, spec->name, &message, end_us, error))
    return FALSE;
  dn_container_event (container, "secret-update",
                      (const char *const[]){ "secret", spec->name, NULL });
  return TRUE;
}

static gboolean
update (DnContainer *container, DnRequest *request, char **names, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_secrets_of (container, error);
  gint64 end_us = g_get_monotonic_time () + DN_SECRETS_TIMEOUT_US;
  g_autoptr (DnGuest) guest = NULL;

  if (specs == NULL)
    return FALSE;
  for (char **name = names; *name != NULL; name++)
    {
      if (!dn_secret_name_check (*name, "secret", error))
        return FALSE;
      if (dn_secret_specs_find (specs, *name) == NULL)
        return dn_throw (error, DN_ERROR_NOT_FOUND,
                         "container '%s': has no secret '%s'\nsee danchi secret ls %s",
                         container->name, *name, container->name);
    }
  guest = dn_container_get_guest (container, error);
  for (; guest != NULL && *names != NULL; names++)
    if (!update_one (container, guest, request, dn_secret_specs_find (specs, *names), end_us,
                     error))
      return FALSE;
  return guest != NULL;
}

DN_VERB (secret_update)
{
  g_autofree char *name = NULL, *signal = NULL;
  g_auto (GStrv) contents = NULL;
  guint number = 0;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "contents", DN_JSON_STRINGS, TRUE, &contents },
    { "signal", DN_JSON_STRING, FALSE, &signal },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gboolean is_fine;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (signal != NULL && !dn_signal_parse (signal, &number, error)))
    return NULL;
  if (contents[0] == NULL)
    {
      dn_throw (error, DN_ERROR_USAGE, "contents: names no secret");
      return NULL;
    }
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  /* Without op_lock: whoever stops or removes the container need not wait for this client. */
  is_fine = update (container, request, contents, error)
            && (signal == NULL || dn_container_signal (container, 0, (int) number, 0, error));
  return is_fine ? dn_verb_answer (container) : NULL;
}
