/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

int
dn_loop_init (DnLoop *loop)
{
  *loop = (DnLoop){ .epoll_fd = epoll_create1 (EPOLL_CLOEXEC) };
  return loop->epoll_fd < 0 ? -errno : 0;
}

void
dn_loop_clear (DnLoop *loop)
{
  if (loop->epoll_fd >= 0)
    (void) close (loop->epoll_fd);
  loop->epoll_fd = -1;
}

int64_t
dn_loop_now_ms (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
dn_loop_end (DnLoop *loop, int exit_status)
{
  loop->has_ended = true;
  loop->exit_status = exit_status;
}

static int
next_timeout_ms (const DnLoop *loop)
{
  int64_t earliest = INT64_MAX;
  int64_t now;

  for (const DnTimer *timer = loop->timers; timer != NULL; timer = timer->next)
    if (timer->due_ms < earliest)
      earliest = timer->due_ms;
  if (earliest == INT64_MAX)
    return -1;
  now = dn_loop_now_ms ();
  if (earliest <= now)
    return 0;
  return earliest - now > 60000 ? 60000 : (int) (earliest - now);
}

static void
fire_timers (DnLoop *loop)
{
  int64_t now = dn_loop_now_ms ();

  /* A callback may change the list, so it is searched anew after each; it is short. */
  for (;;)
    {
      DnTimer *due = NULL;

      for (DnTimer *timer = loop->timers; timer != NULL; timer = timer->next)
        if (timer->due_ms <= now && (due == NULL || timer->due_ms < due->due_ms))
          due = timer;
      if (due == NULL)
        return;
      dn_timer_stop (due);
      due->fired (due);
    }
}

int
dn_loop_run (DnLoop *loop)
{
  while (!loop->has_ended)
    {
      int count
          = epoll_wait (loop->epoll_fd, loop->pending, DN_LOOP_EVENTS, next_timeout_ms (loop));

      if (count < 0 && errno != EINTR)
        return -errno;
      loop->pending_count = count < 0 ? 0 : count;
      for (int i = 0; i < loop->pending_count; i++)
        {
          DnWatch *watch = loop->pending[i].data.ptr;

          /* dn_watch_remove() cleared the entries of a watch that went in this turn. */
          if (watch != NULL)
            watch->ready (watch, loop->pending[i].events);
        }
      loop->pending_count = 0;
      fire_timers (loop);
      if (loop->after_turn != NULL)
        loop->after_turn (loop->after_turn_data);
    }
  return loop->exit_status;
}

void
dn_watch_init (DnWatch *watch, DnLoop *loop, int fd, DnWatchFunc ready, void *data)
{
  *watch
      = (DnWatch){ .loop = loop, .fd = fd, .events = DN_WATCH_OFF, .ready = ready, .data = data };
}

static void
forget_pending (DnWatch *watch)
{
  for (int i = 0; i < watch->loop->pending_count; i++)
    if (watch->loop->pending[i].data.ptr == watch)
      watch->loop->pending[i].data.ptr = NULL;
}

int
dn_watch_set (DnWatch *watch, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.ptr = watch };
  int op = events == DN_WATCH_OFF          ? EPOLL_CTL_DEL
           : watch->events == DN_WATCH_OFF ? EPOLL_CTL_ADD
                                           : EPOLL_CTL_MOD;

  if (events == watch->events)
    return 0;
  if (events == DN_WATCH_OFF)
    forget_pending (watch);
  if (epoll_ctl (watch->loop->epoll_fd, op, watch->fd, &event) < 0)
    return -errno;
  watch->events = events;
  return 0;
}

void
dn_watch_remove (DnWatch *watch)
{
  if (watch->loop != NULL)
    (void) dn_watch_set (watch, DN_WATCH_OFF);
}

void
dn_timer_init (DnTimer *timer, DnLoop *loop, DnTimerFunc fired, void *data)
{
  *timer = (DnTimer){ .loop = loop, .fired = fired, .data = data };
}

void
dn_timer_set (DnTimer *timer, unsigned delay_ms)
{
  dn_timer_stop (timer);
  timer->due_ms = dn_loop_now_ms () + delay_ms;
  timer->next = timer->loop->timers;
  timer->loop->timers = timer;
  timer->is_running = true;
}

void
dn_timer_stop (DnTimer *timer)
{
  if (!timer->is_running)
    return;
  for (DnTimer **at = &timer->loop->timers; *at != NULL; at = &(*at)->next)
    if (*at == timer)
      {
        *at = timer->next;
        break;
      }
  timer->is_running = false;
}
