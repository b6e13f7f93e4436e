/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

static uint64_t
read_clock (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
  return (uint64_t) now.tv_sec * NS_PER_S + (uint64_t) now.tv_nsec;
}

int
dn_loop_init (DnLoop *loop)
{
  *loop = (DnLoop){ .epoll_fd = epoll_create1 (EPOLL_CLOEXEC), .now_ns = read_clock () };
  return loop->epoll_fd < 0 ? -errno : 0;
}

void
dn_loop_clear (DnLoop *loop)
{
  if (loop->epoll_fd >= 0)
    (void) close (loop->epoll_fd);
  *loop = (DnLoop){ .epoll_fd = -1 };
}

int
dn_loop_want (DnLoop *loop, DnSource *source, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.ptr = source };
  int operation = events == 0 ? EPOLL_CTL_DEL : source->wanted == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

  if (source->wanted == events)
    return 0;
  if (epoll_ctl (loop->epoll_fd, operation, source->fd, &event) < 0)
    return -errno;
  source->wanted = events;
  return 0;
}

void
dn_loop_unwatch (DnLoop *loop, DnSource *source)
{
  if (source->fd >= 0)
    (void) dn_loop_want (loop, source, 0);
  for (int i = loop->event_at; i < loop->event_count; i++)
    if (loop->events[i].data.ptr == source)
      loop->events[i].data.ptr = NULL;
}

void
dn_loop_close (DnLoop *loop, DnSource *source)
{
  dn_loop_unwatch (loop, source);
  if (source->fd >= 0)
    (void) close (source->fd);
  source->fd = -1;
}

void
dn_loop_add_timer (DnLoop *loop, DnTimer *timer)
{
  timer->deadline_ns = 0;
  timer->next = loop->timers;
  loop->timers = timer;
}

void
dn_loop_remove_timer (DnLoop *loop, DnTimer *timer)
{
  DnTimer **at = &loop->timers;

  while (*at != NULL && *at != timer)
    at = &(*at)->next;
  if (*at == NULL)
    return;
  *at = timer->next;
  if (loop->next_timer == timer)
    loop->next_timer = timer->next;
}

void
dn_loop_set_timer (DnLoop *loop, DnTimer *timer, uint64_t delay_ns)
{
  timer->deadline_ns = loop->now_ns + delay_ns;
}

/* Milliseconds until the next timer, rounded up so that it has passed then. */
static int
choose_timeout (const DnLoop *loop, int timeout_ms)
{
  uint64_t now_ns = read_clock ();
  uint64_t wait_ms = timeout_ms < 0 ? INT_MAX : (uint64_t) timeout_ms;

  for (const DnTimer *timer = loop->timers; timer != NULL; timer = timer->next)
    if (timer->deadline_ns != 0)
      {
        uint64_t left_ms = timer->deadline_ns <= now_ns
                               ? 0
                               : (timer->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;

        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
      }
  return wait_ms >= INT_MAX ? -1 : (int) wait_ms;
}

int
dn_loop_turn (DnLoop *loop, int timeout_ms)
{
  int count = epoll_wait (loop->epoll_fd, loop->events, DN_LOOP_EVENTS_MAX,
                          choose_timeout (loop, timeout_ms));

  if (count < 0 && errno != EINTR)
    return -errno;
  loop->now_ns = read_clock ();
  loop->event_count = count < 0 ? 0 : count;
  for (loop->event_at = 0; loop->event_at < loop->event_count;)
    {
      struct epoll_event event = loop->events[loop->event_at++];
      DnSource *source = event.data.ptr;

      if (source != NULL)
        source->ready (source->data, event.events);
    }
  loop->event_count = loop->event_at = 0;

  for (DnTimer *timer = loop->timers; timer != NULL; timer = loop->next_timer)
    {
      loop->next_timer = timer->next; /* kept right by whoever takes a timer out meanwhile */
      if (timer->deadline_ns != 0 && timer->deadline_ns <= loop->now_ns)
        {
          timer->deadline_ns = 0;
          timer->fire (timer->data);
        }
    }
  return 0;
}
