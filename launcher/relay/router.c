/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_TIMER_NS 1000000000ull

void
dn_router_tell (DnRouter *router, uint16_t type, const uint8_t *payload, int size)
{
  if (size >= 0) /* what does not fit its own message's limit is a bug that the tests find */
    dn_control_server_put (router, type, payload, (size_t) size);
}

DnLogTime
dn_router_time (const DnRouter *router)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_REALTIME, &now); /* cannot fail with this clock */
  return (DnLogTime){ .real_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec,
                      .now_ns = router->loop.now_ns };
}

/* Streams are forgotten while frames of theirs are under way: a copy that was given up, a container
 * that was removed.  Those frames are no violation, if the stream is one of the last few. */
void
dn_router_remember_forgotten (DnRouter *router, uint32_t streams)
{
  router->forgotten[router->forgotten_at++ % DN_ROUTER_FORGOTTEN_MAX]
      = streams - streams % DN_STREAMS_PER_PROCESS;
}

bool
dn_router_was_forgotten (const DnRouter *router, uint32_t stream)
{
  uint32_t streams = stream - stream % DN_STREAMS_PER_PROCESS;

  for (size_t i = 0; streams != 0 && i < DN_ROUTER_FORGOTTEN_MAX; i++)
    if (router->forgotten[i] == streams)
      return true;
  return false;
}

void
dn_router_remember_exit (DnRouter *router, const DnMsgExited *exited)
{
  if (router->early_exits == NULL)
    router->early_exits = calloc (DN_ROUTER_EARLY_EXITS_MAX, sizeof *router->early_exits);
  if (router->early_exits != NULL)
    router->early_exits[router->early_exit_at++ % DN_ROUTER_EARLY_EXITS_MAX] = *exited;
}

bool
dn_router_take_exit (DnRouter *router, const char *container, uint32_t process,
                     DnMsgExited *ret_exited)
{
  for (size_t i = 0; router->early_exits != NULL && i < DN_ROUTER_EARLY_EXITS_MAX; i++)
    if (router->early_exits[i].process == process
        && strcmp (router->early_exits[i].container, container) == 0)
      {
        *ret_exited = router->early_exits[i];
        router->early_exits[i] = (DnMsgExited){ 0 };
        return true;
      }
  return false;
}

void
dn_router_owe_credit (DnRouter *router, DnInflow *inflow)
{
  if (inflow->is_in_credit_list)
    return;
  inflow->is_in_credit_list = true;
  inflow->next_credit = router->credit_list;
  router->credit_list = inflow;
}

void
dn_router_forget_credit (DnRouter *router, DnInflow *inflow)
{
  DnInflow **at = &router->credit_list;

  while (*at != NULL && *at != inflow)
    at = &(*at)->next_credit;
  if (*at != NULL)
    *at = inflow->next_credit;
  inflow->is_in_credit_list = false;
}

/* Whether a stream's debt is large enough to be paid at once. */
static bool
is_worth_a_frame (const DnRouter *router, const DnInflow *inflow)
{
  return router->is_credit_due || inflow->is_ended
         || dn_inflow_owed (inflow) >= DN_ROUTER_CREDIT_STEP_BYTES;
}

static void
pay_credit (DnRouter *router, DnInflow *inflow)
{
  uint64_t before = inflow->credited;
  DnMsgCredit credit = { .bytes = dn_inflow_take_credit (inflow) };
  uint8_t payload[4];

  if (credit.bytes == 0)
    return;
  (void) dn_msg_credit_pack (&credit, payload, sizeof payload);
  if (dn_channel_put (router, DN_MSG_CREDIT, inflow->stream, payload, sizeof payload) < 0)
    inflow->credited = before; /* no room: it is owed again when the stream moves on */
}

/* Each CREDIT costs the guest an interrupt and a turn of its agent, so small debts wait for more;
 * but not long, since what was not credited comes twice if this relay dies now. */
static void
give_credit (DnRouter *router)
{
  DnInflow *waiting = NULL;

  while (router->credit_list != NULL)
    {
      DnInflow *inflow = router->credit_list;

      router->credit_list = inflow->next_credit;
      if (dn_channel_is_up (router) && !is_worth_a_frame (router, inflow))
        {
          inflow->next_credit = waiting;
          waiting = inflow;
          continue;
        }
      inflow->is_in_credit_list = false;
      if (dn_channel_is_up (router))
        pay_credit (router, inflow);
    }
  router->credit_list = waiting;
  router->is_credit_due = false;
  if (waiting != NULL && router->credit_timer.deadline_ns == 0)
    dn_loop_set_timer (&router->loop, &router->credit_timer, DN_ROUTER_CREDIT_DELAY_NS);
}

static void
credit_due (void *data)
{
  DnRouter *router = data;

  router->is_credit_due = true;
}

static void
resume_process (DnRouter *router, DnProcess *process)
{
  dn_process_resume_stdin (router, process);
  for (int i = 0; i < DN_OUTPUTS; i++)
    if (dn_inflow_owed (&process->outputs[i]) > 0)
      dn_router_owe_credit (router, &process->outputs[i]);
}

void
dn_router_resume (DnRouter *router)
{
  dn_process_for_each (router, resume_process);
  for (DnTransfer *transfer = router->transfers; transfer != NULL; transfer = transfer->next)
    dn_transfer_resume (transfer);
  dn_control_server_adjust (router);
}

void
dn_router_linked (DnRouter *router)
{
  router->relink_timer.deadline_ns = 0;
  dn_process_for_each (router, dn_process_relink);
}

static void
lose_sessions (DnRouter *router, DnProcess *process)
{
  (void) router;
  while (process->sessions != NULL)
    dn_session_lose (process->sessions, "the guest is gone");
  dn_process_settle (router, process);
}

void
dn_router_unlinked (DnRouter *router, bool is_suspect)
{
  while (router->transfers != NULL)
    dn_transfer_free (router->transfers);
  if (is_suspect)
    dn_process_for_each (router, lose_sessions);
  else
    dn_loop_set_timer (&router->loop, &router->relink_timer, DN_ROUTER_RELINK_NS);
  dn_control_server_adjust (router);
}

static void
relink_passed (void *data)
{
  dn_process_for_each (data, lose_sessions);
}

static void
tend_log (DnRouter *router, DnProcess *process)
{
  DnMsgLogDropped dropped = { 0 };
  uint8_t payload[64];

  if (process->log == NULL || !dn_log_is_dropping (process->log))
    return;
  dn_log_settle (process->log, dn_router_time (router));
  /* Without danchid the count goes on until it is there. */
  if (router->control.connection.fd >= 0
      && dn_log_take_dropped (process->log, &dropped.lines, &dropped.bytes))
    {
      memcpy (dropped.container, process->container, sizeof dropped.container);
      dn_router_tell (router, DN_MSG_LOG_DROPPED, payload,
                      dn_msg_log_dropped_pack (&dropped, payload, sizeof payload));
    }
  if (dn_log_is_dropping (process->log))
    dn_loop_set_timer (&router->loop, &router->log_timer, LOG_TIMER_NS);
}

static void
log_timer_passed (void *data)
{
  dn_process_for_each (data, tend_log);
}

int
dn_router_init (DnRouter *router, const DnRouterOptions *options)
{
  int r;

  memset (router, 0, sizeof *router);
  router->control.listener.fd = router->control.connection.fd = -1;
  router->console.listener.fd = router->console.connection.fd = -1;
  router->channel.source.fd = -1;
  r = dn_loop_init (&router->loop);
  router->relink_timer = (DnTimer){ .fire = relink_passed, .data = router };
  router->log_timer = (DnTimer){ .fire = log_timer_passed, .data = router };
  router->credit_timer = (DnTimer){ .fire = credit_due, .data = router };
  dn_loop_add_timer (&router->loop, &router->credit_timer);
  dn_loop_add_timer (&router->loop, &router->relink_timer);
  dn_loop_add_timer (&router->loop, &router->log_timer);
  if (r == 0)
    r = dn_channel_init (router);
  if (r == 0)
    r = dn_console_init (router, options->console_fd, options->ring_fd);
  if (r == 0)
    r = dn_control_server_init (router, options->control_fd, options->owner_uid);
  return r;
}

static void
free_process (DnRouter *router, DnProcess *process)
{
  dn_process_free (router, process, "the guest is gone");
}

void
dn_router_clear (DnRouter *router)
{
  while (router->transfers != NULL)
    dn_transfer_free (router->transfers);
  dn_process_for_each (router, free_process);
  dn_channel_clear (router);
  dn_control_server_clear (router);
  dn_console_clear (router);
  free (router->early_exits);
  router->early_exits = NULL;
  dn_loop_clear (&router->loop);
}

int
dn_router_turn (DnRouter *router, int timeout_ms)
{
  int r = dn_loop_turn (&router->loop, timeout_ms);

  give_credit (router);
  dn_channel_flush (router);
  dn_control_server_flush (router);
  return r;
}
