/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's one loop: descriptors, timers, and what is to be done after each turn.
 *
 * Single-threaded.  A watch or timer is the caller's memory, embedded in what it belongs to; it may
 * be removed from within any callback, its own included.
 *
 * Source: epoll(7).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define DN_LOOP_EVENTS 32

typedef struct DnLoop DnLoop;
typedef struct DnWatch DnWatch;
typedef struct DnTimer DnTimer;

typedef void (*DnWatchFunc) (DnWatch *watch, uint32_t events);
typedef void (*DnTimerFunc) (DnTimer *timer);

/* For dn_watch_set(): not even errors and hang-ups are reported, which epoll else always does. */
#define DN_WATCH_OFF UINT32_MAX

struct DnWatch
{
  DnLoop *loop; /* NULL: not initialised */
  int fd;       /* the owner's business to close, after dn_watch_remove() */
  uint32_t events;
  DnWatchFunc ready;
  void *data;
};

struct DnTimer
{
  DnLoop *loop;
  DnTimer *next;
  int64_t due_ms;
  bool is_running;
  DnTimerFunc fired;
  void *data;
};

struct DnLoop
{
  int epoll_fd;
  bool has_ended;
  int exit_status;
  DnTimer *timers;
  struct epoll_event pending[DN_LOOP_EVENTS];
  int pending_count;
  void (*after_turn) (void *data); /* after each batch of events */
  void *after_turn_data;
};

int dn_loop_init (DnLoop *loop); /* 0 or -errno */
void dn_loop_clear (DnLoop *loop);

/* Runs until dn_loop_end(); returns its status, or -errno. */
int dn_loop_run (DnLoop *loop);
void dn_loop_end (DnLoop *loop, int exit_status);

int64_t dn_loop_now_ms (void); /* monotonic */

/* Watches nothing yet. */
void dn_watch_init (DnWatch *watch, DnLoop *loop, int fd, DnWatchFunc ready, void *data);

/* @events: EPOLLIN, EPOLLOUT...; 0 for errors and hang-ups only; DN_WATCH_OFF.
 * Returns 0 or -errno; -EPERM for a descriptor that is always ready, such as a regular file. */
int dn_watch_set (DnWatch *watch, uint32_t events);
void dn_watch_remove (DnWatch *watch);

void dn_timer_init (DnTimer *timer, DnLoop *loop, DnTimerFunc fired, void *data);
void dn_timer_set (DnTimer *timer, unsigned delay_ms); /* once; replaces what was set */
void dn_timer_stop (DnTimer *timer);
