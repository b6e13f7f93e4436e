/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"

#include <string.h>
#include <sys/stat.h>

#include "fact.h"
#include "root-file.h"

#define USERS_MAX 4096

/* Programs by name; the first that fits counts. */
static const struct
{
  const char *program;
  gboolean is_prefix;
  const char *name;
  DnRuntimeRole role;
} programs[] = {
  { "dockerd", FALSE, "docker", DN_RUNTIME_MANAGER },
  { "docker-containerd-shim", TRUE, "containerd-shim", DN_RUNTIME_CONTAINER },
  { "docker-containerd", FALSE, "containerd", DN_RUNTIME_MANAGER },
  { "containerd", FALSE, "containerd", DN_RUNTIME_MANAGER },
  { "containerd-shim", TRUE, "containerd-shim", DN_RUNTIME_CONTAINER },
  { "podman", FALSE, "podman", DN_RUNTIME_MANAGER },
  { "conmon", FALSE, "conmon", DN_RUNTIME_CONTAINER },
  { "conmonrs", FALSE, "conmon", DN_RUNTIME_CONTAINER },
  { "runc", FALSE, "runc", DN_RUNTIME_CONTAINER },
  { "crun", FALSE, "crun", DN_RUNTIME_CONTAINER },
  { "crio", FALSE, "crio", DN_RUNTIME_MANAGER },
  { "buildkitd", FALSE, "buildkit", DN_RUNTIME_MANAGER },
  { "k3s", FALSE, "k3s", DN_RUNTIME_MANAGER },
  { "lxc-start", FALSE, "lxc", DN_RUNTIME_CONTAINER },
  { "lxc-execute", FALSE, "lxc", DN_RUNTIME_CONTAINER },
  { "lxd", FALSE, "lxd", DN_RUNTIME_MANAGER },
  { "incusd", FALSE, "incus", DN_RUNTIME_MANAGER },
  { "systemd-nspawn", FALSE, "systemd-nspawn", DN_RUNTIME_CONTAINER },
};

static const struct
{
  const char *path; /* below each user's directory in /run/user where it does not begin with / */
  const char *name;
} sockets[] = {
  { "/run/docker.sock", "docker" },
  { "/run/containerd/containerd.sock", "containerd" },
  { "/run/docker/containerd/containerd.sock", "containerd" },
  { "/run/k3s/containerd/containerd.sock", "containerd" },
  { "/run/podman/podman.sock", "podman" },
  { "/run/crio/crio.sock", "crio" },
  { "/run/cri-dockerd.sock", "docker" },
  { "/run/buildkit/buildkitd.sock", "buildkit" },
  { "/var/lib/lxd/unix.socket", "lxd" },
  { "/var/lib/incus/unix.socket", "incus" },
  { "podman/podman.sock", "podman" },
  { "docker.sock", "docker" },
  { "containerd/containerd.sock", "containerd" },
};

DnRuntimeRole
dn_runtime_role (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
    if (g_str_equal (programs[i].name, name))
      return programs[i].role;
  if (g_str_equal (name, DN_RUNTIME_NAMESPACE_NAME))
    return DN_RUNTIME_NAMESPACE;
  return DN_RUNTIME_MANAGER;
}

static const char *
find_name (const char *program)
{
  /* Danchi's own under containerd, whose containers are in guests. */
  if (g_str_has_prefix (program, "containerd-shim-danchi"))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
    if (programs[i].is_prefix ? g_str_has_prefix (program, programs[i].program)
                              : g_str_equal (program, programs[i].program))
      return programs[i].name;
  return NULL;
}

static void
add_process (JsonArray *runtimes, const char *name, const DnProcess *process)
{
  JsonObject *runtime = json_object_new ();

  json_object_set_string_member (runtime, "name", name);
  json_object_set_string_member (runtime, "kind", "process");
  dn_fact_set_text (runtime, "path", process->path);
  json_object_set_int_member (runtime, "pid", process->pid);
  json_object_set_int_member (runtime, "uid", process->uid);
  json_object_set_null_member (runtime, "mode");
  json_array_add_object_element (runtimes, runtime);
}

/* By pid, so the first of a namespace is its first process, or the oldest that is left. */
static void
add_namespaces (JsonArray *runtimes, const DnProcessList *list)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; list->pids != NULL && i < list->processes->len; i++)
    {
      const DnProcess *process = list->processes->pdata[i];

      if (process->pids != NULL && !g_str_equal (process->pids, list->pids)
          && g_hash_table_add (seen, process->pids))
        add_process (runtimes, DN_RUNTIME_NAMESPACE_NAME, process);
    }
}

static void
add_socket (JsonArray *runtimes, const char *root, const char *name, const char *path)
{
  g_autofree char *full = dn_root_file_path (root, path);
  g_autofree char *mode = NULL;
  JsonObject *runtime;
  struct stat status;

  /* Through a symbolic link as well: it leads clients to the socket. */
  if (stat (full, &status) < 0 || !S_ISSOCK (status.st_mode))
    return;
  mode = g_strdup_printf ("%04o", (guint) status.st_mode & 07777);
  runtime = json_object_new ();
  json_object_set_string_member (runtime, "name", name);
  json_object_set_string_member (runtime, "kind", "socket");
  dn_fact_set_text (runtime, "path", path);
  json_object_set_null_member (runtime, "pid");
  json_object_set_int_member (runtime, "uid", status.st_uid);
  json_object_set_string_member (runtime, "mode", mode);
  json_array_add_object_element (runtimes, runtime);
}

JsonArray *
dn_runtime_read (const char *root, const DnProcessList *list)
{
  JsonArray *runtimes = json_array_new ();
  g_autoptr (GPtrArray) users = dn_root_file_list (root, "/run/user", USERS_MAX);

  for (guint i = 0; i < list->processes->len; i++)
    {
      const DnProcess *process = list->processes->pdata[i];
      const char *name = find_name (process->program);

      if (name != NULL)
        add_process (runtimes, name, process);
    }
  add_namespaces (runtimes, list);
  for (gsize i = 0; i < G_N_ELEMENTS (sockets); i++)
    {
      if (sockets[i].path[0] == '/')
        {
          add_socket (runtimes, root, sockets[i].name, sockets[i].path);
          continue;
        }
      for (guint k = 0; k < users->len; k++)
        {
          g_autofree char *path
              = g_build_filename ("/run/user", users->pdata[k], sockets[i].path, NULL);

          add_socket (runtimes, root, sockets[i].name, path);
        }
    }
  return runtimes;
}
