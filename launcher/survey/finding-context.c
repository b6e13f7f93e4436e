/* SPDX-License-Identifier: Apache-2.0 */
#include "../cli/answer.h"
#include "finding-private.h"

typedef void (*EachFunc) (DnFindingLook *look, JsonObject *context, const char *name);

static void
each (DnFindingLook *look, EachFunc func)
{
  JsonArray *contexts = dn_answer_array (look->document, "contexts");

  for (guint i = 0; i < dn_answer_length (contexts); i++)
    {
      JsonObject *context = dn_answer_nth (contexts, i);

      if (context != NULL)
        func (look, context, dn_answer_text (context, "name"));
    }
}

/* The kernels' own word first: what each calls this boot of itself. */
void
dn_find_context_shared_kernel (DnFindingLook *look)
{
  JsonArray *contexts = dn_answer_array (look->document, "contexts");
  g_autoptr (GHashTable) owners = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < dn_answer_length (contexts); i++)
    {
      JsonObject *context = dn_answer_nth (contexts, i);
      JsonObject *guest = context != NULL ? dn_answer_object (context, "guest") : NULL;
      const char *boot_id = guest != NULL ? dn_answer_text (guest, "boot_id") : "";
      const char *owner = g_hash_table_lookup (owners, boot_id);

      if (*boot_id == '\0')
        continue;
      if (owner == NULL)
        g_hash_table_insert (owners, (gpointer) boot_id,
                             (gpointer) dn_answer_text (context, "name"));
      else
        dn_finding_add (look, dn_answer_text (context, "name"), dn_answer_text (context, "name"),
                        "its kernel is context '%s''s as well (boot %s)", owner, boot_id);
    }
}

static void
find_error (DnFindingLook *look, JsonObject *context, const char *name)
{
  const char *error = dn_answer_text (context, "error");

  if (*error != '\0')
    dn_finding_add (look, name, name, "it cannot be used: %s", error);
}

void
dn_find_context_error (DnFindingLook *look)
{
  each (look, find_error);
}

static void
find_emulated (DnFindingLook *look, JsonObject *context, const char *name)
{
  JsonObject *guest = dn_answer_object (context, "guest");

  if (guest != NULL && dn_answer_is (guest, "is_running")
      && !g_str_equal (dn_answer_text (guest, "accelerator"), "kvm"))
    dn_finding_add (look, name, name, "its guest runs without KVM (%s): no security boundary",
                    dn_answer_text (guest, "accelerator"));
}

void
dn_find_context_emulated (DnFindingLook *look)
{
  each (look, find_emulated);
}

static void
find_root_only (DnFindingLook *look, JsonObject *context, const char *name)
{
  JsonObject *access = dn_answer_object (context, "access");

  if (access != NULL && !dn_answer_is (context, "is_ephemeral")
      && dn_answer_length (dn_answer_array (access, "users")) == 0
      && dn_answer_length (dn_answer_array (access, "groups")) == 0)
    dn_finding_add (look, name, name, "no user or group but root may use it");
}

void
dn_find_context_root_only (DnFindingLook *look)
{
  each (look, find_root_only);
}
