/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE: from the host's message to a first process that waits to be started. */
#include "container-create.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "audit.h"
#include "autofd.h"
#include "container-processes.h"
#include "container.h"
#include "pod-memory.h"
#include "root.h"
#include "share.h"
#include "sync.h"
#include "vault.h"
#include "victim.h"

void
dn_container_look_at_oom (DnContainer *container)
{
  DnMsgOom oom;
  uint32_t kills = (uint32_t) dn_cgroup_read (&container->cgroup, "memory.events", "oom_kill",
                                              container->oom_kills);

  if (kills == container->oom_kills)
    return;
  container->oom_kills = kills;
  /* The kernel names the victim before it counts it. */
  dn_victim_take (container->agent);
  dn_victim_tell (container);
  strcpy (oom.container, container->id);
  DN_AGENT_SEND (container->agent, OOM, oom, &oom);
}

static void
oom_ready (DnWatch *watch, uint32_t events)
{
  char text[512];

  (void) events;
  /* Reading the watched file itself is what arms it again. */
  (void) !pread (watch->fd, text, sizeof text, 0);
  dn_container_look_at_oom (watch->data);
}

static void
watch_oom (DnContainer *container)
{
  char text[512];

  container->oom_watch.fd = dn_cgroup_open_file (&container->cgroup, "memory.events");
  if (container->oom_watch.fd < 0)
    return;
  (void) !pread (container->oom_watch.fd, text, sizeof text, 0);
  (void) dn_watch_set (&container->oom_watch, EPOLLPRI);
}

/* Writes the child's id maps.  setgroups stays allowed: the child takes its groups from the image,
 * and every group it can name is the container's own. */
static int
write_maps (pid_t pid, const DnConfig *config, DnFault *fault)
{
  const struct
  {
    const char *file;
    uint32_t first;
  } maps[] = { { "uid_map", config->first_uid }, { "gid_map", config->first_gid } };

  for (size_t i = 0; i < 2; i++)
    {
      char path[64];
      char text[64];
      dn_autofd int fd = -1;

      (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, maps[i].file);
      (void) snprintf (text, sizeof text, "0 %u %u\n", maps[i].first, config->id_count);
      fd = open (path, O_WRONLY | O_CLOEXEC);
      if (fd < 0 || write (fd, text, strlen (text)) < 0)
        return dn_fault_set_errno (fault, "map the container's ids");
    }
  return 0;
}

static int
open_namespace (pid_t pid, const char *name)
{
  char path[64];

  (void) snprintf (path, sizeof path, "/proc/%d/ns/%s", (int) pid, name);
  return open (path, O_RDONLY | O_CLOEXEC);
}

int
dn_container_limit_child (const DnProcess *process, DnFault *fault)
{
  const DnProcessConfig *config
      = process->number == 0 ? &process->container->config.process : &process->config->process;
  char path[64];
  char text[16];
  dn_autofd int fd = -1;

  for (int i = 0; i < RLIM_NLIMITS; i++)
    if (config->limits[i].is_set
        && prlimit (process->pid, (enum __rlimit_resource) i, &config->limits[i].limit, NULL) < 0)
      return dn_fault_set_errno (fault, "set resource limit %d", i);
  /* The agent itself is exempt from the OOM killer; what it makes must not be. */
  (void) snprintf (path, sizeof path, "/proc/%d/oom_score_adj", (int) process->pid);
  (void) snprintf (text, sizeof text, "%d", config->oom_score_adj);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write (fd, text, strlen (text)) < 0)
    return dn_fault_set_errno (fault, "set the process's OOM score");
  return 0;
}

/* Sends the child a DN_SYNC_DISK for each mount whose tree is ours to make. */
static int
send_trees (DnContainer *container, const char *work_dir, int sync_fd, DnFault *fault)
{
  const DnConfig *config = &container->config;
  size_t disks = 0, volumes = 0;

  for (size_t i = 0; i < config->mount_count; i++)
    {
      const DnConfigMount *mount = &config->mounts[i];
      dn_autofd int tree = -1;

      if (!dn_config_mount_has_tree (mount))
        continue;
      if (mount->memory != NULL)
        tree = dn_pod_memory_tree (container->agent->options.run_dir, mount, config);
      else if (mount->disk != NULL)
        tree = dn_disk_mounts_tree (&container->disk_mounts, disks++, mount,
                                    container->user_namespace, config, work_dir);
      else
        tree = dn_volume_mounts_tree (&container->volume_mounts, volumes++, mount,
                                      container->user_namespace);
      if (tree < 0)
        return dn_fault_set_errno (fault, "mount '%s': make its tree", mount->target);
      if (dn_sync_order (sync_fd, DN_SYNC_DISK, tree) < 0)
        return dn_fault_set (fault, -EIO, "mount '%s': hand it over", mount->target);
    }
  return 0;
}

static int
send_secrets (DnContainer *container, int sync_fd, DnFault *fault)
{
  const DnConfig *config = &container->config;
  const DnVault *vault;
  dn_autofd int view = -1;

  if (config->secrets == NULL)
    return 0;
  vault = dn_vault_open (container->agent, container->id, config->secrets, config, fault);
  if (vault == NULL)
    return fault->status;
  view = dn_vault_view (vault);
  if (view < 0 || dn_sync_order (sync_fd, DN_SYNC_SECRETS, view) < 0)
    return dn_fault_set_errno (fault, "secrets: hand over their mount");
  return 0;
}

int
dn_container_make_pod (DnAgent *agent, pid_t pid, const DnConfig *config, DnFault *fault)
{
  DnPod *pod = &agent->pod;

  if (write_maps (pid, config, fault) < 0)
    return fault->status;
  pod->first_uid = config->first_uid;
  pod->first_gid = config->first_gid;
  pod->id_count = config->id_count;
  if (dn_pod_take (pod, pid, fault) < 0)
    return fault->status;
  return dn_pod_card_enter (&agent->pod_card, pod->namespaces[DN_POD_NETWORK], fault);
}

int
dn_container_prepare_first (DnProcess *process, int sync_fd, DnFault *fault)
{
  DnContainer *container = process->container;
  DnAgent *agent = container->agent;
  char work_dir[512];
  struct sysinfo info;
  dn_autofd int root = -1;
  int r = 0;

  if (!container->config.is_of_pod)
    r = write_maps (process->pid, &container->config, fault);
  else if (!agent->pod.is_made)
    r = dn_container_make_pod (agent, process->pid, &container->config, fault);
  if (r < 0)
    return r;
  container->user_namespace = open_namespace (process->pid, "user");
  container->mount_namespace = open_namespace (process->pid, "mnt");
  if (container->user_namespace < 0 || container->mount_namespace < 0 || sysinfo (&info) < 0)
    return dn_fault_set_errno (fault, "open the container's namespaces");
  (void) snprintf (work_dir, sizeof work_dir, "%s/work", agent->options.run_dir);
  root = container->config.has_root_share
             ? dn_fd_steal (&container->share_root.fd)
             : dn_root_make (container->disk, &container->scratch, container->user_namespace,
                             &container->config, work_dir, (uint64_t) info.totalram * info.mem_unit,
                             fault);
  if (root < 0)
    return root;
  if (container->card != NULL
      && (r = dn_card_attach (container->card, &agent->network, process->pid, fault)) < 0)
    return r;
  r = dn_sync_order (sync_fd, DN_SYNC_PREPARE, root);
  if (r < 0)
    return dn_fault_set (fault, r, "hand over the root: %s", strerror (-r));
  r = send_trees (container, work_dir, sync_fd, fault);
  return r < 0 ? r : send_secrets (container, sync_fd, fault);
}

int
dn_container_settle (DnContainer *container, DnFault *fault)
{
  return dn_volume_mounts_settle (&container->volume_mounts, fault);
}

/* The disk is there: everything else at once.  Returns 0: the child is on its way. */
static int
build (DnContainer *container, DnFault *fault)
{
  int r = dn_cgroup_make (&container->cgroup, &container->agent->cgroups, container->id,
                          &container->config.resources, fault);

  if (r < 0)
    return r;
  watch_oom (container);
  return dn_process_spawn (container->processes, fault);
}

/* The root's disk, others beside it and the scratch disk, each as soon as it is there, and the
 * processes that it is to join; what is there is kept while others are waited for. */
static int
take_disks (DnContainer *container, DnFault *fault)
{
  DnDisks *disks = &container->agent->disks;
  const char *scratch = container->config.scratch_serial;
  int r = 0;

  if (container->config.has_root_share)
    r = dn_share_take_root (container, fault);
  else if (container->disk == NULL)
    r = dn_disk_take (disks, container->disk_serial, &container->disk_layers, &container->disk,
                      fault);
  if (r == 0)
    r = dn_disk_mounts_take (&container->disk_mounts, disks, &container->config, fault);
  if (r == 0)
    r = dn_volume_mounts_take (&container->volume_mounts, container->agent, &container->config,
                               fault);
  if (r == 0 && scratch != NULL && container->scratch.number == 0)
    r = dn_scratch_open (disks, scratch, &container->scratch, fault);
  return r < 0 ? r : dn_container_processes_prepare (container, fault);
}

static void
look_for_disks (DnTimer *timer)
{
  DnContainer *container = timer->data;
  DnFault fault;
  int r = take_disks (container, &fault);

  /* The root has a time of its own (share.h), and the others theirs once it is there. */
  if (r == -EAGAIN && !container->share_root.is_answered)
    {
      container->disk_deadline_ms = dn_loop_now_ms () + DN_CONTAINER_DISK_WAIT_MS;
      r = -ENOENT;
    }
  if (r == -ENOENT && dn_loop_now_ms () < container->disk_deadline_ms)
    {
      dn_timer_set (timer, DN_CONTAINER_POLL_MS);
      return;
    }
  if (r == 0)
    r = build (container, &fault);
  if (r < 0)
    dn_container_setup_failed (container->processes, &fault);
}

static bool
id_is_valid (const char *id)
{
  return strlen (id) >= 1 && strspn (id, "0123456789abcdef") == strlen (id);
}

static int
check (DnAgent *agent, const DnMsgCreate *create, const DnParts *parts, DnFault *fault)
{
  if (!id_is_valid (create->container))
    return dn_fault_set (fault, -EINVAL, "create: not a container id");
  if (dn_container_find (agent, create->container) != NULL)
    return dn_fault_set (fault, -EEXIST, "container '%s': exists already", create->container);
  if (agent->container_count >= DN_CONTAINERS_MAX)
    return dn_fault_set (fault, -ENOSPC, "more than %d containers", DN_CONTAINERS_MAX);
  if (create->disk[0] != '\0' && !dn_disk_serial_is_valid (create->disk))
    return dn_fault_set (fault, -EINVAL, "create: not a disk's serial number");
  if (parts == NULL || parts->config == NULL)
    return dn_fault_set (fault, -EINVAL, "create: config.json is missing");
  /* Without a filter there is no container: there is no such thing as unconfined. */
  if (parts->seccomp == NULL || parts->seccomp_bytes == 0
      || parts->seccomp_bytes % sizeof (struct sock_filter) != 0
      || parts->seccomp_bytes / sizeof (struct sock_filter) > BPF_MAXINSNS)
    return dn_fault_set (fault, -EINVAL, "create: the system call filter is missing or no filter");
  return 0;
}

/* A root is of one place, and containers of a pod have its ids. */
static int
check_sources (const DnContainer *container, DnFault *fault)
{
  const DnConfig *config = &container->config;
  const DnPod *pod = &container->agent->pod;

  if (config->scratch_serial != NULL && !dn_disk_serial_is_valid (config->scratch_serial))
    return dn_fault_set (fault, -EINVAL, "create: not a scratch disk's serial number");
  if (config->has_root_share != (container->disk_serial[0] == '\0'))
    return dn_fault_set (fault, -EINVAL, "create: the root is of a disk or of the share");
  if (config->is_of_pod && pod->is_made
      && (config->first_uid != pod->first_uid || config->first_gid != pod->first_gid
          || config->id_count != pod->id_count))
    return dn_fault_set (fault, -EINVAL, "create: its ids are not the pod's");
  return 0;
}

static DnContainer *
make_container (DnAgent *agent, const DnMsgCreate *create, DnParts *parts, DnFault *fault)
{
  DnContainer *container = calloc (1, sizeof *container);

  if (container == NULL)
    {
      (void) dn_fault_set (fault, -ENOMEM, "create: no memory");
      return NULL;
    }
  container->agent = agent;
  strcpy (container->id, create->container);
  strcpy (container->disk_serial, create->disk);
  container->user_namespace = container->mount_namespace = container->cgroup.fd = -1;
  container->share_root.fd = -1;
  if (dn_config_read ((const char *) parts->config, parts->config_bytes, &container->config, fault)
          < 0
      || dn_disk_mounts_read (&container->disk_mounts, &container->config, fault) < 0)
    {
      dn_disk_mounts_clear (&container->disk_mounts, &agent->disks);
      dn_config_clear (&container->config);
      free (container);
      return NULL;
    }
  if (check_sources (container, fault) < 0)
    {
      dn_disk_mounts_clear (&container->disk_mounts, &agent->disks);
      dn_config_clear (&container->config);
      free (container);
      return NULL;
    }
  container->filter = (struct sock_filter *) parts->seccomp;
  container->filter_count = parts->seccomp_bytes / sizeof (struct sock_filter);
  parts->seccomp = NULL;
  container->disk_layers = dn_disk_layers_steal (&parts->layers);
  dn_watch_init (&container->oom_watch, &agent->loop, -1, oom_ready, container);
  dn_timer_init (&container->disk_timer, &agent->loop, look_for_disks, container);
  dn_timer_init (&container->pause_timer, &agent->loop, dn_container_look_at_freeze, container);
  dn_timer_init (&container->refusal_timer, &agent->loop, dn_audit_tell_due, container);
  dn_timer_init (&container->delete_timer, &agent->loop, dn_container_look_at_end, container);
  return container;
}

void
dn_container_create (DnAgent *agent, DnRequest request, const DnMsgCreate *create, DnParts *parts)
{
  DnContainer *container = NULL;
  DnProcess *process;
  DnFault fault;

  if (check (agent, create, parts, &fault) == 0)
    container = make_container (agent, create, parts, &fault);
  if (container == NULL)
    {
      dn_agent_reply_fault (agent, &request, &fault);
      return;
    }
  process = dn_process_new (container, 0, create->streams, create->flags, NULL, &fault);
  if (process == NULL)
    {
      dn_agent_reply_fault (agent, &request, &fault);
      dn_config_clear (&container->config);
      free (container->filter);
      dn_disk_layers_clear (&container->disk_layers);
      dn_disk_mounts_clear (&container->disk_mounts, &agent->disks);
      free (container);
      return;
    }
  process->rows = create->rows;
  process->columns = create->columns;
  process->request = request;
  container->card = dn_cards_take (&agent->cards, container->id);
  container->config.needs_files = container->card != NULL;
  container->next = agent->containers;
  agent->containers = container;
  agent->container_count++;
  container->disk_deadline_ms = dn_loop_now_ms () + DN_CONTAINER_DISK_WAIT_MS;
  container->create_deadline_ms = dn_loop_now_ms () + DN_CREATE_DEADLINE_MS;
  look_for_disks (&container->disk_timer);
}
