/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's heart: what there is, and how the parts reach each other.
 *
 *     danchid ── control ──┐                  ┌── processes ── logs
 *                          ├── this router ──┤       └── sessions ── clients
 *     guest ──── channel ──┤                  └── transfers ── clients
 *     guest ──── console ──┘
 *
 * Each part has a file of its own and works on the router that is handed to it.  Nothing blocks:
 * descriptors that could are non-blocking or used with MSG_DONTWAIT.  Everything that a guest, a
 * client or danchid can grow has its limit here or in the part's header.
 *
 * Single-threaded.  No privilege: it works the same before and after the lockdown (lockdown.h),
 * which is how the unit tests run it.
 */
#pragma once

#include <sys/types.h>

#include "../confined/loop.h"
#include "channel.h"
#include "console.h"
#include "control-server.h"
#include "inflow.h"
#include "log.h"
#include "process.h"
#include "session.h"
#include "transfer.h"

/* The agent has at most 64 containers and 1024 processes; some may have ended and not be
 * forgotten yet. */
#define DN_ROUTER_PROCESSES_MAX 1280
#define DN_ROUTER_LOGS_MAX 96     /* 2 descriptors each */
#define DN_ROUTER_SESSIONS_MAX 64 /* 4 descriptors each */
#define DN_ROUTER_TRANSFERS_MAX 16
/* 96 * 2 + 64 * 4 + 16, the fixed ones, and those of control frames under way. */
#define DN_ROUTER_FDS_MAX 512

/* Streams and exits remembered besides those of known processes: see router.c. */
#define DN_ROUTER_FORGOTTEN_MAX 256
#define DN_ROUTER_EARLY_EXITS_MAX 1280

/* Credit is given when a stream has consumed this much, or after a while. */
#define DN_ROUTER_CREDIT_STEP_BYTES (DN_STREAM_WINDOW_BYTES / 4)
#define DN_ROUTER_CREDIT_DELAY_NS (10 * 1000000ull)

/* Sessions wait this long for a new link when one broke. */
#define DN_ROUTER_RELINK_NS (15 * 1000000000ull)

typedef struct
{
  uid_t owner_uid; /* danchid's */
  int control_fd;  /* listening; taken over */
  int console_fd;  /* listening; taken over */
  int ring_fd;     /* the console ring; taken over */
} DnRouterOptions;

struct DnRouter
{
  DnLoop loop;
  DnControlServer control;
  DnChannel channel;
  DnConsole console;

  DnProcess *processes[DN_PROCESS_BUCKETS]; /* owned, by stream number */
  size_t process_count;
  size_t session_count;
  size_t log_count;
  DnTransfer *transfers; /* owned */
  size_t transfer_count;

  uint32_t forgotten[DN_ROUTER_FORGOTTEN_MAX]; /* first stream numbers */
  size_t forgotten_at;
  DnMsgExited *early_exits; /* owned; made when the first comes */
  size_t early_exit_at;

  DnInflow *credit_list; /* streams with credit to give, by next_credit */
  DnTimer credit_timer;
  bool is_credit_due; /* the timer passed: also small debts are paid */
  DnTimer relink_timer;
  DnTimer log_timer;
  bool is_ending; /* QUIT came */
};

/* Returns: 0 or -errno; the descriptors are taken in any case. */
int dn_router_init (DnRouter *router, const DnRouterOptions *options);
void dn_router_clear (DnRouter *router);

/* One turn of the loop, and then everything that is to be sent.  Returns 0 or -errno. */
int dn_router_turn (DnRouter *router, int timeout_ms);

/* Tells danchid, if it is connected: what it does not hear it asks for after connecting. */
void dn_router_tell (DnRouter *router, uint16_t type, const uint8_t *payload, int size);

DnLogTime dn_router_time (const DnRouter *router);

/* Streams the guest may still mention although nobody wants them any more. */
void dn_router_remember_forgotten (DnRouter *router, uint32_t streams);
bool dn_router_was_forgotten (const DnRouter *router, uint32_t stream);

/* EXITED of a process that is not known yet: a fresh relay hears LIST's answers before PROCESS. */
void dn_router_remember_exit (DnRouter *router, const DnMsgExited *exited);
bool dn_router_take_exit (DnRouter *router, const char *container, uint32_t process,
                          DnMsgExited *ret_exited);

/* @inflow has credit to give at the end of this turn. */
void dn_router_owe_credit (DnRouter *router, DnInflow *inflow);
/* @inflow is about to go. */
void dn_router_forget_credit (DnRouter *router, DnInflow *inflow);

/* The link came, or went. */
void dn_router_linked (DnRouter *router);
void dn_router_unlinked (DnRouter *router, bool is_suspect);

/* The channel has room again: everybody reads on. */
void dn_router_resume (DnRouter *router);
