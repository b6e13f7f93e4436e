/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "autofd.h"
#include "container.h"
#include "process.h"

#define READ_BYTES 4096
/* At most per turn, so that a check that writes without end leaves others theirs. */
#define READS_MAX 16
/* A day is longer than anybody waits; what is longer is cut to what a timer takes. */
#define TIME_MOST_MS (24u * 3600 * 1000)
/* How often a container that stands still is looked at. */
#define PAUSED_MS 500

static uint64_t
to_ms (uint64_t us, uint64_t least_ms)
{
  uint64_t ms = us / 1000;

  return ms < least_ms ? least_ms : ms > TIME_MOST_MS ? TIME_MOST_MS : ms;
}

static bool
is_in_start (const DnHealth *health)
{
  return dn_loop_now_ms () - health->first_ms < (int64_t) health->start_ms;
}

static void
wait_for_next (DnHealth *health)
{
  uint64_t ms = is_in_start (health) && !health->has_passed ? health->start_interval_ms
                                                            : health->interval_ms;

  dn_timer_set (&health->timer, (unsigned) ms);
}

static void
close_output (DnHealth *health)
{
  dn_watch_remove (&health->output_watch);
  dn_fd_clear (&health->output_watch.fd);
}

/* No zeroes: it goes out as a text. */
static void
keep_output (DnHealth *health, const char *bytes, size_t size)
{
  size_t room = sizeof health->output - 1 - health->output_used;

  size = size < room ? size : room;
  for (size_t i = 0; i < size; i++)
    health->output[health->output_used++] = bytes[i] != '\0' ? bytes[i] : '?';
}

static void
read_output (DnHealth *health)
{
  char bytes[READ_BYTES];

  for (int i = 0; i < READS_MAX; i++)
    {
      ssize_t n = read (health->output_watch.fd, bytes, sizeof bytes);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        {
          close_output (health);
          return;
        }
      keep_output (health, bytes, (size_t) n);
    }
}

static void
output_ready (DnWatch *watch, uint32_t events)
{
  (void) events;
  read_output (watch->data);
}

int
dn_health_take_output (DnHealth *health, int fd)
{
  close_output (health);
  health->output_watch.fd = fd;
  if (fcntl (fd, F_SETFL, O_NONBLOCK) < 0)
    return -errno;
  return dn_watch_set (&health->output_watch, EPOLLIN);
}

static void
judge (DnHealth *health, DnHealthOutcome outcome, uint32_t code)
{
  DnMsgHealth *last = &health->last;
  bool has_passed = outcome == DN_HEALTH_ENDED && code == 0;

  last->outcome = outcome;
  last->code = code;
  last->checks++;
  last->took_us = (uint64_t) (dn_loop_now_ms () - health->began_ms) * 1000;
  health->output[health->output_used] = '\0';
  memcpy (last->output, health->output, sizeof last->output);
  if (has_passed)
    {
      health->has_passed = true;
      last->failures = 0;
      last->status = DN_HEALTH_HEALTHY;
    }
  else if (health->has_passed || !is_in_start (health))
    {
      if (last->failures < UINT32_MAX)
        last->failures++;
      if (last->failures >= health->retries)
        last->status = DN_HEALTH_UNHEALTHY;
    }
  health->has_told = true;
  dn_health_tell (health);
}

static void
finish (DnHealth *health, DnHealthOutcome outcome, uint32_t code)
{
  /* What is in the pipe right now, whoever still holds the other end. */
  if (health->output_watch.fd >= 0)
    read_output (health);
  close_output (health);
  health->process = NULL;
  judge (health, outcome, code);
  wait_for_next (health);
}

static void
process_ended (DnTimer *timer)
{
  DnHealth *health = timer->data;
  DnProcess *process = health->process;
  uint32_t code;

  if (process == NULL)
    return;
  code = process->signal != 0 ? 128 + process->signal : process->code;
  finish (health, health->is_late ? DN_HEALTH_LATE : DN_HEALTH_ENDED, code);
  dn_process_free (process);
}

void
dn_health_ended (DnHealth *health)
{
  dn_timer_set (&health->end_timer, 0);
}

void
dn_health_not_run (DnHealth *health, const DnFault *fault)
{
  /* The process is about to be freed by who tells this. */
  dn_timer_stop (&health->end_timer);
  health->output_used = 0;
  keep_output (health, fault->message, strlen (fault->message));
  /* Killed while it was still being set up. */
  finish (health, health->is_late ? DN_HEALTH_LATE : DN_HEALTH_NOT_RUN, 0);
}

static void
start_check (DnHealth *health)
{
  DnContainer *container = health->container;
  DnFault fault;

  health->began_ms = dn_loop_now_ms ();
  health->output_used = 0;
  health->is_late = false;
  health->process = dn_process_new_check (container, &fault);
  if (health->process != NULL && dn_process_spawn (health->process, &fault) < 0)
    {
      dn_process_free (health->process);
      health->process = NULL;
    }
  if (health->process == NULL)
    dn_health_not_run (health, &fault);
  else
    dn_timer_set (&health->timer, (unsigned) health->timeout_ms);
}

static void
timer_fired (DnTimer *timer)
{
  DnHealth *health = timer->data;
  DnContainer *container = health->container;

  if (container->is_deleting || container->processes->stage != DN_PROCESS_STAGE_RUNNING)
    return;
  if (container->is_paused)
    dn_timer_set (timer, PAUSED_MS);
  else if (health->process == NULL)
    start_check (health);
  else
    {
      health->is_late = true;
      (void) dn_process_signal (health->process, SIGKILL);
    }
}

int
dn_health_set (DnContainer *container, const DnMsgHealthCheck *message, const void *document,
               size_t size, DnFault *fault)
{
  DnHealth *health = &container->health;
  DnLoop *loop = &container->agent->loop;

  if (health->container != NULL || container->processes->stage != DN_PROCESS_STAGE_READY)
    return dn_fault_set (fault, -EBUSY, "the container is not waiting to be started");
  if (dn_config_read_process (document, size, &health->config, fault) < 0)
    {
      dn_config_clear (&health->config);
      return fault->status;
    }
  health->container = container;
  health->interval_ms = to_ms (message->interval_us, DN_HEALTH_INTERVAL_LEAST_MS);
  health->timeout_ms = to_ms (message->timeout_us, 1);
  health->start_ms = to_ms (message->start_us, 0);
  health->start_interval_ms = to_ms (message->start_interval_us, DN_HEALTH_INTERVAL_LEAST_MS);
  health->retries = message->retries > 0 ? message->retries : 1;
  health->last.status = DN_HEALTH_STARTING;
  strcpy (health->last.container, container->id);
  dn_watch_init (&health->output_watch, loop, -1, output_ready, health);
  dn_timer_init (&health->timer, loop, timer_fired, health);
  dn_timer_init (&health->end_timer, loop, process_ended, health);
  return 0;
}

void
dn_health_begin (DnHealth *health)
{
  if (health->container == NULL)
    return;
  health->first_ms = dn_loop_now_ms ();
  wait_for_next (health);
}

void
dn_health_clear (DnHealth *health)
{
  if (health->container == NULL)
    return;
  dn_timer_stop (&health->timer);
  dn_timer_stop (&health->end_timer);
  close_output (health);
  dn_config_clear (&health->config);
  *health = (DnHealth){ 0 };
}

void
dn_health_tell (DnHealth *health)
{
  if (health->container != NULL && health->has_told
      && health->container->agent->generation >= DN_PROTOCOL_GENERATION_OUTSIDE)
    DN_AGENT_SEND (health->container->agent, HEALTH, health, &health->last);
}
