/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <string.h>

#include "../common/names.h"

struct DnVerifyFacts
{
  GHashTable *names; /* owned: text to GPtrArray of DnVerifyFact */
  guint count;
  gboolean is_cut;
};

static void
fact_free (gpointer data)
{
  DnVerifyFact *fact = data;

  g_free (fact->value);
  g_free (fact);
}

DnVerifyFacts *
dn_verify_facts_new (void)
{
  DnVerifyFacts *facts = g_new0 (DnVerifyFacts, 1);

  facts->names
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  return facts;
}

void
dn_verify_facts_free (DnVerifyFacts *facts)
{
  if (facts == NULL)
    return;
  g_hash_table_unref (facts->names);
  g_free (facts);
}

static void
add (DnVerifyFacts *facts, const char *name, const char *value, guint count, guint pid)
{
  g_autofree char *clean_name = dn_text_clean (name, DN_FACT_NAME_BYTES);
  GPtrArray *values = g_hash_table_lookup (facts->names, clean_name);
  DnVerifyFact *fact;

  if (facts->count >= DN_FACTS_MAX)
    {
      facts->is_cut = TRUE;
      return;
    }
  facts->count++;
  if (values == NULL)
    {
      values = g_ptr_array_new_with_free_func (fact_free);
      g_hash_table_insert (facts->names, g_steal_pointer (&clean_name), values);
    }
  fact = g_new0 (DnVerifyFact, 1);
  fact->value = dn_text_clean (value, DN_FACT_VALUE_BYTES);
  fact->count = count;
  fact->pid = pid;
  g_ptr_array_add (values, fact);
}

void
dn_verify_facts_add (DnVerifyFacts *facts, const char *name, const char *value)
{
  const GPtrArray *values = dn_verify_facts_find (facts, name);

  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      DnVerifyFact *fact = values->pdata[i];

      if (!g_str_equal (fact->value, value))
        continue;
      fact->count++;
      return;
    }
  add (facts, name, value, 1, 0);
}

void
dn_verify_facts_take (DnVerifyFacts *facts, const guint8 *payload, guint32 size)
{
  DnMsgFact fact;

  if (dn_msg_fact_unpack (payload, size, &fact) < 0)
    facts->is_cut = TRUE;
  else
    add (facts, fact.name, fact.value, fact.count, fact.pid);
}

const GPtrArray *
dn_verify_facts_find (const DnVerifyFacts *facts, const char *name)
{
  return g_hash_table_lookup (facts->names, name);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
dn_verify_facts_list (const DnVerifyFacts *facts, const char *prefix)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, facts->names);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (g_str_has_prefix (key, prefix))
      g_ptr_array_add (names, g_strdup (key));
  g_ptr_array_sort (names, compare_names);
  return names;
}

gboolean
dn_verify_facts_are_complete (const DnVerifyFacts *facts)
{
  return !facts->is_cut && g_hash_table_contains (facts->names, DN_FACT_COMPLETE);
}
