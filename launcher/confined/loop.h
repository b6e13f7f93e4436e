/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop: epoll(7), level-triggered, and a few timers.  Single-threaded.
 *
 * Sources and timers are the callers' memory, embedded in what they belong to; take them out of the
 * loop before that is freed.  A handler may unwatch any source, also one that is still to come in
 * the same turn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define DN_LOOP_EVENTS_MAX 64

typedef struct
{
  int fd;          /* owned by the caller; -1: not in use */
  uint32_t wanted; /* the events it is registered for; 0: not registered */
  void (*ready) (void *data, uint32_t events);
  void *data;
} DnSource;

typedef struct DnTimer
{
  uint64_t deadline_ns; /* of CLOCK_MONOTONIC; 0: off */
  void (*fire) (void *data);
  void *data;
  struct DnTimer *next;
} DnTimer;

typedef struct
{
  int epoll_fd;    /* owned */
  uint64_t now_ns; /* CLOCK_MONOTONIC at the start of this turn */
  struct epoll_event events[DN_LOOP_EVENTS_MAX];
  int event_count;
  int event_at;
  DnTimer *timers;     /* the callers' */
  DnTimer *next_timer; /* while they fire: the one to come */
} DnLoop;

/* Returns 0 or -errno. */
int dn_loop_init (DnLoop *loop);
void dn_loop_clear (DnLoop *loop);

/**
 * dn_loop_want:
 * @events: EPOLLIN, EPOLLOUT, EPOLLRDHUP; or %DN_LOOP_HANGUP to hear of nothing but errors and
 *   hang-ups; or 0 to hear of nothing at all
 *
 * Registers, changes or takes out.  Errors and hang-ups are told with any @events but 0: a source
 * whose hang-up cannot be dealt with now must want 0, or the loop spins.
 *
 * Returns: 0 or -errno (-EPERM: a file that cannot be polled)
 */
#define DN_LOOP_HANGUP EPOLLERR
int dn_loop_want (DnLoop *loop, DnSource *source, uint32_t events);

/* Takes @source out and forgets what of this turn is still to come for it.  Its descriptor stays
 * open.  A source not in the loop is fine. */
void dn_loop_unwatch (DnLoop *loop, DnSource *source);

/* Likewise, and closes the descriptor. */
void dn_loop_close (DnLoop *loop, DnSource *source);

void dn_loop_add_timer (DnLoop *loop, DnTimer *timer);
/* One that was never added is fine; so is any while one fires. */
void dn_loop_remove_timer (DnLoop *loop, DnTimer *timer);
/* Fires once, @delay_ns from now; a timer that is set already is set anew. */
void dn_loop_set_timer (DnLoop *loop, DnTimer *timer, uint64_t delay_ns);

/* Waits for events, at most @timeout_ms (-1: for ever) and not beyond the next timer, and handles
 * them.  Returns 0 or -errno. */
int dn_loop_turn (DnLoop *loop, int timeout_ms);
