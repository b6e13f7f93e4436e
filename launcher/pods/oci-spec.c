/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-spec.h"

#include <stdlib.h>
#include <string.h>

#include "../spec/capability.h"
#include "../spec/env.h"

#define OCI_VERSION "1.1.0"
#define ECHO_SYSCTL "net.ipv4.ping_group_range"
#define ECHO_EVERYBODY "0 65535" /* ids of the container, of which there are no more */

static void
set_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
set_number (JsonBuilder *builder, const char *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

static void
set_flag (JsonBuilder *builder, const char *name, gboolean flag)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, flag);
}

static void
set_list (JsonBuilder *builder, const char *name, char **list)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (; list != NULL && *list != NULL; list++)
    json_builder_add_string_value (builder, *list);
  json_builder_end_array (builder);
}

static void
add_user (JsonBuilder *builder, const DnOciConfig *config)
{
  json_builder_set_member_name (builder, "user");
  json_builder_begin_object (builder);
  set_number (builder, "uid", config->uid);
  set_number (builder, "gid", config->gid);
  set_number (builder, "umask", config->umask);
  json_builder_set_member_name (builder, "additionalGids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < config->groups->len; i++)
    json_builder_add_int_value (builder, g_array_index (config->groups, guint, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_set (JsonBuilder *builder, const char *name, guint64 set)
{
  g_auto (GStrv) names = dn_capability_names (set);

  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (char **one = names; *one != NULL; one++)
    {
      g_autofree char *full = g_strconcat ("CAP_", *one, NULL);

      json_builder_add_string_value (builder, full);
    }
  json_builder_end_array (builder);
}

/* Root's; any other user has the ambient ones alone, as when the kernel changes ids. */
static void
add_capabilities (JsonBuilder *builder, const DnOciConfig *config)
{
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_object (builder);
  add_set (builder, "bounding", config->capabilities);
  add_set (builder, "effective", config->capabilities);
  add_set (builder, "inheritable", config->ambient);
  add_set (builder, "permitted", config->capabilities);
  add_set (builder, "ambient", config->ambient);
  json_builder_end_object (builder);
}

static void
add_limit (JsonBuilder *builder, const DnUlimit *limit)
{
  json_builder_begin_object (builder);
  set_text (builder, "type", limit->type);
  set_number (builder, "hard", limit->hard);
  set_number (builder, "soft", limit->soft);
  json_builder_end_object (builder);
}

static gboolean
has_limit (const GArray *limits, const char *type)
{
  for (guint i = 0; i < limits->len; i++)
    if (g_str_equal (g_array_index (limits, DnUlimit, i).type, type))
      return TRUE;
  return FALSE;
}

static void
add_limits (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  const GArray *own = plan->config->ulimits, *usual = plan->profile->ulimits;

  json_builder_set_member_name (builder, "rlimits");
  json_builder_begin_array (builder);
  for (guint i = 0; i < usual->len; i++)
    if (!has_limit (own, g_array_index (usual, DnUlimit, i).type))
      add_limit (builder, &g_array_index (usual, DnUlimit, i));
  for (guint i = 0; i < own->len; i++)
    add_limit (builder, &g_array_index (own, DnUlimit, i));
  json_builder_end_array (builder);
}

static void
add_env (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new_with_free_func (g_free);

  dn_env_merge (env, plan->config->env);
  if (plan->options->has_terminal && !dn_env_has (env, "TERM"))
    g_ptr_array_add (env, g_strdup ("TERM=xterm"));
  json_builder_set_member_name (builder, "env");
  json_builder_begin_array (builder);
  for (guint i = 0; i < env->len; i++)
    json_builder_add_string_value (builder, env->pdata[i]);
  json_builder_end_array (builder);
}

static void
add_process (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  const DnOciConfig *config = plan->config;
  gboolean has_cwd = config->cwd != NULL && config->cwd[0] != '\0';

  json_builder_set_member_name (builder, "process");
  json_builder_begin_object (builder);
  set_flag (builder, "terminal", plan->options->has_terminal);
  add_user (builder, config);
  set_list (builder, "args", config->args);
  add_env (builder, plan);
  set_text (builder, "cwd", has_cwd ? config->cwd : "/");
  add_capabilities (builder, config);
  add_limits (builder, plan);
  set_number (builder, "oomScoreAdj", config->oom_score_adj);
  set_flag (builder, "noNewPrivileges", TRUE);
  json_builder_end_object (builder);
}

static void
begin_mount (JsonBuilder *builder, const char *target, const char *type, const char *source)
{
  json_builder_begin_object (builder);
  set_text (builder, "destination", target);
  set_text (builder, "type", type);
  set_text (builder, "source", source);
  json_builder_set_member_name (builder, "options");
  json_builder_begin_array (builder);
}

static void
end_mount (JsonBuilder *builder)
{
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* Those of its options that a tmpfs in a guest knows. */
static void
add_tmpfs_options (JsonBuilder *builder, const DnOciMount *mount)
{
  static const char *const taken[] = { "size=", "mode=", "uid=", "gid=", "nr_inodes=" };
  static const char *const words[] = { "ro", "noexec", NULL };

  for (char **option = mount->options; *option != NULL; option++)
    {
      gboolean is_taken = g_strv_contains (words, *option);

      for (gsize i = 0; i < G_N_ELEMENTS (taken); i++)
        is_taken = is_taken || g_str_has_prefix (*option, taken[i]);
      if (is_taken)
        json_builder_add_string_value (builder, *option);
    }
}

/* /dev/shm is as runc's is; a volume is as large as the kubelet makes it, of which the agent takes
 * half of the guest where that has less, and belongs as the kubelet's to the pod's fsGroup. */
static void
add_memory_options (JsonBuilder *builder, const DnPodMount *mount)
{
  g_autofree char *gid = g_strdup_printf ("gid=%u", mount->gid);
  g_autofree char *size = g_strdup_printf ("size=%" G_GUINT64_FORMAT, mount->size_bytes);
  g_autofree char *sub = g_strconcat ("sub=", mount->sub, NULL);

  if (g_str_equal (mount->name, DN_POD_MEMORY_SHM))
    return;
  json_builder_add_string_value (builder, mount->size_bytes > 0 ? size : "size=50%");
  if (mount->sub != NULL && mount->sub[0] != '\0')
    json_builder_add_string_value (builder, sub);
  json_builder_add_string_value (builder, mount->gid != 0 ? "mode=2777" : "mode=0777");
  json_builder_add_string_value (builder, gid);
}

static void
add_mount (JsonBuilder *builder, const DnPodMount *mount)
{
  switch (mount->kind)
    {
    case DN_POD_MOUNT_TMPFS:
      begin_mount (builder, mount->mount->target, "tmpfs", "tmpfs");
      add_tmpfs_options (builder, mount->mount);
      break;
    case DN_POD_MOUNT_MEMORY:
      begin_mount (builder, mount->mount->target, "pod", mount->name);
      add_memory_options (builder, mount);
      break;
    case DN_POD_MOUNT_COPY:
    case DN_POD_MOUNT_SHARE:
      begin_mount (builder, mount->mount->target, "share", "share");
      if (mount->is_file)
        json_builder_add_string_value (builder, "file");
      break;
    }
  if (mount->is_readonly)
    json_builder_add_string_value (builder, "ro");
  json_builder_add_string_value (builder, "nosuid");
  json_builder_add_string_value (builder, "nodev");
  end_mount (builder);
}

static void
add_mounts (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  json_builder_set_member_name (builder, "mounts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plan->profile->mounts->len; i++)
    {
      const DnProfileMount *mount = plan->profile->mounts->pdata[i];

      begin_mount (builder, mount->target, mount->type, mount->type);
      for (char **option = mount->options; *option != NULL; option++)
        json_builder_add_string_value (builder, *option);
      end_mount (builder);
    }
  for (guint i = 0; i < plan->mounts->len; i++)
    add_mount (builder, plan->mounts->pdata[i]);
  json_builder_end_array (builder);
}

static void
add_annotations (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  g_autofree char *share = g_strdup_printf ("%u", plan->root_share);
  g_autofree char *profile
      = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, plan->profile->name, plan->profile->version);

  json_builder_set_member_name (builder, "annotations");
  json_builder_begin_object (builder);
  set_text (builder, "org.danchi.profile", profile);
  set_text (builder, "org.danchi.profile-sha256", plan->profile->sha256);
  set_text (builder, "org.danchi.root-share", share);
  set_text (builder, "org.danchi.pod", "yes");
  if (plan->processes != NULL)
    set_text (builder, "org.danchi.processes", plan->processes);
  json_builder_end_object (builder);
}

/* Of those that are a pod's the guest knows; of processes it is told by an annotation. */
static void
add_namespaces (JsonBuilder *builder, gboolean has_own_processes)
{
  static const char *const types[] = { "user", "mount", "pid", "ipc", "uts", "network", "cgroup" };

  json_builder_set_member_name (builder, "namespaces");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      if (!has_own_processes && g_str_equal (types[i], "pid"))
        continue;
      json_builder_begin_object (builder);
      set_text (builder, "type", types[i]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_mapping (JsonBuilder *builder, const char *name, guint first)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  json_builder_begin_object (builder);
  set_number (builder, "containerID", 0);
  set_number (builder, "hostID", first);
  set_number (builder, "size", DN_OCI_IDS);
  json_builder_end_object (builder);
  json_builder_end_array (builder);
}

static int
compare_texts (const void *one, const void *other)
{
  return strcmp (*(const char *const *) one, *(const char *const *) other);
}

static void
put_sysctls (GHashTable *all, GPtrArray *sysctls)
{
  for (guint i = 0; i < sysctls->len; i += 2)
    g_hash_table_insert (all, sysctls->pdata[i], sysctls->pdata[i + 1]);
}

/* The later ones win: the profile's, the pod's, its own.  What containerd asks for by default of
 * echoes is all ids there are, and those are not as many here. */
static void
add_sysctls (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  g_autoptr (GHashTable) all = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree gpointer *names = NULL;
  guint count;

  put_sysctls (all, plan->profile->sysctls);
  put_sysctls (all, plan->pod_sysctls);
  put_sysctls (all, plan->config->sysctls);
  g_hash_table_insert (all, (gpointer) ECHO_SYSCTL, (gpointer) ECHO_EVERYBODY);
  names = g_hash_table_get_keys_as_array (all, &count);
  qsort (names, count, sizeof *names, compare_texts);
  json_builder_set_member_name (builder, "sysctl");
  json_builder_begin_object (builder);
  for (guint i = 0; i < count; i++)
    set_text (builder, names[i], g_hash_table_lookup (all, names[i]));
  json_builder_end_object (builder);
}

/* The document's and the profile's; of a privileged one, the document's alone. */
static void
add_paths (JsonBuilder *builder, const char *name, char **own, char **usual, gboolean is_privileged)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (char **path = own; *path != NULL; path++)
    json_builder_add_string_value (builder, *path);
  for (char **path = usual; !is_privileged && *path != NULL; path++)
    if (!g_strv_contains ((const char *const *) own, *path))
      json_builder_add_string_value (builder, *path);
  json_builder_end_array (builder);
}

static void
add_linux (JsonBuilder *builder, const DnOciSpecPlan *plan)
{
  const DnOciConfig *config = plan->config;
  gboolean is_privileged = dn_oci_is_privileged (config);

  json_builder_set_member_name (builder, "linux");
  json_builder_begin_object (builder);
  add_namespaces (builder, plan->processes == NULL);
  add_mapping (builder, "uidMappings", plan->first_uid);
  add_mapping (builder, "gidMappings", plan->first_uid);
  dn_spec_add_resources (builder, plan->options, plan->profile);
  add_sysctls (builder, plan);
  add_paths (builder, "maskedPaths", config->masked, plan->profile->masked, is_privileged);
  add_paths (builder, "readonlyPaths", config->readonly, plan->profile->readonly, is_privileged);
  json_builder_end_object (builder);
}

JsonNode *
dn_oci_spec_build (const DnOciSpecPlan *plan)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  set_text (builder, "ociVersion", OCI_VERSION);
  add_process (builder, plan);
  json_builder_set_member_name (builder, "root");
  json_builder_begin_object (builder);
  set_text (builder, "path", "rootfs");
  set_flag (builder, "readonly", plan->config->is_root_readonly);
  json_builder_end_object (builder);
  set_text (builder, "hostname", plan->hostname);
  add_mounts (builder, plan);
  add_annotations (builder, plan);
  add_linux (builder, plan);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
