/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <string.h>

#include "../common/json.h"
#include "args.h"

static const char *const phase_words[] = {
  [DN_RECORD_REQUEST] = "request",
  [DN_RECORD_OUTCOME] = "outcome",
  [DN_RECORD_WHOLE] = "whole",
  [DN_RECORD_ACT] = "act",
};

DnRecordEntry *
dn_record_entry_new (DnRecordPhase phase, const char *verb)
{
  DnRecordEntry *entry = g_new0 (DnRecordEntry, 1);

  entry->phase = phase;
  entry->who.login_uid = DN_RECORD_NOBODY;
  dn_record_set_text (&entry->verb, verb);
  return entry;
}

void
dn_record_entry_free (DnRecordEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->who.command);
  g_free (entry->verb);
  g_free (entry->context);
  g_free (entry->tenant);
  g_free (entry->stage);
  g_free (entry->tier);
  g_free (entry->pod);
  g_free (entry->container_id);
  g_free (entry->container);
  g_free (entry->image);
  g_free (entry->image_digest);
  g_free (entry->image_signature);
  g_free (entry->profile);
  g_free (entry->profile_sha256);
  g_free (entry->rule);
  g_free (entry->outcome);
  g_free (entry->message);
  g_clear_pointer (&entry->args, json_object_unref);
  g_free (entry);
}

void
dn_record_set_text (char **field, const char *text)
{
  g_free (*field);
  *field = text != NULL ? dn_record_text (text) : NULL;
}

static void
set_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

/* An object member with those texts of the pairs that there are; nothing where there is none. */
static void
set_object (JsonObject *object, const char *name, const char *const *pairs)
{
  JsonObject *inner = json_object_new ();

  for (; pairs[0] != NULL; pairs += 2)
    set_text (inner, pairs[0], pairs[1]);
  if (json_object_get_size (inner) > 0)
    json_object_set_object_member (object, name, inner);
  else
    json_object_unref (inner);
}

static void
set_who (JsonObject *object, const DnRecordWho *who)
{
  JsonObject *inner = json_object_new ();

  json_object_set_int_member (inner, "uid", who->uid);
  json_object_set_int_member (inner, "gid", who->gid);
  if (who->pid > 0)
    json_object_set_int_member (inner, "pid", who->pid);
  if (who->login_uid != DN_RECORD_NOBODY)
    json_object_set_int_member (inner, "login_uid", who->login_uid);
  set_text (inner, "command", who->command);
  json_object_set_object_member (object, "who", inner);
}

static JsonObject *
to_json (const DnRecordEntry *entry)
{
  JsonObject *object = json_object_new ();

  /* The verb first: the check reads danchid's own words there. */
  json_object_set_string_member (object, "verb", entry->verb != NULL ? entry->verb : "");
  json_object_set_string_member (object, "phase", phase_words[entry->phase]);
  if (entry->request > 0)
    json_object_set_int_member (object, "request", (gint64) entry->request);
  set_who (object, &entry->who);
  set_object (object, "context",
              (const char *const[]){ "name", entry->context, "tenant", entry->tenant, "stage",
                                     entry->stage, "tier", entry->tier, NULL, NULL });
  set_text (object, "pod", entry->pod);
  set_object (
      object, "container",
      (const char *const[]){ "id", entry->container_id, "name", entry->container, NULL, NULL });
  set_object (object, "image",
              (const char *const[]){ "name", entry->image, "digest", entry->image_digest,
                                     "signature", entry->image_signature, NULL, NULL });
  set_object (
      object, "profile",
      (const char *const[]){ "name", entry->profile, "sha256", entry->profile_sha256, NULL, NULL });
  if (entry->phase != DN_RECORD_ACT)
    json_object_set_string_member (object, "decision", entry->is_denied ? "deny" : "allow");
  set_text (object, "rule", entry->rule);
  set_text (object, "outcome", entry->outcome);
  set_text (object, "message", entry->message);
  if (entry->unrecorded > 0)
    json_object_set_int_member (object, "unrecorded", (gint64) entry->unrecorded);
  return object;
}

static char *
print (const DnRecordEntry *entry, gboolean has_args)
{
  JsonObject *object = to_json (entry);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  if (entry->args != NULL && has_args)
    json_object_set_object_member (object, "args", json_object_ref (entry->args));
  else if (entry->args != NULL)
    json_object_set_boolean_member (object, "is_cut", TRUE);
  json_node_take_object (node, object);
  return dn_json_to_text (node, FALSE);
}

char *
dn_record_entry_print (const DnRecordEntry *entry)
{
  g_autofree char *whole = print (entry, TRUE);

  if (strlen (whole) <= DN_RECORD_BODY_MAX_BYTES)
    return g_steal_pointer (&whole);
  /* Seventeen texts of DN_RECORD_TEXT_MAX_BYTES with the members' names: that fits. */
  return print (entry, FALSE);
}
