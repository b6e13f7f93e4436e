/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's share was promised to hold, and what the host's kernel says is mounted in it. */
#include <string.h>
#include <unistd.h>

#include "../pods/pod-mount.h"
#include "../spec/mount-spec.h"
#include "binds.h"

/* How owners are translated: by the mount, or in a pod's share by those of an overlay's layers, or
 * because it is a copy. */
#define IDMAPPED "idmapped"
#define COPY "copy"

/* One bind: as "0 ro,noexec,nosuid,nodev,nosymfollow,idmapped".  @owners: NULL: it is not safe */
static char *
format_bind (guint number, gboolean is_readonly, gboolean is_executable, const char *owners)
{
  return g_strdup_printf (
      "%u %s%s%s%s", number, is_readonly ? "ro" : "rw", is_executable ? "" : ",noexec",
      owners != NULL ? ",nosuid,nodev,nosymfollow," : "", owners != NULL ? owners : "");
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return strcmp (*(const char *const *) one, *(const char *const *) other);
}

/* "none", or all of them.  Takes @lines. */
static char *
join (GPtrArray *lines)
{
  char *text;

  g_ptr_array_sort (lines, compare);
  g_ptr_array_add (lines, NULL);
  text = lines->len > 1 ? g_strjoinv ("; ", (char **) lines->pdata) : g_strdup ("none");
  g_ptr_array_unref (lines);
  return text;
}

static void
add_pods (const DnContainer *container, guint slot, GPtrArray *lines)
{
  /* A root on a device is no part of the share. */
  if (container->pod->device == NULL)
    g_ptr_array_add (lines, format_bind (dn_binds_number (slot, 0), FALSE, TRUE, IDMAPPED));
  for (guint i = 0; i < container->pod->mounts->len; i++)
    {
      const DnPodMount *mount = container->pod->mounts->pdata[i];
      const guint number = dn_binds_number (slot, mount->number);

      if (mount->kind == DN_POD_MOUNT_COPY)
        g_ptr_array_add (lines, format_bind (number, TRUE, FALSE, COPY));
      else if (mount->kind == DN_POD_MOUNT_SHARE)
        g_ptr_array_add (lines, format_bind (number, mount->is_readonly, TRUE, IDMAPPED));
    }
}

static void
add_promised (DnContainer *container, GPtrArray *lines)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (GPtrArray) binds = dn_binds_list (options, NULL);
  gboolean is_there;
  guint slot;

  g_mutex_lock (&container->daemon->lock);
  is_there = container->in_guest && container->state == DN_CONTAINER_RUNNING;
  slot = container->slot;
  g_mutex_unlock (&container->daemon->lock);
  if (is_there && container->pod != NULL)
    add_pods (container, slot, lines);
  for (guint i = 0; is_there && binds != NULL && i < binds->len; i++)
    {
      const DnMountSpec *spec = binds->pdata[i];

      g_ptr_array_add (lines, format_bind (dn_binds_number (slot, i), spec->is_readonly,
                                           spec->is_executable, IDMAPPED));
    }
}

char *
dn_binds_promised (DnContext *context)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) containers = dn_container_list (context->daemon);

  for (guint i = 0; i < containers->len; i++)
    if (((DnContainer *) containers->pdata[i])->context == context)
      add_promised (containers->pdata[i], lines);
  return join (lines);
}

static gboolean
has_all (char **flags, const char *const *wanted)
{
  for (; *wanted != NULL; wanted++)
    if (!g_strv_contains ((const char *const *) flags, *wanted))
      return FALSE;
  return TRUE;
}

/* Nobody but danchi-share mounts here: an overlay is one that it has laid over translated layers,
 * and a tmpfs that is not translated holds what it has copied. */
static const char *
find_owners (char **flags, const char *rest)
{
  static const char *const safe[] = { "nosuid", "nodev", "nosymfollow", NULL };
  static const char *const closed[] = { "ro", "noexec", NULL };
  const char *type = strstr (rest, "- ");

  if (!has_all (flags, safe) || type == NULL)
    return NULL;
  if (g_strv_contains ((const char *const *) flags, IDMAPPED)
      || g_str_has_prefix (type, "- overlay "))
    return IDMAPPED;
  return g_str_has_prefix (type, "- tmpfs ") && has_all (flags, closed) ? COPY : NULL;
}

/* A line of mountinfo whose place is "/NUMBER": all else is not a bind, and is told as it is. */
static void
add_observed (const char *line, GPtrArray *lines)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 7);
  g_auto (GStrv) flags = NULL;
  guint64 number;

  if (g_strv_length (words) < 7 || g_str_equal (words[4], "/"))
    return;
  flags = g_strsplit (words[5], ",", -1);
  if (!g_ascii_string_to_unsigned (words[4] + 1, 10, 0, G_MAXUINT, &number, NULL))
    {
      g_ptr_array_add (lines, g_strdup (words[4]));
      return;
    }
  g_ptr_array_add (lines,
                   format_bind ((guint) number, g_strv_contains ((const char *const *) flags, "ro"),
                                !g_strv_contains ((const char *const *) flags, "noexec"),
                                find_owners (flags, words[6])));
}

char *
dn_binds_observed (const char *mountinfo)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) rows = g_strsplit (mountinfo, "\n", -1);

  for (char **row = rows; *row != NULL; row++)
    add_observed (*row, lines);
  return join (lines);
}

void
dn_binds_add_facts (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *mounts_path = g_strdup_printf ("/proc/%d/mountinfo", pid);
  g_autofree char *root_path = g_strdup_printf ("/proc/%d/root", pid);
  g_autofree char *mounts = NULL, *observed = NULL;
  g_autofree char *root = g_file_read_link (root_path, NULL);

  if (root != NULL)
    dn_verify_facts_add (facts, "share.root", root);
  if (!g_file_get_contents (mounts_path, &mounts, NULL, NULL))
    return;
  observed = dn_binds_observed (mounts);
  dn_verify_facts_add (facts, "share.binds", observed);
}
