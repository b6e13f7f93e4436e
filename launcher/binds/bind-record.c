/* SPDX-License-Identifier: Apache-2.0 */
#include "bind-record.h"

#include "../base/share-order.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../spec/mount-spec.h"

void
dn_bind_record_clear (DnBindRecord *record)
{
  g_clear_pointer (&record->groups, g_array_unref);
  g_clear_pointer (&record->facts, g_array_unref);
}

void
dn_bind_record_copy (const DnBindRecord *record, DnBindRecord *ret_copy)
{
  *ret_copy = *record;
  ret_copy->groups = record->groups != NULL ? g_array_copy (record->groups) : NULL;
  ret_copy->facts = record->facts != NULL ? g_array_copy (record->facts) : NULL;
}

DnBindFact
dn_bind_record_fact (const DnBindRecord *record, guint index)
{
  return record->facts != NULL && index < record->facts->len
             ? g_array_index (record->facts, DnBindFact, index)
             : (DnBindFact){ .is_directory = TRUE };
}

JsonObject *
dn_bind_record_to_json (const DnBindRecord *record)
{
  JsonObject *object;
  JsonArray *groups, *facts;

  if (record->facts == NULL)
    return NULL;
  object = json_object_new ();
  groups = json_array_new ();
  facts = json_array_new ();
  for (guint i = 0; i < record->groups->len; i++)
    json_array_add_int_element (groups, g_array_index (record->groups, guint, i));
  for (guint i = 0; i < record->facts->len; i++)
    {
      const DnBindFact *fact = &g_array_index (record->facts, DnBindFact, i);
      JsonObject *one = json_object_new ();

      json_object_set_boolean_member (one, "is_directory", fact->is_directory);
      json_object_set_int_member (one, "host_uid", fact->host_uid);
      json_object_set_int_member (one, "host_gid", fact->host_gid);
      json_object_set_int_member (one, "uid", fact->uid);
      json_object_set_int_member (one, "gid", fact->gid);
      json_array_add_object_element (facts, one);
    }
  json_object_set_int_member (object, "gid", record->gid);
  json_object_set_array_member (object, "groups", groups);
  json_object_set_array_member (object, "facts", facts);
  return object;
}

static gboolean
is_id (gint64 id)
{
  return id >= 0 && id < G_MAXUINT32;
}

static gboolean
read_groups (DnBindRecord *record, JsonArray *array, const char *what, GError **error)
{
  guint count = json_array_get_length (array);

  if (count > DN_SHARE_GROUPS_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: too many groups", what);
  for (guint i = 0; i < count; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      gint64 id = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : -1;
      guint group = (guint) id;

      if (!is_id (id))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: a group is none", what);
      g_array_append_val (record->groups, group);
    }
  return TRUE;
}

static gboolean
read_fact (DnBindRecord *record, JsonNode *node, const char *what, GError **error)
{
  DnBindFact fact = { 0 };
  gint64 host_uid = 0, host_gid = 0, uid = 0, gid = 0;
  const DnJsonField fields[] = {
    { "is_directory", DN_JSON_BOOL, TRUE, &fact.is_directory },
    { "host_uid", DN_JSON_INT, TRUE, &host_uid },
    { "host_gid", DN_JSON_INT, TRUE, &host_gid },
    { "uid", DN_JSON_INT, TRUE, &uid },
    { "gid", DN_JSON_INT, TRUE, &gid },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: a bind is no object", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error))
    return FALSE;
  if (!is_id (host_uid) || !is_id (host_gid) || !is_id (uid) || !is_id (gid))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: an id is none", what);
  fact.host_uid = (guint) host_uid;
  fact.host_gid = (guint) host_gid;
  fact.uid = (guint) uid;
  fact.gid = (guint) gid;
  g_array_append_val (record->facts, fact);
  return TRUE;
}

gboolean
dn_bind_record_read (DnBindRecord *record, JsonObject *object, const char *what, GError **error)
{
  g_autoptr (JsonArray) groups = NULL, facts = NULL;
  gint64 gid = 0;
  const DnJsonField fields[] = {
    { "gid", DN_JSON_INT, TRUE, &gid },
    { "groups", DN_JSON_ARRAY, TRUE, &groups },
    { "facts", DN_JSON_ARRAY, TRUE, &facts },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  if (!is_id (gid) || json_array_get_length (facts) > DN_MOUNT_SPECS_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: its binds are none", what);
  record->gid = (guint) gid;
  record->groups = g_array_new (FALSE, FALSE, sizeof (guint));
  record->facts = g_array_new (FALSE, FALSE, sizeof (DnBindFact));
  for (guint i = 0; i < json_array_get_length (facts); i++)
    if (!read_fact (record, json_array_get_element (facts, i), what, error))
      return FALSE;
  return read_groups (record, groups, what, error);
}
