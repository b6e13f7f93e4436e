/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that hold a context on the host: QEMU, relay and their like. */
#include <string.h>

#include "../cli/answer.h"
#include "finding-private.h"

/* A process of the host's that is a context's: danchid and libvirt are nobody's, the guest's kernel
 * and agent are no processes of the host. */
static gboolean
is_context_process (JsonObject *link)
{
  return dn_finding_is_known (link, "context") && dn_finding_is_known (link, "pid");
}

typedef void (*EachFunc) (DnFindingLook *look, JsonObject *link, JsonObject *confinement);

static void
each (DnFindingLook *look, EachFunc func)
{
  JsonArray *chain = dn_answer_array (look->document, "chain");

  for (guint i = 0; i < dn_answer_length (chain); i++)
    {
      JsonObject *link = dn_answer_nth (chain, i);

      if (link != NULL && is_context_process (link))
        func (look, link, dn_answer_object (link, "confinement"));
    }
}

static void
add (DnFindingLook *look, JsonObject *link, const char *what)
{
  g_autofree char *subject
      = g_strdup_printf ("%s, pid %" G_GINT64_FORMAT, dn_answer_text (link, "program"),
                         dn_answer_int (link, "pid", 0));

  dn_finding_add (look, subject, dn_answer_text (link, "context"), "%s", what);
}

static void
find_root (DnFindingLook *look, JsonObject *link, JsonObject *confinement)
{
  (void) confinement;
  if (dn_finding_is_known (link, "uid") && dn_answer_int (link, "uid", -1) == 0)
    add (look, link, "it runs as root");
}

void
dn_find_chain_root (DnFindingLook *look)
{
  each (look, find_root);
}

static void
find_filter (DnFindingLook *look, JsonObject *link, JsonObject *confinement)
{
  if (dn_finding_is_known (confinement, "seccomp")
      && !g_str_equal (dn_answer_text (confinement, "seccomp"), "filter"))
    add (look, link, "no system call filter confines it");
}

void
dn_find_chain_filter (DnFindingLook *look)
{
  each (look, find_filter);
}

static void
find_capabilities (DnFindingLook *look, JsonObject *link, JsonObject *confinement)
{
  const char *set = confinement != NULL ? dn_answer_text (confinement, "capabilities") : "";

  if (set[strspn (set, "0")] != '\0')
    {
      g_autofree char *what = g_strdup_printf ("it has capabilities of the host: %s", set);

      add (look, link, what);
    }
}

void
dn_find_chain_capabilities (DnFindingLook *look)
{
  each (look, find_capabilities);
}

static void
find_label (DnFindingLook *look, JsonObject *link, JsonObject *confinement)
{
  const char *label = confinement != NULL ? dn_answer_text (confinement, "apparmor") : "";

  if (confinement != NULL && (*label == '\0' || strstr (label, "unconfined") != NULL))
    add (look, link, "no label of AppArmor or SELinux confines it, though this host has one");
}

void
dn_find_chain_label (DnFindingLook *look)
{
  if (dn_finding_has_lsm (look))
    each (look, find_label);
}

/* Each pair of contexts once, by the first process that shows it. */
void
dn_find_chain_shared_uid (DnFindingLook *look)
{
  JsonArray *chain = dn_answer_array (look->document, "chain");
  g_autoptr (GHashTable) owners = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < dn_answer_length (chain); i++)
    {
      JsonObject *link = dn_answer_nth (chain, i);
      const char *context, *owner;
      g_autofree char *what = NULL;
      gint64 uid;

      if (link == NULL || !is_context_process (link) || !dn_finding_is_known (link, "uid"))
        continue;
      uid = dn_answer_int (link, "uid", -1);
      context = dn_answer_text (link, "context");
      owner = g_hash_table_lookup (owners, &uid);
      if (owner == NULL)
        g_hash_table_insert (owners, g_memdup2 (&uid, sizeof uid), (gpointer) context);
      else if (!g_str_equal (owner, context)
               && g_hash_table_add (said, g_strconcat (owner, " ", context, NULL)))
        {
          what = g_strdup_printf ("uid %" G_GINT64_FORMAT " is context '%s''s as well", uid, owner);
          add (look, link, what);
        }
    }
}
