/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a container's health: a process of exec's kind that the agent starts by itself, time
 * and again, and whose end says whether the container does its work.
 *
 *   STARTING ──── a check passes ────▶ HEALTHY ◀── passes ── UNHEALTHY
 *       └── `retries` failures that count ──▶ UNHEALTHY ◀── likewise ──┘
 *
 * A failure in the first `start_us` counts only once a check has passed.  The next check begins one
 * interval after the end of the last: two never run at a time.  While the container stands still
 * none is begun, and the time it stood does not make the one under way late.
 *
 * A check is confined as the container's other processes are.  What it writes is read so that it
 * does not block, and the beginning kept; it has no streams, so the host is never behind with it.
 *
 * Source: docs.docker.com, "HEALTHCHECK".
 */
#pragma once

#include "agent.h"
#include "config.h"

/* No process that the host chose a number for has it: those count from 1. */
#define DN_HEALTH_PROCESS UINT32_MAX
/* Shorter, and the guest would do nothing else. */
#define DN_HEALTH_INTERVAL_LEAST_MS 100

typedef struct DnHealth
{
  struct DnContainer *container; /* NULL: there is no check */
  DnConfig config;               /* owned; its process object */
  uint64_t interval_ms;
  uint64_t timeout_ms;
  uint64_t start_ms;
  uint64_t start_interval_ms;
  uint32_t retries;
  struct DnProcess *process; /* the check under way */
  DnWatch output_watch;      /* of its output; owned */
  DnTimer timer;             /* to the next one, or until the one under way is late */
  DnTimer end_timer;         /* it has ended: out of the way of its own callbacks */
  int64_t first_ms;          /* when the container's program began */
  int64_t began_ms;
  bool is_late;
  bool has_passed; /* one has, at some time */
  bool has_told;   /* `last` is one */
  DnMsgHealth last;
  size_t output_used;
  char output[DN_HEALTH_OUTPUT_BYTES + 1];
} DnHealth;

/* HEALTH_CHECK: before the container's program runs.  @document: of the process; copied. */
int dn_health_set (struct DnContainer *container, const DnMsgHealthCheck *message,
                   const void *document, size_t size, DnFault *fault);

/* The container's program runs. */
void dn_health_begin (DnHealth *health);

/* Ends everything of it; the container is forgotten. */
void dn_health_clear (DnHealth *health);

/* For process*.c: where the check's output goes.  @fd: takes ownership.  0 or -errno */
int dn_health_take_output (DnHealth *health, int fd);
/* It never ran. */
void dn_health_not_run (DnHealth *health, const DnFault *fault);
/* It has ended, and was told to the container. */
void dn_health_ended (DnHealth *health);

/* LIST: the last outcome once more. */
void dn_health_tell (DnHealth *health);
