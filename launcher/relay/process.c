/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../confined/say.h"
#include "router.h"

static size_t
bucket_of (uint32_t stream)
{
  return stream / DN_STREAMS_PER_PROCESS % DN_PROCESS_BUCKETS;
}

DnProcess *
dn_process_find_by_stream (DnRouter *router, uint32_t stream)
{
  uint32_t streams = stream - stream % DN_STREAMS_PER_PROCESS;
  DnProcess *process = router->processes[bucket_of (stream)];

  while (process != NULL && process->streams != streams)
    process = process->next;
  return process;
}

DnProcess *
dn_process_find (DnRouter *router, const char *container, uint32_t number)
{
  for (size_t i = 0; i < DN_PROCESS_BUCKETS; i++)
    for (DnProcess *process = router->processes[i]; process != NULL; process = process->next)
      if (process->number == number && strcmp (process->container, container) == 0)
        return process;
  return NULL;
}

void
dn_process_for_each (DnRouter *router, void (*visit) (DnRouter *router, DnProcess *process))
{
  for (size_t i = 0; i < DN_PROCESS_BUCKETS; i++)
    for (DnProcess *process = router->processes[i], *next; process != NULL; process = next)
      {
        next = process->next;
        visit (router, process);
      }
}

static void
close_fds (const int *log_fds)
{
  for (int i = 0; log_fds != NULL && i < 2; i++)
    (void) close (log_fds[i]);
}

static DnLog *
open_log (DnRouter *router, const DnMsgProcess *order, const int *log_fds)
{
  DnLog *log;

  if (log_fds == NULL)
    return NULL;
  if (router->log_count >= DN_ROUTER_LOGS_MAX)
    {
      dn_say ("container %s: more than %d logs, this one is not written", order->container,
              DN_ROUTER_LOGS_MAX);
      close_fds (log_fds);
      return NULL;
    }
  log = dn_log_new (log_fds, order->log_bytes, order->log_rate, dn_router_time (router));
  router->log_count += log != NULL;
  return log;
}

/* Tells the guest to go on with this process's output on this link (guest-agent/agent/stream.h):
 * a stream that is older than the link is silent until then, so that we never hear of one before
 * we know whose it is. */
static void
ask_for_output (DnRouter *router, DnProcess *process)
{
  uint8_t payload[4];
  int size = dn_msg_credit_pack (&(DnMsgCredit){ .bytes = 0 }, payload, sizeof payload);

  for (int i = 0; i < DN_OUTPUTS; i++)
    (void) dn_channel_put (router, DN_MSG_CREDIT, process->outputs[i].stream, payload,
                           (size_t) size);
}

int
dn_process_add (DnRouter *router, const DnMsgProcess *order, const int *log_fds)
{
  DnProcess *process = dn_process_find (router, order->container, order->process);
  DnMsgExited exited;

  if (process != NULL && process->streams == order->streams)
    {
      close_fds (log_fds);
      return 0;
    }
  if (order->streams == 0 || order->streams % DN_STREAMS_PER_PROCESS != 0)
    {
      close_fds (log_fds);
      return -EPROTO;
    }
  if (process != NULL) /* a container that was started again */
    dn_process_free (router, process, "the process was replaced");
  /* A danchid that ended before it could say FORGET leaves one that is over, and the next danchid,
   * to which the agent does not name it, gives its streams to another. */
  process = dn_process_find_by_stream (router, order->streams);
  if (process != NULL)
    dn_process_free (router, process, "its streams were given to another process");
  process = router->process_count < DN_ROUTER_PROCESSES_MAX ? calloc (1, sizeof *process) : NULL;
  if (process == NULL)
    {
      dn_say ("no room for process %u of container %s", order->process, order->container);
      close_fds (log_fds);
      return 0;
    }

  memcpy (process->container, order->container, sizeof process->container);
  process->number = order->process;
  process->streams = order->streams;
  process->flags = order->flags;
  process->stdin_window = DN_STREAM_WINDOW_BYTES;
  for (uint32_t i = 0; i < DN_OUTPUTS; i++)
    dn_inflow_init (&process->outputs[i], order->streams + DN_STREAM_STDOUT + i);
  process->log = open_log (router, order, log_fds);
  process->next = router->processes[bucket_of (order->streams)];
  router->processes[bucket_of (order->streams)] = process;
  router->process_count++;

  if (dn_channel_is_up (router))
    ask_for_output (router, process);
  if (dn_router_take_exit (router, order->container, order->process, &exited))
    dn_process_exit (router, process, &exited);
  return 0;
}

/* Gives the log what it takes of stream @output out of @bytes. */
static void
offer_to_log (DnRouter *router, DnProcess *process, int output, const uint8_t *bytes,
              uint64_t start, uint64_t end)
{
  uint64_t at = process->log_at[output];
  size_t taken;

  if (process->log == NULL || end == start)
    return;
  taken = dn_log_write (process->log, output == DN_OUTPUT_STDOUT ? DN_LOG_STDOUT : DN_LOG_STDERR,
                        bytes + (at - start), (size_t) (end - at),
                        process->outputs[output].is_ended, dn_router_time (router));
  process->log_at[output] += taken;
  if (dn_log_is_dropping (process->log) && router->log_timer.deadline_ns == 0)
    dn_loop_set_timer (&router->loop, &router->log_timer, 1000000000ull);
}

static void
offer_to_all (DnRouter *router, DnProcess *process, int output, const uint8_t *bytes,
              uint64_t start, uint64_t end)
{
  if (end == start)
    return;
  offer_to_log (router, process, output, bytes, start, end);
  for (DnSession *session = process->sessions; session != NULL; session = session->next)
    dn_session_offer (session, output, bytes, start, end);
}

/* Up to where every reader has the stream. */
static uint64_t
find_slowest (const DnProcess *process, int output)
{
  uint64_t slowest = process->outputs[output].received;

  if (process->log != NULL && process->log_at[output] < slowest)
    slowest = process->log_at[output];
  for (const DnSession *session = process->sessions; session != NULL; session = session->next)
    if (session->outputs[output].source.fd >= 0 && session->outputs[output].at < slowest)
      slowest = session->outputs[output].at;
  return slowest;
}

void
dn_process_moved (DnRouter *router, DnProcess *process, int output)
{
  DnInflow *inflow = &process->outputs[output];

  dn_inflow_consumed (inflow, find_slowest (process, output));
  if (dn_inflow_owed (inflow) > 0)
    dn_router_owe_credit (router, inflow);
  if (!inflow->is_ended)
    return;
  for (DnSession *session = process->sessions; session != NULL; session = session->next)
    dn_session_end_output (session, output);
  dn_process_settle (router, process);
}

static int
receive_data (DnRouter *router, DnProcess *process, int output, const uint8_t *bytes, size_t size)
{
  DnInflow *inflow = &process->outputs[output];
  bool is_direct = dn_backlog_length (&inflow->backlog) == 0;
  uint64_t start;
  size_t known, left = 0;

  if (dn_inflow_take (inflow, size, &known) < 0)
    return -EPROTO;
  bytes += known;
  size -= known;
  start = inflow->received - size;
  /* Nearly always nobody is behind: the bytes then go out of the frame itself, and only what
   * someone left is copied. */
  if (is_direct)
    {
      offer_to_all (router, process, output, bytes, start, inflow->received);
      left = (size_t) (inflow->received - find_slowest (process, output));
      bytes += size - left;
    }
  else
    left = size;
  if (dn_backlog_append (&inflow->backlog, bytes, left) < 0)
    return -ENOMEM;
  if (!is_direct)
    offer_to_all (router, process, output, dn_backlog_bytes (&inflow->backlog),
                  dn_inflow_kept (inflow), inflow->received);
  dn_process_moved (router, process, output);
  return 0;
}

static int
receive_end (DnRouter *router, DnProcess *process, int output)
{
  DnInflow *inflow = &process->outputs[output];

  if (dn_inflow_end (inflow) < 0)
    return -EPROTO;
  /* The log takes an unfinished line now. */
  offer_to_all (router, process, output, dn_backlog_bytes (&inflow->backlog),
                dn_inflow_kept (inflow), inflow->received);
  dn_process_moved (router, process, output);
  return 0;
}

static int
receive_stdin_frame (DnRouter *router, DnProcess *process, const DnFrameHeader *header,
                     const uint8_t *payload, const char **ret_why)
{
  DnMsgCredit credit;

  if (header->type == DN_MSG_RESET)
    {
      process->stdin_is_closed = true;
      process->stdin_eof_is_due = false;
      for (DnSession *session = process->sessions; session != NULL; session = session->next)
        dn_session_close_stdin (session);
      return 0;
    }
  *ret_why = "the guest wrote to a standard input";
  if (header->type != DN_MSG_CREDIT || dn_msg_credit_unpack (payload, header->length, &credit) < 0)
    return -EPROTO;
  *ret_why = "the guest gave credit for more than was sent";
  if (credit.bytes > DN_STREAM_WINDOW_BYTES - process->stdin_window)
    return -EPROTO;
  process->stdin_window += credit.bytes;
  dn_process_resume_stdin (router, process);
  return 0;
}

int
dn_process_receive (DnRouter *router, DnProcess *process, const DnFrameHeader *header,
                    const uint8_t *payload, const char **ret_why)
{
  uint32_t index = header->stream - process->streams;
  int output = (int) index - DN_STREAM_STDOUT;

  *ret_why = "the guest used a stream that no process has";
  if (index > DN_STREAM_STDERR)
    return -EPROTO;
  if (index == DN_STREAM_STDIN)
    return receive_stdin_frame (router, process, header, payload, ret_why);

  switch (header->type)
    {
    case DN_MSG_DATA:
      *ret_why = "the guest sent more than the stream's window, or after its end";
      return receive_data (router, process, output, payload, header->length);
    case DN_MSG_EOF:
    case DN_MSG_RESET: /* an output that broke off has ended all the same */
      *ret_why = "the guest ended a stream twice";
      return receive_end (router, process, output);
    default:
      *ret_why = "the guest gave credit for its own output";
      return -EPROTO;
    }
}

void
dn_process_exit (DnRouter *router, DnProcess *process, const DnMsgExited *exited)
{
  if (process->has_exited)
    return;
  process->has_exited = true;
  process->exited = *exited;
  dn_process_settle (router, process);
}

void
dn_process_settle (DnRouter *router, DnProcess *process)
{
  DnMsgDrained drained = { .process = process->number };
  uint8_t payload[64];

  if (!process->has_exited || !process->outputs[DN_OUTPUT_STDOUT].is_ended
      || !process->outputs[DN_OUTPUT_STDERR].is_ended)
    return;
  for (DnSession *session = process->sessions, *next; session != NULL; session = next)
    {
      next = session->next;
      if (dn_session_is_delivered (session))
        dn_session_finish (session, &process->exited);
    }
  if (process->sessions != NULL || process->is_drained)
    return;
  process->is_drained = true;
  memcpy (drained.container, process->container, sizeof drained.container);
  dn_router_tell (router, DN_MSG_DRAINED, payload,
                  dn_msg_drained_pack (&drained, payload, sizeof payload));
}

void
dn_process_resume_stdin (DnRouter *router, DnProcess *process)
{
  if (process->stdin_eof_is_due && dn_channel_is_up (router)
      && dn_channel_put (router, DN_MSG_EOF, process->streams + DN_STREAM_STDIN, NULL, 0) == 0)
    process->stdin_eof_is_due = false;
  for (DnSession *session = process->sessions; session != NULL; session = session->next)
    dn_session_resume (session);
}

void
dn_process_close_stdin (DnRouter *router, DnProcess *process)
{
  if (process->stdin_is_closed)
    return;
  process->stdin_is_closed = true;
  process->stdin_eof_is_due = true;
  for (DnSession *session = process->sessions; session != NULL; session = session->next)
    dn_session_close_stdin (session);
  dn_process_resume_stdin (router, process);
}

void
dn_process_relink (DnRouter *router, DnProcess *process)
{
  for (int i = 0; i < DN_OUTPUTS; i++)
    dn_inflow_relink (&process->outputs[i]);
  ask_for_output (router, process);
  process->stdin_window = DN_STREAM_WINDOW_BYTES;
  /* An EOF may have been lost with the link; a second one does no harm. */
  process->stdin_eof_is_due = process->stdin_is_closed;
  dn_process_resume_stdin (router, process);
}

/* What is left of lines that nobody will finish. */
static void
flush_log (DnRouter *router, DnProcess *process)
{
  for (int i = 0; i < DN_OUTPUTS; i++)
    {
      DnInflow *inflow = &process->outputs[i];

      inflow->is_ended = true;
      offer_to_log (router, process, i, dn_backlog_bytes (&inflow->backlog),
                    dn_inflow_kept (inflow), inflow->received);
    }
}

void
dn_process_free (DnRouter *router, DnProcess *process, const char *reason)
{
  DnProcess **at = &router->processes[bucket_of (process->streams)];

  while (process->sessions != NULL)
    dn_session_lose (process->sessions, reason);
  while (*at != process)
    at = &(*at)->next;
  *at = process->next;
  router->process_count--;
  if (process->log != NULL)
    {
      flush_log (router, process);
      dn_log_free (process->log, dn_router_time (router));
      router->log_count--;
    }
  for (int i = 0; i < DN_OUTPUTS; i++)
    {
      dn_router_forget_credit (router, &process->outputs[i]);
      dn_inflow_clear (&process->outputs[i]);
    }
  dn_router_remember_forgotten (router, process->streams);
  free (process);
}
