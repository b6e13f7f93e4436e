/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "autofd.h"
#include "block-limits.h"
#include "container-create.h"
#include "copy.h"
#include "inquiry.h"
#include "share.h"
#include "vault.h"

DnContainer *
dn_container_find (DnAgent *agent, const char *id)
{
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    if (strcmp (container->id, id) == 0)
      return container;
  return NULL;
}

DnProcess *
dn_container_find_process (DnContainer *container, uint32_t number)
{
  for (DnProcess *process = container->processes; process != NULL; process = process->next)
    if (process->number == number)
      return process;
  return NULL;
}

static bool
lacks_a_secret (const DnContainer *container, DnFault *fault)
{
  const DnVault *vault = dn_vault_find (container->agent, container->id);
  const char *name = NULL;

  if (container->config.secrets == NULL)
    return false;
  if (vault != NULL && (name = dn_vault_missing (vault)) == NULL)
    return false;
  (void) dn_fault_set (fault, -ENOKEY, "secret '%s': has no content", name != NULL ? name : "");
  return true;
}

void
dn_container_start (DnContainer *container, DnRequest request)
{
  DnAgent *agent = container->agent;
  DnProcess *process = container->processes;
  DnFault fault;

  if (container->is_deleting || process->stage != DN_PROCESS_STAGE_READY)
    {
      dn_agent_reply (agent, &request, -EBUSY, "the container is not waiting to be started");
      return;
    }
  if (lacks_a_secret (container, &fault))
    {
      dn_agent_reply_fault (agent, &request, &fault);
      return;
    }
  process->request = request;
  if (dn_process_run (process, &fault) == 0)
    return;
  process->never_ran = true;
  dn_agent_reply_fault (agent, &process->request, &fault);
  (void) dn_process_signal (process, SIGKILL);
}

/* Ended processes of exec stay listed so that a new danchid learns how they ended, but not all. */
static void
forget_old_execs (DnContainer *container)
{
  unsigned done = 0;
  DnProcess *next;

  for (DnProcess *process = container->processes->next; process != NULL; process = process->next)
    done += dn_process_is_done (process);
  for (DnProcess *process = container->processes->next;
       process != NULL && done > DN_CONTAINER_ENDED_EXECS_MAX; process = next)
    {
      next = process->next;
      if (!dn_process_is_done (process))
        continue;
      dn_process_free (process);
      done--;
    }
}

static int
exec_process (DnContainer *container, DnRequest *request, const DnMsgExec *exec, DnParts *parts,
              DnFault *fault)
{
  DnConfig *config;
  DnProcess *process;

  if (container->is_deleting || container->processes->stage != DN_PROCESS_STAGE_RUNNING)
    return dn_fault_set (fault, -EBUSY, "the container is not running");
  if (container->is_paused)
    return dn_fault_set (fault, -EBUSY, "the container is paused");
  if (exec->process == 0 || dn_container_find_process (container, exec->process) != NULL)
    return dn_fault_set (fault, -EEXIST, "process %u: the number is taken", exec->process);
  if (parts == NULL || parts->config == NULL)
    return dn_fault_set (fault, -EINVAL, "exec: the process object is missing");
  config = calloc (1, sizeof *config);
  if (config == NULL)
    return dn_fault_set (fault, -ENOMEM, "exec: no memory");
  if (dn_config_read_process ((const char *) parts->config, parts->config_bytes, config, fault) < 0)
    {
      dn_config_clear (config);
      free (config);
      return fault->status;
    }
  forget_old_execs (container);
  process = dn_process_new (container, exec->process, exec->streams, exec->flags, config, fault);
  if (process == NULL)
    return fault->status;
  process->rows = exec->rows;
  process->columns = exec->columns;
  process->request = *request;
  if (dn_process_spawn (process, fault) < 0)
    {
      dn_process_free (process);
      return fault->status;
    }
  return 0;
}

void
dn_container_exec (DnContainer *container, DnRequest request, const DnMsgExec *exec, DnParts *parts)
{
  DnFault fault;

  if (exec_process (container, &request, exec, parts, &fault) == 0)
    return;
  /* Those are for the command itself: see dn_guest_call(). */
  if (fault.status == -ENOENT || fault.status == -EACCES)
    fault.status = -EIO;
  dn_agent_reply_fault (container->agent, &request, &fault);
}

void
dn_container_signal (DnContainer *container, DnRequest request, const DnMsgSignal *message)
{
  DnProcess *process = dn_container_find_process (container, message->process);
  int number = (int) message->signal;
  int r;

  if (message->signal > (uint32_t) SIGRTMAX)
    r = -EINVAL;
  else if ((message->flags & DN_SIGNAL_ALL) != 0)
    r = number == SIGKILL ? dn_cgroup_kill (&container->cgroup)
                          : dn_cgroup_signal (&container->cgroup, number);
  else
    r = process != NULL ? dn_process_signal (process, number) : -ESRCH;
  dn_agent_reply (container->agent, &request, r, r < 0 ? "the process cannot be signalled" : "");
}

/* cgroup.freeze takes effect when the last process has got there. */
void
dn_container_look_at_freeze (DnTimer *timer)
{
  DnContainer *container = timer->data;
  bool is_frozen = dn_cgroup_read (&container->cgroup, "cgroup.events", "frozen", 0) != 0;

  if (is_frozen == container->is_paused)
    dn_agent_reply (container->agent, &container->pause_request, 0, "");
  else if (dn_loop_now_ms () >= container->pause_deadline_ms)
    dn_agent_reply (container->agent, &container->pause_request, -ETIMEDOUT,
                    "the container does not stand still yet");
  else
    dn_timer_set (timer, DN_CONTAINER_POLL_MS);
}

void
dn_container_pause (DnContainer *container, DnRequest request, bool is_paused)
{
  int r;

  if (container->is_deleting || container->processes->stage != DN_PROCESS_STAGE_RUNNING
      || container->pause_request.is_pending)
    {
      dn_agent_reply (container->agent, &request, -EBUSY, "the container is not running");
      return;
    }
  r = dn_cgroup_freeze (&container->cgroup, is_paused);
  if (r < 0)
    {
      dn_agent_reply (container->agent, &request, r, "the container cannot be frozen");
      return;
    }
  container->is_paused = is_paused;
  container->pause_request = request;
  container->pause_deadline_ms = dn_loop_now_ms () + DN_CONTAINER_FREEZE_MS;
  dn_container_look_at_freeze (&container->pause_timer);
}

void
dn_container_update (DnContainer *container, DnRequest request, const DnMsgUpdate *update)
{
  DnResources resources = { .memory_bytes = update->memory_bytes,
                            .pids = update->pids,
                            .cpu_quota_us = update->cpu_quota_us,
                            .cpu_period_us = update->cpu_period_us,
                            .cpu_weight = update->cpu_weight };
  DnFault fault;

  if (container->is_deleting || container->cgroup.fd < 0)
    dn_agent_reply (container->agent, &request, -EBUSY, "the container is not running");
  else if (dn_cgroup_limit (&container->cgroup, &resources, &fault) < 0)
    dn_agent_reply_fault (container->agent, &request, &fault);
  else
    dn_agent_reply (container->agent, &request, 0, "");
}

void
dn_container_limits (DnContainer *container, DnRequest request, const DnMsgLimits *limits)
{
  DnResources resources = { .memory_low_bytes = limits->memory_low_bytes };
  DnBlockLimits block = { .read_bytes_per_s = limits->read_bytes_per_s,
                          .write_bytes_per_s = limits->write_bytes_per_s,
                          .reads_per_s = limits->reads_per_s,
                          .writes_per_s = limits->writes_per_s };
  DnFault fault;

  if (container->is_deleting || container->cgroup.fd < 0)
    dn_agent_reply (container->agent, &request, -EBUSY, "the container is not running");
  else if (dn_cgroup_limit (&container->cgroup, &resources, &fault) < 0
           || dn_cgroup_limit_cpus (&container->cgroup, limits->cpus, &fault) < 0
           || dn_block_limits_set (&container->cgroup, &block, &fault) < 0)
    dn_agent_reply_fault (container->agent, &request, &fault);
  else
    dn_agent_reply (container->agent, &request, 0, "");
}

static void
destroy (DnContainer *container)
{
  DnAgent *agent = container->agent;

  dn_copies_forget_container (agent, container);
  dn_inquiry_forget_container (container);
  dn_share_forget_container (container);
  dn_fd_clear (&container->share_root.fd);
  dn_vault_ended (agent, container->id);
  while (container->processes != NULL)
    dn_process_free (container->processes);
  dn_card_free (container->card);
  dn_health_clear (&container->health);
  dn_timer_stop (&container->disk_timer);
  dn_timer_stop (&container->pause_timer);
  dn_timer_stop (&container->delete_timer);
  dn_timer_stop (&container->refusal_timer);
  dn_watch_remove (&container->oom_watch);
  dn_fd_clear (&container->oom_watch.fd);
  /* The last that hold the mounts: after them the disk is free. */
  dn_fd_clear (&container->mount_namespace);
  dn_fd_clear (&container->user_namespace);
  dn_scratch_close (&container->scratch);
  dn_disk_release (&agent->disks, container->disk);
  dn_disk_mounts_clear (&container->disk_mounts, &agent->disks);
  dn_volume_mounts_clear (&container->volume_mounts);
  (void) dn_cgroup_remove (&container->cgroup);
  for (DnContainer **at = &agent->containers; *at != NULL; at = &(*at)->next)
    if (*at == container)
      {
        *at = container->next;
        break;
      }
  agent->container_count--;
  dn_agent_reply (agent, &container->delete_request, 0, "");
  dn_config_clear (&container->config);
  free (container->filter);
  dn_disk_layers_clear (&container->disk_layers);
  free (container);
}

static bool
has_living_processes (const DnContainer *container)
{
  for (const DnProcess *process = container->processes; process != NULL; process = process->next)
    if (process->pid_watch.fd >= 0 && process->stage != DN_PROCESS_STAGE_ENDED)
      return true;
  return dn_cgroup_is_populated (&container->cgroup);
}

void
dn_container_look_at_end (DnTimer *timer)
{
  DnContainer *container = timer->data;

  if (!has_living_processes (container))
    {
      destroy (container);
      return;
    }
  if (dn_loop_now_ms () >= container->delete_deadline_ms)
    dn_agent_reply (container->agent, &container->delete_request, -EBUSY,
                    "a process of the container does not end");
  /* Once more each time: a process may have been forked just before the first kill. */
  (void) dn_cgroup_kill (&container->cgroup);
  dn_timer_set (timer, DN_CONTAINER_POLL_MS);
}

void
dn_container_delete (DnContainer *container, DnRequest request)
{
  if (container->delete_request.is_pending)
    {
      dn_agent_reply (container->agent, &request, -EBUSY, "the container is being deleted");
      return;
    }
  container->delete_request = request;
  container->is_deleting = true;
  container->delete_deadline_ms = dn_loop_now_ms () + DN_CONTAINER_DELETE_MS;
  dn_agent_reply (container->agent, &container->pause_request, -ECANCELED,
                  "the container is being deleted");
  dn_agent_reply (container->agent, &container->processes->request, -ECANCELED,
                  "the container is being deleted");
  (void) dn_cgroup_kill (&container->cgroup);
  dn_container_look_at_end (&container->delete_timer);
}

void
dn_container_setup_failed (DnProcess *process, const DnFault *fault)
{
  DnRequest nobody = { 0 };

  dn_agent_reply_fault (process->container->agent, &process->request, fault);
  (void) dn_process_signal (process, SIGKILL);
  dn_container_delete (process->container, nobody);
}

void
dn_container_process_ended (DnProcess *process)
{
  DnContainer *container = process->container;

  /* Before EXITED, which counts them; the watch on the file may not have fired yet. */
  dn_container_look_at_oom (container);
  process->oom_kills = container->oom_kills;
  /* Likewise: it may be what it ended of. */
  dn_audit_hurry (container);
  if (process->number != 0)
    return;
  dn_vault_ended (container->agent, container->id);
  container->is_paused = false;
  /* Its pid namespace took all others along, where that is its own; this is for them where it is
   * not, and for a process just being made by exec. */
  (void) dn_cgroup_kill (&container->cgroup);
}

void
dn_containers_kill_all (DnAgent *agent)
{
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    (void) dn_cgroup_kill (&container->cgroup);
}
