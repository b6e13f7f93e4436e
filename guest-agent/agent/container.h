/* SPDX-License-Identifier: Apache-2.0 */
/* A container: from CREATE to DELETE.
 *
 * Waits for its disk (the host may attach it just before CREATE, and a guest takes a while to see
 * it), makes its cgroup, clones its first process into new namespaces, maps ids, hands it its root,
 * and then leaves the rest to process.h.  It stays known after its first process has ended, until
 * DELETE; its mount namespace stays too, so that files can still be copied out.
 *
 * A CREATE that fails leaves nothing behind.
 */
#pragma once

#include <linux/filter.h>

#include "agent.h"
#include "config.h"
#include "disk-mounts.h"
#include "health.h"
#include "process.h"
#include "refusal.h"
#include "scratch.h"
#include "share-root.h"
#include "victim-record.h"
#include "volume-mounts.h"

#define DN_CONTAINER_DISK_WAIT_MS 15000
#define DN_CONTAINER_POLL_MS 5
#define DN_CONTAINER_FREEZE_MS 10000
#define DN_CONTAINER_DELETE_MS 10000
#define DN_CONTAINER_ENDED_EXECS_MAX 32 /* fully read ones that are still listed */

struct DnContainer
{
  DnContainer *next;
  DnAgent *agent;
  char id[DN_ID_BYTES + 1];
  char disk_serial[DN_DISK_SERIAL_BYTES + 1];
  DnConfig config;
  struct sock_filter *filter; /* owned */
  size_t filter_count;
  DnDiskLayers disk_layers; /* owned; until the disk is taken */
  DnDisk *disk;
  DnScratch scratch;
  DnShareRoot share_root;   /* in the disk's place */
  DnDiskMounts disk_mounts; /* besides its root */
  DnCard *card;             /* owned; NULL: a loopback alone */
  DnVolumeMounts volume_mounts;
  DnCgroup cgroup;
  int user_namespace;
  int mount_namespace;
  DnProcess *processes; /* owned; the first is number 0 */
  DnWatch oom_watch;
  uint32_t oom_kills;
  DnVictimRecord victim; /* the last one; pid and uid as the container sees them */
  bool has_untold_victim;
  DnRefusals refusals;
  DnTimer refusal_timer;
  DnHealth health;
  bool is_paused;
  bool is_deleting;
  DnTimer disk_timer;
  int64_t disk_deadline_ms;
  int64_t create_deadline_ms;
  DnTimer pause_timer;
  int64_t pause_deadline_ms;
  DnRequest pause_request;
  DnTimer delete_timer;
  int64_t delete_deadline_ms;
  DnRequest delete_request;
};

DnContainer *dn_container_find (DnAgent *agent, const char *id);
DnProcess *dn_container_find_process (DnContainer *container, uint32_t number);

/* The requests.  Each ends @request by a REPLY, at once or later. */
void dn_container_create (DnAgent *agent, DnRequest request, const DnMsgCreate *create,
                          DnParts *parts);
void dn_container_start (DnContainer *container, DnRequest request);
void dn_container_exec (DnContainer *container, DnRequest request, const DnMsgExec *exec,
                        DnParts *parts);
void dn_container_signal (DnContainer *container, DnRequest request, const DnMsgSignal *message);
void dn_container_pause (DnContainer *container, DnRequest request, bool is_paused);
void dn_container_limits (DnContainer *container, DnRequest request, const DnMsgLimits *limits);
void dn_container_update (DnContainer *container, DnRequest request, const DnMsgUpdate *update);
void dn_container_delete (DnContainer *container, DnRequest request);

/* From process.c: the first process is set up and its REPLY is due, or it failed to be; a process
 * has ended. */
void dn_container_process_ended (DnProcess *process);
void dn_container_setup_failed (DnProcess *process, const DnFault *fault);

/* The first process has set itself up: what it was to fill is filled.  0 or a status with @fault.
 */
int dn_container_settle (DnContainer *container, DnFault *fault);

/* What the pod's containers have in common becomes that of @pid, whose namespaces are new, with the
 * ids of @config; and the guest's card is the pod's from here on.  0 or a status with @fault. */
int dn_container_make_pod (DnAgent *agent, pid_t pid, const DnConfig *config, DnFault *fault);

/* Ids of the container's namespaces, its root and limits for a child just cloned. */
int dn_container_prepare_first (DnProcess *process, int sync_fd, DnFault *fault);

/* Resource limits and the OOM score of a child, set from outside: raising needs guest root. */
int dn_container_limit_child (const DnProcess *process, DnFault *fault);

/* Kills everything at once, without waiting: the guest ends. */
void dn_containers_kill_all (DnAgent *agent);
