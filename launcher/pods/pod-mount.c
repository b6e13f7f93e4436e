/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-mount.h"

#include <string.h>

#include "../common/error.h"
#include "../spec/bind-policy.h"
#include "../spec/tmpfs.h"

static void
free_mount (gpointer data)
{
  DnPodMount *mount = data;

  g_free (mount->name);
  g_free (mount->sub);
  g_free (mount->root);
  g_free (mount->version);
  g_free (mount->rest);
  g_free (mount);
}

/* The profile's own are mounted in their place, at these targets and no other. */
static const struct
{
  const char *type;
  const char *target;
} kernels_own[] = {
  { "proc", "/proc" },
  { "tmpfs", "/dev" },
  { "devpts", "/dev/pts" },
  { "mqueue", "/dev/mqueue" },
  { "sysfs", "/sys" },
  { "cgroup", "/sys/fs/cgroup" },
  { "cgroup2", "/sys/fs/cgroup" },
};

/* 1: it is; 0: it is another thing; -1: one of the kernel's at another place */
static int
find_kernels_own (const DnOciMount *mount)
{
  gboolean is_known = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (kernels_own); i++)
    {
      if (!g_str_equal (kernels_own[i].type, mount->type))
        continue;
      if (g_str_equal (kernels_own[i].target, mount->target))
        return 1;
      is_known = is_known || !g_str_equal (mount->type, "tmpfs");
    }
  return is_known ? -1 : 0;
}

static gboolean
has_option (const DnOciMount *mount, const char *option)
{
  return g_strv_contains ((const char *const *) mount->options, option);
}

/* Whether @path lies in @directory; then what follows. */
static const char *
below (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* The kubelet's directory of this very pod: what lies there is made, or mounted, for it. */
static gboolean
take_kubelets (DnPodMount *mount, const DnPodMountRules *rules)
{
  g_autofree char *directory = NULL;
  const char *rest;

  if (rules->pod_uid == NULL)
    return FALSE;
  directory = g_build_filename (rules->settings->kubelet, "pods", rules->pod_uid, NULL);
  rest = below (mount->mount->source, directory);
  if (rest == NULL)
    return FALSE;
  mount->root = g_steal_pointer (&directory);
  mount->rest = g_strdup (rest);
  return TRUE;
}

#define EMPTY_DIR "kubernetes.io~empty-dir"

static gboolean
is_volume (const DnPodMount *mount, const char *plugin)
{
  const char *rest = below (mount->rest, "volumes");
  const char *name = rest != NULL ? below (rest, plugin) : NULL;

  return name != NULL && name[0] != '\0' && strchr (name, '/') == NULL;
}

/* What the kubelet writes anew at one stroke. */
static gboolean
is_copied (const DnPodMount *mount)
{
  static const char *const plugins[] = { "kubernetes.io~secret", "kubernetes.io~configmap",
                                         "kubernetes.io~projected", "kubernetes.io~downward-api" };

  for (gsize i = 0; i < G_N_ELEMENTS (plugins); i++)
    if (is_volume (mount, plugins[i]))
      return TRUE;
  return FALSE;
}

gboolean
dn_pod_mount_is_shared (const DnPodMount *mount)
{
  return mount->kind == DN_POD_MOUNT_SHARE || mount->kind == DN_POD_MOUNT_COPY;
}

/* The kubelet mounts what a subPath leads to at volume-subpaths/VOLUME/CONTAINER/NUMBER. */
char *
dn_pod_mount_empty_dir (const DnPodMount *mount)
{
  const char *volume;

  if (mount->kind != DN_POD_MOUNT_SHARE)
    return NULL;
  if (is_volume (mount, EMPTY_DIR))
    return g_strdup (mount->rest);
  volume = below (mount->rest, "volume-subpaths");
  if (volume == NULL || strchr (volume, '/') == NULL)
    return NULL;
  return g_strdup_printf ("volumes/" EMPTY_DIR "/%.*s", (int) strcspn (volume, "/"), volume);
}

/* Named by the volume, which several containers of the pod may have. */
void
dn_pod_mount_become_memory (DnPodMount *mount, const DnPodMemory *memory)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, memory->volume, -1);

  mount->kind = DN_POD_MOUNT_MEMORY;
  mount->gid = memory->gid;
  mount->size_bytes = memory->size_bytes;
  g_free (mount->sub);
  mount->sub = g_strdup (memory->sub);
  g_free (mount->name);
  mount->name = g_strdup_printf ("dir-%.16s", hash);
}

void
dn_pod_mount_become_copy (DnPodMount *mount)
{
  mount->kind = DN_POD_MOUNT_COPY;
  mount->is_readonly = TRUE;
}

/* Files that the runtime made for this sandbox, in a directory that has its name; and images that
 * it has mounted as volumes of this sandbox's, which nobody writes to. */
static gboolean
take_runtimes (DnPodMount *mount, const DnPodMountRules *rules)
{
  static const char *const targets[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", NULL };
  g_autofree char *part = g_strdup_printf ("/%s/", rules->sandbox_id);
  g_autofree char *images = g_strconcat ("/image-volumes", part, NULL);
  const char *source = mount->mount->source, *at = strstr (source, part);

  if (at == NULL
      || !(g_strv_contains (targets, mount->mount->target)
           || (mount->is_readonly && strstr (source, images) != NULL)))
    return FALSE;
  mount->root = g_strndup (source, (gsize) (at - source) + strlen (part) - 1);
  mount->rest = g_strdup (at + strlen (part));
  return TRUE;
}

static gboolean
take_permitted (DnPodMount *mount, const DnPodMountRules *rules, const char *what, GError **error)
{
  const char *source = mount->mount->source, *rest = NULL;
  const char *reserved = dn_bind_policy_find_reserved (source, rules->own);
  g_auto (DnBindRoot) root = { NULL };

  if (reserved != NULL)
    return dn_throw (error, DN_ERROR_DENIED, "%s: mount '%s': '%s' is given to no guest", what,
                     mount->mount->target, reserved);
  if (!dn_bind_policy_find (rules->settings->binds, NULL, source, &root, &rest))
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: mount '%s': '%s' of this node is not permitted\n"
                     "permit it in [pods] binds of '%s', or take the hostPath out of the pod",
                     what, mount->mount->target, source, rules->file);
  if (!mount->is_readonly && !root.is_writable)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: mount '%s': '%s' of this node is permitted read-only\n"
                     "set readOnly: true, or permit '%s:rw' in [pods] binds of '%s'",
                     what, mount->mount->target, source, root.path, rules->file);
  mount->root = g_strdup (root.path);
  mount->rest = g_strdup (rest);
  return TRUE;
}

static gboolean
plan_bind (DnPodMount *mount, const DnPodMountRules *rules, const char *what, GError **error)
{
  mount->is_readonly = has_option (mount->mount, "ro") || has_option (mount->mount, "rro");
  if (has_option (mount->mount, "rshared") || has_option (mount->mount, "shared"))
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: mount '%s': mountPropagation: Bidirectional: what is mounted in a guest "
                     "is mounted nowhere else\n"
                     "take it out of the pod, or have a pod of another runtime mount it",
                     what, mount->mount->target);
  if (g_str_equal (mount->mount->target, "/dev/shm"))
    {
      mount->kind = DN_POD_MOUNT_MEMORY;
      mount->is_readonly = FALSE;
      mount->name = g_strdup (DN_POD_MEMORY_SHM);
      return TRUE;
    }
  mount->kind = DN_POD_MOUNT_SHARE;
  if (!dn_tmpfs_path_is_plain (mount->mount->source))
    return dn_throw (error, DN_ERROR_USAGE, "%s: mount '%s': its source is no plain absolute path",
                     what, mount->mount->target);
  if (!take_kubelets (mount, rules))
    return take_runtimes (mount, rules) || take_permitted (mount, rules, what, error);
  if (is_copied (mount))
    dn_pod_mount_become_copy (mount);
  return TRUE;
}

/* An empty file by which CRI-O tells programs that they are in a container.  It lies in the
 * container's own directory, of which the guest needs nothing else. */
static gboolean
is_mark (const DnOciMount *mount)
{
  return g_str_equal (mount->target, "/run/.containerenv")
         && g_str_has_suffix (mount->source, "/userdata/.containerenv");
}

static gboolean
plan_one (const DnOciMount *mount, const DnPodMountRules *rules, GPtrArray *list, const char *what,
          GError **error)
{
  int is_kernels = find_kernels_own (mount);
  DnPodMount *planned;

  if (is_kernels > 0 || is_mark (mount))
    return TRUE;
  if (is_kernels < 0)
    return dn_throw (error, DN_ERROR_DENIED, "%s: mount '%s': %s is mounted at its own place alone",
                     what, mount->target, mount->type);
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((DnPodMount *) list->pdata[i])->mount->target, mount->target))
      {
        g_ptr_array_remove_index (list, i);
        break;
      }
  planned = g_new0 (DnPodMount, 1);
  planned->mount = mount;
  g_ptr_array_add (list, planned);
  if (g_str_equal (mount->type, "bind"))
    return plan_bind (planned, rules, what, error);
  planned->kind = DN_POD_MOUNT_TMPFS;
  return g_str_equal (mount->type, "tmpfs")
         || dn_throw (error, DN_ERROR_DENIED, "%s: mount '%s': type '%.40s' is not possible", what,
                      mount->target, mount->type);
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return strcmp ((*(DnPodMount *const *) one)->mount->target,
                 (*(DnPodMount *const *) other)->mount->target);
}

GPtrArray *
dn_pod_mounts_plan (const DnOciConfig *config, const DnPodMountRules *rules, const char *what,
                    GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (free_mount);
  guint shares = 0;

  for (guint i = 0; i < config->mounts->len; i++)
    if (!plan_one (config->mounts->pdata[i], rules, list, what, error))
      return NULL;
  g_ptr_array_sort (list, compare);
  for (guint i = 0; i < list->len; i++)
    if (dn_pod_mount_is_shared (list->pdata[i]))
      ((DnPodMount *) list->pdata[i])->number = ++shares;
  if (shares <= DN_POD_SHARES_MAX)
    return g_steal_pointer (&list);
  dn_throw (error, DN_ERROR_LIMIT, "%s: %u volumes, and a container can have %d", what, shares,
            DN_POD_SHARES_MAX);
  return NULL;
}
