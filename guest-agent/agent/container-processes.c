/* SPDX-License-Identifier: Apache-2.0 */
#include "container-processes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "readback.h"
#include "report.h"

static bool
are_the_pods (const DnContainer *container)
{
  return container->config.processes != NULL
         && strcmp (container->config.processes, DN_CONFIG_PROCESSES_OF_POD) == 0;
}

/* The one that is to be debugged, while it runs; or NULL. */
static const DnProcess *
find_other (const DnContainer *container)
{
  const DnContainer *other = dn_container_find (container->agent, container->config.processes);
  const DnProcess *first = other != NULL && other != container ? other->processes : NULL;

  return first != NULL && other->config.is_of_pod && !other->is_deleting
                 && first->stage == DN_PROCESS_STAGE_RUNNING
             ? first
             : NULL;
}

int
dn_container_processes_prepare (DnContainer *container, DnFault *fault)
{
  if (container->config.processes == NULL)
    return 0;
  if (are_the_pods (container))
    return dn_pod_keeper_need (container->agent, &container->config, fault);
  return find_other (container) != NULL
             ? 0
             : dn_fault_set (fault, -ESRCH,
                             "the container whose processes it is to join, '%.64s', "
                             "does not run",
                             container->config.processes);
}

int
dn_container_processes_of (const DnContainer *container, pid_t *ret_pid)
{
  const DnPodKeeper *keeper = &container->agent->pod_keeper;
  const DnProcess *other;

  *ret_pid = -1;
  if (container->config.processes == NULL)
    return -1;
  if (are_the_pods (container))
    {
      *ret_pid = keeper->pid;
      return keeper->watch.fd;
    }
  other = find_other (container);
  *ret_pid = other != NULL ? other->pid : -1;
  return other != NULL ? other->pid_watch.fd : -1;
}

void
dn_container_processes_tell (const DnContainer *container, pid_t pid, char *ret_text, size_t size)
{
  const uint64_t space = dn_readback_pid_namespace (pid);
  const DnContainer *other = container->agent->containers;

  if (space != 0 && space == dn_readback_pid_namespace (container->agent->pod_keeper.pid))
    {
      (void) snprintf (ret_text, size, "the pod's");
      return;
    }
  /* It is that one's whose first process is its process 1. */
  while (space != 0 && other != NULL
         && (dn_readback_pid_namespace (other->processes->pid) != space
             || dn_report_inner_pid (other->processes->pid) != 1))
    other = other->next;
  if (space == 0 || other == NULL)
    (void) snprintf (ret_text, size, "unknown: its process 1 is no container's");
  else if (other == container)
    (void) snprintf (ret_text, size, "own");
  else
    (void) snprintf (ret_text, size, "container %s's", other->id);
}
