/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "router.h"

/* The last word to a client.  The socket's buffer is as good as empty; a client that filled it up
 * regardless learns from the end of the connection alone. */
static void
send_last (int control_fd, uint16_t type, const uint8_t *payload, int size)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 512];

  if (size < 0 || (size_t) size > sizeof frame - DN_FRAME_HEADER_BYTES)
    return;
  dn_frame_encode_header (frame, type, 0, (uint32_t) size);
  memcpy (frame + DN_FRAME_HEADER_BYTES, payload, (size_t) size);
  if (send (control_fd, frame, DN_FRAME_HEADER_BYTES + (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL)
      < 0)
    errno = 0;
}

static void
send_lost (int control_fd, const char *reason)
{
  DnMsgSessionLost lost = { 0 };
  uint8_t payload[512] = { 0 };

  memcpy (lost.reason, reason, strnlen (reason, DN_MESSAGE_BYTES));
  send_last (control_fd, DN_MSG_SESSION_LOST, payload,
             dn_msg_session_lost_pack (&lost, payload, sizeof payload));
}

static void
free_session (DnSession *session)
{
  DnLoop *loop = &session->router->loop;
  DnSession **at = &session->process->sessions;

  while (*at != session)
    at = &(*at)->next;
  *at = session->next;
  session->router->session_count--;
  dn_loop_remove_timer (loop, &session->linger_timer);
  dn_loop_close (loop, &session->control);
  dn_loop_close (loop, &session->input);
  for (int i = 0; i < DN_OUTPUTS; i++)
    dn_loop_close (loop, &session->outputs[i].source);
  free (session);
}

void
dn_session_finish (DnSession *session, const DnMsgExited *exited)
{
  DnMsgSessionExited last
      = { .code = exited->code, .signal = exited->signal, .oom_kills = exited->oom_kills };
  uint8_t payload[16] = { 0 };

  send_last (session->control.fd, DN_MSG_SESSION_EXITED, payload,
             dn_msg_session_exited_pack (&last, payload, sizeof payload));
  free_session (session);
}

void
dn_session_lose (DnSession *session, const char *reason)
{
  send_lost (session->control.fd, reason);
  free_session (session);
}

/* The client is gone; its process goes on. */
static void
detach (DnSession *session)
{
  DnRouter *router = session->router;
  DnProcess *process = session->process;
  bool had_input = session->input.fd >= 0;

  free_session (session);
  if (had_input && process->number != 0)
    dn_process_close_stdin (router, process);
  for (int i = 0; i < DN_OUTPUTS; i++)
    dn_process_moved (router, process, i);
}

/* Whether the client's end of the control socket is closed. */
static bool
is_gone (const DnSession *session)
{
  uint8_t byte;
  ssize_t n = recv (session->control.fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);

  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int
handle_message (DnSession *session, const DnFrameHeader *header, const uint8_t *payload)
{
  DnProcess *process = session->process;
  DnMsgSessionResize resize;
  DnMsgSessionSignal order;
  DnMsgSignal signal = { .process = process->number };
  uint8_t bytes[128];
  int size;

  if (header->type == DN_MSG_SESSION_RESIZE
      && dn_msg_session_resize_unpack (payload, header->length, &resize) == 0)
    {
      DnMsgResize message = { .rows = resize.rows, .columns = resize.columns };

      size = dn_msg_resize_pack (&message, bytes, sizeof bytes);
      (void) dn_channel_put (session->router, DN_MSG_RESIZE, process->streams + DN_STREAM_STDIN,
                             bytes, (size_t) size);
      return 0;
    }
  if (header->type != DN_MSG_SESSION_SIGNAL
      || dn_msg_session_signal_unpack (payload, header->length, &order) < 0)
    return -EPROTO;

  /* Half of the requests are danchid's, whatever a client does. */
  if (session->router->channel.requests.count >= DN_REQUESTS_MAX / 2)
    return 0;
  signal.signal = order.signal;
  signal.request = dn_requests_number (&session->router->channel.requests, 0, 0);
  memcpy (signal.container, process->container, sizeof signal.container);
  size = dn_msg_signal_pack (&signal, bytes, sizeof bytes);
  if (signal.request != 0
      && dn_channel_put (session->router, DN_MSG_SIGNAL, 0, bytes, (size_t) size) < 0)
    dn_requests_forget (&session->router->channel.requests, signal.request);
  return 0;
}

/* Takes whole messages out of the inbox, which holds one of the largest. */
static int
handle_inbox (DnSession *session)
{
  DnFrameHeader header;

  while (session->inbox_bytes >= DN_FRAME_HEADER_BYTES)
    {
      size_t whole;

      if (dn_frame_decode_header (&dn_session_wire, DN_SENDER_HOST, session->inbox, &header) < 0
          || header.stream != 0 || header.length > sizeof session->inbox - DN_FRAME_HEADER_BYTES)
        return -EPROTO;
      whole = DN_FRAME_HEADER_BYTES + header.length;
      if (session->inbox_bytes < whole)
        return 0;
      if (handle_message (session, &header, session->inbox + DN_FRAME_HEADER_BYTES) < 0)
        return -EPROTO;
      session->inbox_bytes -= whole;
      memmove (session->inbox, session->inbox + whole, session->inbox_bytes);
    }
  return 0;
}

static void
control_ready (void *data, uint32_t events)
{
  DnSession *session = data;

  /* What a client says becomes frames to the guest: it waits while those do not get away. */
  if (session->router->channel.is_full)
    {
      (void) dn_loop_want (&session->router->loop, &session->control, 0);
      return;
    }
  /* One message in a turn: a client that floods its own process with signals waits its turn. */
  if ((events & EPOLLIN) != 0)
    {
      ssize_t n = recv (session->control.fd, session->inbox + session->inbox_bytes,
                        sizeof session->inbox - session->inbox_bytes, MSG_DONTWAIT);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      session->inbox_bytes += n > 0 ? (size_t) n : 0;
      if (n > 0 && handle_inbox (session) == 0)
        return;
    }
  detach (session);
}

void
dn_session_close_stdin (DnSession *session)
{
  dn_loop_close (&session->router->loop, &session->input);
}

static void
linger_passed (void *data)
{
  DnSession *session = data;

  if (is_gone (session))
    detach (session);
  else
    {
      dn_session_close_stdin (session);
      dn_process_close_stdin (session->router, session->process);
    }
}

/* The client's end of stdin is shut down (@is_closed: closed altogether). */
static void
handle_stdin_end (DnSession *session, bool is_closed)
{
  if (is_gone (session))
    {
      detach (session);
      return;
    }
  if (is_closed)
    {
      /* The client may be going away right now, one socket after the other. */
      (void) dn_loop_want (&session->router->loop, &session->input, 0);
      dn_loop_set_timer (&session->router->loop, &session->linger_timer, DN_SESSION_LINGER_NS);
      return;
    }
  dn_session_close_stdin (session);
  dn_process_close_stdin (session->router, session->process);
}

static void
input_ready (void *data, uint32_t events)
{
  DnSession *session = data;
  DnProcess *process = session->process;
  size_t most = process->stdin_window < DN_SESSION_READ_BYTES ? process->stdin_window
                                                              : DN_SESSION_READ_BYTES;
  int n;

  /* No window or no room: nothing is wanted to be heard of the socket until there is. */
  if (most == 0 || !dn_channel_has_room (session->router))
    {
      (void) dn_loop_want (&session->router->loop, &session->input, 0);
      return;
    }
  n = dn_channel_put_from (session->router, session->input.fd, process->streams + DN_STREAM_STDIN,
                           most);
  if (n > 0)
    process->stdin_window -= (uint32_t) n;
  else if (n == -ENOBUFS)
    (void) dn_loop_want (&session->router->loop, &session->input, 0);
  else if (n != -EAGAIN && n != -EINTR)
    handle_stdin_end (session, (events & (EPOLLHUP | EPOLLERR)) != 0);
}

void
dn_session_resume (DnSession *session)
{
  (void) dn_loop_want (&session->router->loop, &session->control, EPOLLIN | EPOLLRDHUP);
  if (session->input.fd < 0 || session->linger_timer.deadline_ns != 0)
    return;
  if (session->process->stdin_window > 0 && dn_channel_has_room (session->router))
    (void) dn_loop_want (&session->router->loop, &session->input, EPOLLIN | EPOLLRDHUP);
}

static void
output_ready (DnSession *session, int output, uint32_t events)
{
  DnSessionOutput *out = &session->outputs[output];
  DnInflow *inflow = &session->process->outputs[output];

  if ((events & (EPOLLHUP | EPOLLERR)) != 0)
    dn_loop_close (&session->router->loop, &out->source);
  else
    dn_session_offer (session, output, dn_backlog_bytes (&inflow->backlog), dn_inflow_kept (inflow),
                      inflow->received);
  dn_process_moved (session->router, session->process, output);
}

static void
stdout_ready (void *data, uint32_t events)
{
  output_ready (data, DN_OUTPUT_STDOUT, events);
}

static void
stderr_ready (void *data, uint32_t events)
{
  output_ready (data, DN_OUTPUT_STDERR, events);
}

void
dn_session_offer (DnSession *session, int output, const uint8_t *bytes, uint64_t start,
                  uint64_t end)
{
  DnSessionOutput *out = &session->outputs[output];
  DnLoop *loop = &session->router->loop;

  while (out->source.fd >= 0 && out->at < end)
    {
      ssize_t n = send (out->source.fd, bytes + (out->at - start), (size_t) (end - out->at),
                        MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n >= 0)
        out->at += (uint64_t) n;
      else if (errno == EAGAIN || errno == ENOBUFS)
        break;
      else if (errno != EINTR)
        dn_loop_close (loop, &out->source);
    }
  if (out->source.fd >= 0)
    (void) dn_loop_want (loop, &out->source, out->at < end ? EPOLLOUT : DN_LOOP_HANGUP);
}

void
dn_session_end_output (DnSession *session, int output)
{
  DnSessionOutput *out = &session->outputs[output];

  if (out->source.fd >= 0 && out->at >= session->process->outputs[output].received)
    dn_loop_close (&session->router->loop, &out->source);
}

bool
dn_session_is_delivered (const DnSession *session)
{
  return session->outputs[DN_OUTPUT_STDOUT].source.fd < 0
         && session->outputs[DN_OUTPUT_STDERR].source.fd < 0;
}

static void
refuse (const int *fds, const char *reason)
{
  send_lost (fds[DN_SESSION_FD_CONTROL], reason);
  for (int i = 0; i < DN_SESSION_FDS; i++)
    (void) close (fds[i]);
}

static void
take_fds (DnSession *session, const int *fds, uint32_t flags)
{
  static void (*const output_handlers[]) (void *, uint32_t) = { stdout_ready, stderr_ready };
  static const uint32_t output_flags[] = { DN_SESSION_STDOUT, DN_SESSION_STDERR };

  session->control
      = (DnSource){ .fd = fds[DN_SESSION_FD_CONTROL], .ready = control_ready, .data = session };
  session->input
      = (DnSource){ .fd = fds[DN_SESSION_FD_STDIN], .ready = input_ready, .data = session };
  if ((flags & DN_SESSION_STDIN) == 0 || (session->process->flags & DN_PROCESS_STDIN) == 0
      || session->process->stdin_is_closed)
    dn_session_close_stdin (session);
  for (int i = 0; i < DN_OUTPUTS; i++)
    {
      session->outputs[i].source = (DnSource){ .fd = fds[DN_SESSION_FD_STDOUT + i],
                                               .ready = output_handlers[i],
                                               .data = session };
      session->outputs[i].at = session->process->outputs[i].received;
      if ((flags & output_flags[i]) == 0)
        dn_loop_close (&session->router->loop, &session->outputs[i].source);
    }
}

void
dn_session_add (DnRouter *router, const DnMsgSession *order, const int *fds)
{
  DnProcess *process = dn_process_find (router, order->container, order->process);
  DnSession *session;

  if (process == NULL || router->session_count >= DN_ROUTER_SESSIONS_MAX)
    {
      refuse (fds, process == NULL ? "there is no such process"
                                   : "the guest has as many sessions as it can have");
      return;
    }
  session = calloc (1, sizeof *session);
  if (session == NULL)
    {
      refuse (fds, "the relay is out of memory");
      return;
    }
  session->router = router;
  session->process = process;
  session->linger_timer = (DnTimer){ .fire = linger_passed, .data = session };
  take_fds (session, fds, order->flags);
  session->next = process->sessions;
  process->sessions = session;
  router->session_count++;
  dn_loop_add_timer (&router->loop, &session->linger_timer);

  if (dn_loop_want (&router->loop, &session->control, EPOLLIN | EPOLLRDHUP) < 0)
    {
      dn_session_lose (session, "the session's sockets cannot be watched");
      return;
    }
  for (int i = 0; i < DN_OUTPUTS; i++)
    if (session->outputs[i].source.fd >= 0)
      (void) dn_loop_want (&router->loop, &session->outputs[i].source, DN_LOOP_HANGUP);
  dn_session_resume (session);
  for (int i = 0; i < DN_OUTPUTS; i++)
    if (process->outputs[i].is_ended)
      dn_session_end_output (session, i);
  dn_process_settle (router, process);
}
