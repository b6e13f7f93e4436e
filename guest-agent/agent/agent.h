/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as a whole: what it was started with, and what it holds.
 *
 * One process, one thread, one loop; nothing in it blocks on a container, on the host or on a
 * child.  What a container, a child or the host can make grow has its limit here or in the header
 * of what grows.  The host may disappear at any time and come back on a new link: containers go on.
 *
 * Privilege: guest root, with all capabilities, for as long as the guest runs.
 */
#pragma once

#include "../../protocol/link.h"
#include "card.h"
#include "cgroup.h"
#include "channel.h"
#include "disk.h"
#include "loop.h"
#include "parts.h"
#include "pod-card.h"
#include "pod-keeper.h"
#include "pod.h"
#include "stream.h"
#include "transport.h"

#define DN_CONTAINERS_MAX 64
#define DN_PROCESSES_MAX 1024 /* in all containers, ended ones that are still listed included */
#define DN_COPIES_MAX 16      /* at a time */

/* A child that has not set itself up by then is killed: mounts and a few files take milliseconds,
 * but an emulated guest under load is slow.  Less than danchid's own patience with the request (60
 * s, of CREATE 100), so that the answer says which step hangs. */
#define DN_SETUP_DEADLINE_MS 40000
/* Likewise all of CREATE: what a root or a disk took is taken off the set-up's time. */
#define DN_CREATE_DEADLINE_MS 95000

typedef struct
{
  const char *run_dir;
  const char *cgroup_root;
  const char *secret_file;
  const char *reaper; /* the program of DN_PROCESS_REAPER */
  const char *keeper; /* that of pod-keeper.h */
  const char *volume_template;
  const char *test_share;    /* a directory in the place of the guest's share, or NULL */
  const char *test_disks[8]; /* SERIAL=PATH, borrowed from the arguments */
  int test_disk_count;
  int test_socket; /* -1: none.  A connected one is used like a serial port, a listening one like
                    * vsock */
  int test_audit;  /* -1: none.  Instead of the kernel's records */
  int test_events; /* -1: none.  Instead of the kernel's events of devices */
  int test_log;    /* -1: none.  Instead of the kernel's log */
  bool is_test;    /* an ordinary process on a developer's machine: leave its clock alone */
  bool allow_missing_controllers;
} DnAgentOptions;

typedef struct DnContainer DnContainer;
typedef struct DnCopy DnCopy;
typedef struct DnUnpack DnUnpack;
typedef struct DnVault DnVault;
typedef struct DnSecretIntake DnSecretIntake;
typedef struct DnKey DnKey;
typedef struct DnVolumes DnVolumes;

struct DnAgent
{
  DnAgentOptions options;
  DnLoop loop;
  uint8_t *secret; /* a locked page that forked children do not get */
  DnTransport transport;
  DnChannel *channel;  /* the linked one, or NULL */
  uint32_t epoch;      /* counts links */
  uint32_t generation; /* of the protocol, what the last link speaks */
  DnStreams streams;
  DnCgroups cgroups;
  DnDisks disks;
  DnNetwork network;
  DnCards cards;
  DnPodCard pod_card;
  DnVolumes *volumes; /* owned */
  DnPod pod;
  DnPodKeeper pod_keeper;
  DnContainer *containers;
  unsigned container_count;
  unsigned process_count;
  DnCopy *copies;
  unsigned copy_count;
  DnUnpack *unpack; /* the one under way, or NULL */
  DnVault *vaults;
  DnSecretIntake *intakes;
  DnKey *keys;
  DnPartsTable parts;
  DnTimer end_timer;
  DnWatch audit_watch;  /* fd -1: no records are to be had */
  DnWatch damage_watch; /* fd -1: no events are to be had */
  DnTimer damage_timer;
  DnWatch victim_watch;  /* fd -1: the kernel's log is not to be had */
  int own_pid_namespace; /* to come back to after making a process in another */
};

typedef struct DnAgent DnAgent;

/* Which request an answer belongs to.  After a new link its number may mean another. */
typedef struct
{
  uint32_t number;
  uint32_t epoch;
  bool is_pending;
} DnRequest;

DnRequest dn_agent_request (const DnAgent *agent, uint32_t number);

/* Whether the answer would still reach the one who asked. */
bool dn_request_is_current (const DnAgent *agent, const DnRequest *request);

/* Ends a request, once: later calls, and those for a link that is gone, do nothing. */
void dn_agent_reply (DnAgent *agent, DnRequest *request, int status, const char *message);
void dn_agent_reply_fault (DnAgent *agent, DnRequest *request, const DnFault *fault);
/* By @fault where @result is negative; else it went well. */
void dn_agent_reply_result (DnAgent *agent, DnRequest *request, int result, const DnFault *fault);

/* Sends a message on stream 0; nothing when there is no link. */
void dn_agent_send (DnAgent *agent, uint16_t type, const uint8_t *payload, int size);

/* dn_agent_send() of a message struct: DN_AGENT_SEND (agent, EXITED, exited, &message). */
#define DN_AGENT_SEND(agent, NAME, noun, message)                                                  \
  do                                                                                               \
    {                                                                                              \
      uint8_t dn_payload[1024];                                                                    \
      int dn_size = dn_msg_##noun##_pack ((message), dn_payload, sizeof dn_payload);               \
      dn_agent_send ((agent), DN_MSG_##NAME, dn_payload, dn_size);                                 \
    }                                                                                              \
  while (0)
