/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"

#define EVENT_FACTOR 10

static DnRefusal *
find (GArray *refusals, const DnMsgRefused *refused)
{
  for (guint i = 0; i < refusals->len; i++)
    {
      DnRefusal *refusal = &g_array_index (refusals, DnRefusal, i);

      if (refusal->call == refused->call && refusal->arch == refused->arch
          && refusal->action == refused->action)
        return refusal;
    }
  return NULL;
}

gboolean
dn_refusals_take (GArray **refusals, const DnMsgRefused *refused, gint64 now_us,
                  DnRefusal *ret_refusal)
{
  g_autofree char *program = dn_text_clean (refused->program, DN_PROGRAM_BYTES);
  DnRefusal *refusal;

  if (*refusals == NULL)
    *refusals = g_array_new (FALSE, TRUE, sizeof (DnRefusal));
  refusal = find (*refusals, refused);
  if (refusal == NULL)
    {
      const DnRefusal fresh = { .call = refused->call,
                                .arch = refused->arch,
                                .action = refused->action,
                                .error = refused->error,
                                .first_us = now_us };

      if ((*refusals)->len >= DN_REFUSALS_MAX)
        return FALSE;
      g_array_append_val (*refusals, fresh);
      refusal = &g_array_index (*refusals, DnRefusal, (*refusals)->len - 1);
    }
  /* Also what the agent says again after a new link. */
  if (refused->count <= refusal->count)
    return FALSE;
  refusal->count = refused->count;
  refusal->last_us = now_us;
  g_strlcpy (refusal->program, program, sizeof refusal->program);
  if (refusal->told != 0 && refusal->count / EVENT_FACTOR < refusal->told)
    return FALSE;
  refusal->told = refusal->count;
  *ret_refusal = *refusal;
  return TRUE;
}

char *
dn_refusal_call_name (const DnRefusal *refusal)
{
  char *name;
  char *copy;

  if (refusal->call == DN_REFUSED_OTHERS)
    return g_strdup ("(others)");
  /* The architectures' numbers are the kernel's in both; not x32's, which has no name of its own.
   */
  name = seccomp_syscall_resolve_num_arch (refusal->arch, (int) refusal->call);
  copy = name != NULL ? g_strdup (name) : g_strdup_printf ("call %u", refusal->call);
  free (name);
  return copy;
}

char *
dn_refusal_action_name (const DnRefusal *refusal)
{
  const char *name;

  switch (refusal->action)
    {
    case SECCOMP_RET_ERRNO:
      name = refusal->error != 0 ? strerrorname_np ((int) refusal->error) : NULL;
      return g_strdup (name != NULL ? name : "error");
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
      return g_strdup ("SIGSYS");
    case SECCOMP_RET_LOG:
      return g_strdup ("logged");
    default:
      return g_strdup_printf ("action 0x%x", refusal->action);
    }
}

JsonArray *
dn_refusals_to_json (GArray *refusals)
{
  JsonArray *array;

  if (refusals == NULL)
    return NULL;
  array = json_array_new ();
  for (guint i = 0; i < refusals->len; i++)
    {
      const DnRefusal *refusal = &g_array_index (refusals, DnRefusal, i);
      g_autofree char *call = dn_refusal_call_name (refusal);
      g_autofree char *action = dn_refusal_action_name (refusal);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "call", call);
      json_object_set_string_member (object, "action", action);
      json_object_set_int_member (object, "count", (gint64) MIN (refusal->count, G_MAXINT64));
      json_object_set_string_member (object, "program", refusal->program);
      json_object_set_int_member (object, "first_us", refusal->first_us);
      json_object_set_int_member (object, "last_us", refusal->last_us);
      json_object_set_int_member (object, "call_number", refusal->call);
      json_object_set_int_member (object, "arch", refusal->arch);
      json_object_set_int_member (object, "seccomp_action", refusal->action);
      json_object_set_int_member (object, "error", refusal->error);
      json_array_add_object_element (array, object);
    }
  return array;
}

static gboolean
read_one (JsonNode *node, DnRefusal *refusal, const char *what, GError **error)
{
  g_autofree char *call_name = NULL, *action_name = NULL, *program = NULL;
  gint64 count = 0, call = 0, arch = 0, action = 0, number = 0;
  const DnJsonField fields[] = {
    { "call", DN_JSON_STRING, TRUE, &call_name },
    { "action", DN_JSON_STRING, TRUE, &action_name },
    { "count", DN_JSON_INT, TRUE, &count },
    { "program", DN_JSON_STRING, TRUE, &program },
    { "first_us", DN_JSON_INT, TRUE, &refusal->first_us },
    { "last_us", DN_JSON_INT, TRUE, &refusal->last_us },
    { "call_number", DN_JSON_INT, TRUE, &call },
    { "arch", DN_JSON_INT, TRUE, &arch },
    { "seccomp_action", DN_JSON_INT, TRUE, &action },
    { "error", DN_JSON_INT, TRUE, &number },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: refused: not a list of objects", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error))
    return FALSE;
  refusal->call = (guint32) call;
  refusal->arch = (guint32) arch;
  refusal->action = (guint32) action;
  refusal->error = (guint32) number;
  refusal->count = refusal->told = (guint64) MAX (count, 0);
  g_strlcpy (refusal->program, program, sizeof refusal->program);
  return TRUE;
}

GArray *
dn_refusals_read (JsonArray *array, const char *what, GError **error)
{
  g_autoptr (GArray) refusals = g_array_new (FALSE, TRUE, sizeof (DnRefusal));
  guint count = MIN (json_array_get_length (array), DN_REFUSALS_MAX);

  for (guint i = 0; i < count; i++)
    {
      DnRefusal refusal = { 0 };

      if (!read_one (json_array_get_element (array, i), &refusal, what, error))
        return NULL;
      g_array_append_val (refusals, refusal);
    }
  return g_steal_pointer (&refusals);
}
