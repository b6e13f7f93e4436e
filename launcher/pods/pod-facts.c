/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-facts.h"

#include <string.h>

#include "../common/error.h"
#include "../guest/share-server.h"

void
dn_pod_facts_clear (DnPodFacts *facts)
{
  g_strfreev (facts->files);
  g_strfreev (facts->memory);
  g_strfreev (facts->copies);
  *facts = (DnPodFacts){ NULL };
}

gboolean
dn_pod_facts_fill_source (const char *root, const char *rest, gboolean is_writable,
                          DnShareSource *source, GError **error)
{
  *source = (DnShareSource){ .is_writable = is_writable, .is_executable = TRUE };
  if (strchr (root, '\n') != NULL || strchr (rest, '\n') != NULL
      || g_strlcpy (source->root, root, sizeof source->root) >= sizeof source->root
      || g_strlcpy (source->rest, rest, sizeof source->rest) >= sizeof source->rest)
    return dn_throw (error, DN_ERROR_LIMIT, "mount '%.200s': its path cannot be passed on", root);
  return TRUE;
}

/* @rest: in the place of the mount's own */
static gboolean
look (const DnPodMount *mount, const char *rest, guint party, DnShareAnswer *ret_answer,
      GError **error)
{
  g_autofree char *what = g_strdup_printf ("mount '%s'", mount->mount->target);
  g_autofree DnShareOrder *order = g_new0 (DnShareOrder, 1);

  order->verb = DN_SHARE_LOOK;
  order->process.uid = party;
  return dn_pod_facts_fill_source (mount->root, rest, !mount->is_readonly, &order->source, error)
         && dn_share_server_order (order, -1, what, ret_answer, error);
}

/* Lists that are being made. */
typedef struct
{
  guint party;
  GStrvBuilder *files;
  GStrvBuilder *memory;
  GStrvBuilder *copies;
} Lists;

static void
add_memory (const Lists *lists, const DnPodMount *mount, const char *volume,
            const DnShareAnswer *whole, const char *sub)
{
  g_autofree char *fact
      = g_strdup_printf ("%u %" G_GUINT64_FORMAT "\n%s\n%s\n%s", whole->owner_gid,
                         (guint64) whole->size_bytes, mount->mount->target, volume, sub);

  g_strv_builder_add (lists->memory, fact);
}

/* What is in memory and may be an emptyDir, or a subPath of any volume. */
static void
find_volume (const Lists *lists, const DnPodMount *mount, const DnShareAnswer *answer)
{
  g_autofree char *volume = dn_pod_mount_empty_dir (mount);
  const char *sub = answer->text + strspn (answer->text, "/");
  DnShareAnswer whole;

  if (volume == NULL)
    return;
  if (g_str_equal (volume, mount->rest))
    add_memory (lists, mount, volume, answer, "");
  else if (answer->is_directory && strchr (sub, '\n') == NULL
           && look (mount, volume, lists->party, &whole, NULL) && whole.is_memory)
    add_memory (lists, mount, volume, &whole, sub);
  else
    g_strv_builder_add (lists->copies, mount->mount->target);
}

gboolean
dn_pod_facts_ask (GPtrArray *mounts, guint party, DnPodFacts *ret_facts, GError **error)
{
  g_autoptr (GStrvBuilder) files = g_strv_builder_new (), memory = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) copies = g_strv_builder_new ();
  const Lists lists = { party, files, memory, copies };

  for (guint i = 0; i < mounts->len; i++)
    {
      const DnPodMount *mount = mounts->pdata[i];
      DnShareAnswer answer;

      if (!dn_pod_mount_is_shared (mount))
        continue;
      if (!look (mount, mount->rest, party, &answer, error))
        return FALSE;
      if (!answer.is_directory)
        g_strv_builder_add (files, mount->mount->target);
      if (answer.is_memory)
        find_volume (&lists, mount, &answer);
    }
  dn_pod_facts_clear (ret_facts);
  ret_facts->files = g_strv_builder_end (files);
  ret_facts->memory = g_strv_builder_end (memory);
  ret_facts->copies = g_strv_builder_end (copies);
  return TRUE;
}

static gboolean
has (char **list, const char *target)
{
  return list != NULL && g_strv_contains ((const char *const *) list, target);
}

static void
apply_memory (const char *fact, DnPodMount *mount)
{
  g_auto (GStrv) lines = g_strsplit (fact, "\n", 4);
  g_auto (GStrv) numbers = g_strsplit (lines[0], " ", 2);
  g_autofree char *volume = dn_pod_mount_empty_dir (mount);

  if (g_strv_length (lines) != 4 || g_strv_length (numbers) != 2
      || !g_str_equal (lines[1], mount->mount->target) || g_strcmp0 (volume, lines[2]) != 0)
    return;
  dn_pod_mount_become_memory (
      mount, &(DnPodMemory){ .gid = (guint) g_ascii_strtoull (numbers[0], NULL, 10),
                             .size_bytes = g_ascii_strtoull (numbers[1], NULL, 10),
                             .volume = lines[2],
                             .sub = lines[3] });
}

void
dn_pod_facts_apply (const DnPodFacts *facts, GPtrArray *mounts)
{
  for (guint i = 0; i < mounts->len; i++)
    {
      DnPodMount *mount = mounts->pdata[i];

      mount->is_file = has (facts->files, mount->mount->target);
      for (char **fact = facts->memory; fact != NULL && *fact != NULL; fact++)
        apply_memory (*fact, mount);
      if (mount->kind == DN_POD_MOUNT_SHARE && has (facts->copies, mount->mount->target))
        dn_pod_mount_become_copy (mount);
    }
}
