/* SPDX-License-Identifier: Apache-2.0 */
#include "session-pump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../protocol/frame-reader.h"
#include "../base/session.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "terminal.h"

#define BUFFER_BYTES (64 * 1024)

enum
{
  CONTROL,
  STDIN,
  STDOUT,
  STDERR,
  SOCKETS,
};

/* Shared by the caller and its threads; the last one frees it.  A thread may outlive the session:
 * it sits in a read of the user's terminal, which nothing but a key can end. */
typedef struct
{
  int sockets[SOCKETS]; /* owned; threads shut down, never close */
  int woken;            /* owned eventfd: one of the two below has changed */
  int stop;             /* owned eventfd: the session is over for the stdin thread */
  gint outputs_left;    /* atomic */
  gint is_detached;     /* atomic */
  DnDetachKeys detach;  /* the stdin thread's */
} Pump;

static void
pump_clear (gpointer data)
{
  Pump *pump = data;

  for (guint i = 0; i < SOCKETS; i++)
    dn_fd_clear (&pump->sockets[i]);
  dn_fd_clear (&pump->woken);
  dn_fd_clear (&pump->stop);
}

static void
pump_unref (Pump *pump)
{
  g_atomic_rc_box_release_full (pump, pump_clear);
}

static void
notify (int event)
{
  const guint64 one = 1;

  /* Fails only when the counter is full: then it is readable anyhow. */
  if (write (event, &one, sizeof one) < 0)
    return;
}

/* To a descriptor of the user's, which may be in either mode. */
static gboolean
write_all (int fd, const guint8 *bytes, gsize size)
{
  while (size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n >= 0)
        {
          bytes += n;
          size -= (gsize) n;
        }
      else if (errno == EAGAIN)
        {
          struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

          (void) poll (&pollfd, 1, -1);
        }
      else if (errno != EINTR)
        return FALSE;
    }
  return TRUE;
}

static gboolean
send_all (int socket, const guint8 *bytes, gsize size)
{
  while (size > 0)
    {
      ssize_t n = send (socket, bytes, size, MSG_NOSIGNAL);

      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          bytes += n;
          size -= (gsize) n;
        }
    }
  return TRUE;
}

static void
copy_output (Pump *pump, int from, int to)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER_BYTES);
  ssize_t n;

  while ((n = read (from, buffer, BUFFER_BYTES)) != 0)
    if (n < 0 ? errno != EINTR : !write_all (to, buffer, (gsize) n))
      break;
  /* After the user's end closed: tells the relay that nobody reads here any more. */
  (void) shutdown (from, SHUT_RDWR);
  (void) g_atomic_int_dec_and_test (&pump->outputs_left);
  notify (pump->woken);
  pump_unref (pump);
}

static gpointer
copy_stdout (gpointer data)
{
  Pump *pump = data;

  copy_output (pump, pump->sockets[STDOUT], STDOUT_FILENO);
  return NULL;
}

static gpointer
copy_stderr (gpointer data)
{
  Pump *pump = data;

  copy_output (pump, pump->sockets[STDERR], STDERR_FILENO);
  return NULL;
}

/* Waits for input.  Returns: FALSE when the session is over. */
static gboolean
wait_input (Pump *pump)
{
  struct pollfd pollfds[]
      = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = pump->stop, .events = POLLIN } };

  while (poll (pollfds, G_N_ELEMENTS (pollfds), -1) < 0)
    if (errno != EINTR)
      break;
  return pollfds[1].revents == 0;
}

static gpointer
copy_stdin (gpointer data)
{
  Pump *pump = data;
  g_autofree guint8 *typed = g_malloc (BUFFER_BYTES);
  g_autofree guint8 *bytes = g_malloc (BUFFER_BYTES + DN_DETACH_KEYS_MAX);
  gboolean is_over = FALSE;

  while (!is_over && wait_input (pump))
    {
      ssize_t n = read (STDIN_FILENO, typed, BUFFER_BYTES);
      gsize size;

      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n <= 0)
        break;
      if (dn_detach_keys_filter (&pump->detach, typed, (gsize) n, bytes, &size))
        {
          g_atomic_int_set (&pump->is_detached, 1);
          notify (pump->woken);
          pump_unref (pump);
          return NULL; /* without an end of file: the process goes on */
        }
      is_over = !send_all (pump->sockets[STDIN], bytes, size);
    }
  (void) shutdown (pump->sockets[STDIN], SHUT_WR);
  pump_unref (pump);
  return NULL;
}

static void
send_frame (Pump *pump, uint16_t type, const uint8_t *payload, int size)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 16];

  if (size < 0 || size > 16)
    return;
  dn_frame_encode_header (frame, type, 0, (uint32_t) size);
  memcpy (frame + DN_FRAME_HEADER_BYTES, payload, (size_t) size);
  /* A relay that does not take a few bytes has other worries; waiting for it would help nobody. */
  (void) send (pump->sockets[CONTROL], frame, DN_FRAME_HEADER_BYTES + (size_t) size,
               MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
send_size (Pump *pump)
{
  DnMsgSessionResize resize;
  uint8_t payload[16] = { 0 };

  dn_terminal_get_size (&resize.rows, &resize.columns);
  if (resize.rows > 0 && resize.columns > 0)
    send_frame (pump, DN_MSG_SESSION_RESIZE, payload,
                dn_msg_session_resize_pack (&resize, payload, sizeof payload));
}

static void
send_signal (Pump *pump, guint32 number)
{
  const DnMsgSessionSignal message = { .signal = number };
  uint8_t payload[16] = { 0 };

  send_frame (pump, DN_MSG_SESSION_SIGNAL, payload,
              dn_msg_session_signal_pack (&message, payload, sizeof payload));
}

static void
handle_signal (Pump *pump, const DnSessionPlan *plan, int number)
{
  switch (number)
    {
    case SIGWINCH:
      if (plan->is_resizing)
        send_size (pump);
      return;
    case SIGCONT:
      /* A shell may have set its own modes while we were stopped. */
      if (plan->is_raw)
        dn_terminal_resume ();
      if (plan->is_resizing)
        send_size (pump);
      return;
    case SIGTSTP:
      dn_terminal_restore ();
      (void) raise (SIGSTOP); /* SIGCONT follows when we go on */
      return;
    default:
      if (!plan->is_raw && plan->sends_signals)
        send_signal (pump, (guint32) number);
      else
        dn_terminal_die (number);
    }
}

static void
drain_signals (Pump *pump, const DnSessionPlan *plan, int fd)
{
  struct signalfd_siginfo info;

  while (read (fd, &info, sizeof info) == (ssize_t) sizeof info)
    handle_signal (pump, plan, (int) info.ssi_signo);
}

static void
set_lost (DnSessionResult *result, const char *reason)
{
  result->outcome = DN_SESSION_LOST;
  g_free (result->reason);
  result->reason = g_strdup (reason);
  result->exited_us = g_get_monotonic_time ();
}

/* One message of the relay's.  Returns: FALSE after the last. */
static gboolean
take_frame (const DnFrameHeader *header, const uint8_t *payload, DnSessionResult *result)
{
  DnMsgSessionExited exited;
  DnMsgSessionLost lost;

  if (header->type == DN_MSG_SESSION_EXITED
      && dn_msg_session_exited_unpack (payload, header->length, &exited) == 0)
    {
      result->outcome = DN_SESSION_ENDED;
      result->code = exited.code;
      result->signal = exited.signal;
      result->oom_kills = exited.oom_kills;
      result->exited_us = g_get_monotonic_time ();
    }
  else if (header->type == DN_MSG_SESSION_LOST
           && dn_msg_session_lost_unpack (payload, header->length, &lost) == 0)
    set_lost (result, lost.reason);
  else
    set_lost (result, "the relay broke the protocol");
  return FALSE;
}

/* Reads what there is.  Returns: FALSE when @result is known. */
static gboolean
read_control (Pump *pump, DnFrameReader *reader, DnSessionResult *result)
{
  DnFrameHeader header;
  const uint8_t *payload;
  size_t room;
  uint8_t *space = dn_frame_reader_space (reader, &room);
  ssize_t n = recv (pump->sockets[CONTROL], space, room, MSG_DONTWAIT);
  int r;

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  if (n <= 0)
    {
      set_lost (result, "the relay is gone");
      return FALSE;
    }
  dn_frame_reader_added (reader, (size_t) n);
  while ((r = dn_frame_reader_next (reader, &header, &payload)) > 0)
    if (!take_frame (&header, payload, result))
      return FALSE;
  if (r < 0)
    {
      set_lost (result, "the relay broke the protocol");
      return FALSE;
    }
  return TRUE;
}

static void
serve (Pump *pump, const DnSessionPlan *plan, int signals, DnSessionResult *result)
{
  g_autofree DnFrameReader *reader = g_new (DnFrameReader, 1);
  gboolean is_open = TRUE;

  dn_frame_reader_init (reader, &dn_session_wire, DN_SENDER_GUEST);
  if (plan->is_resizing)
    send_size (pump);
  while (is_open || g_atomic_int_get (&pump->outputs_left) > 0)
    {
      struct pollfd pollfds[] = {
        { .fd = pump->woken, .events = POLLIN },
        { .fd = signals, .events = POLLIN },
        { .fd = is_open ? pump->sockets[CONTROL] : -1, .events = POLLIN },
      };
      guint64 count;

      if (poll (pollfds, G_N_ELEMENTS (pollfds), -1) < 0)
        continue;
      if (pollfds[1].revents != 0)
        drain_signals (pump, plan, signals);
      if (pollfds[0].revents != 0 && read (pump->woken, &count, sizeof count) > 0
          && g_atomic_int_get (&pump->is_detached))
        {
          result->outcome = DN_SESSION_DETACHED;
          return;
        }
      if (pollfds[2].revents != 0 && !read_control (pump, reader, result))
        {
          is_open = FALSE;
          notify (pump->stop);
          /* Nothing more will come from a relay that is lost; what came already is still read. */
          if (result->outcome == DN_SESSION_LOST)
            for (guint i = STDOUT; i <= STDERR; i++)
              (void) shutdown (pump->sockets[i], SHUT_RD);
        }
    }
}

static gboolean
start_thread (Pump *pump, const char *name, GThreadFunc function, GError **error)
{
  g_autoptr (GError) local = NULL;
  GThread *thread = g_thread_try_new (name, function, g_atomic_rc_box_acquire (pump), &local);

  if (thread == NULL)
    {
      pump_unref (pump);
      return dn_throw (error, DN_ERROR_FAILED, "session: %s", local->message);
    }
  g_thread_unref (thread);
  return TRUE;
}

static Pump *
pump_new (const DnSessionPlan *plan, GError **error)
{
  Pump *pump;

  if (plan->fds->count != SOCKETS)
    {
      dn_throw (error, DN_ERROR_PROTOCOL,
                "session: danchid sent %" G_GSIZE_FORMAT " descriptors, not %d", plan->fds->count,
                SOCKETS);
      dn_fd_list_clear (plan->fds);
      return NULL;
    }
  pump = g_atomic_rc_box_new0 (Pump);
  memcpy (pump->sockets, plan->fds->fds, sizeof pump->sockets);
  plan->fds->count = 0;
  pump->woken = eventfd (0, EFD_CLOEXEC);
  pump->stop = eventfd (0, EFD_CLOEXEC);
  pump->outputs_left = 2;
  if (plan->is_raw)
    pump->detach = plan->detach;
  if (pump->woken < 0 || pump->stop < 0)
    {
      dn_throw_errno (error, "session");
      g_clear_pointer (&pump, pump_unref);
    }
  return pump;
}

/* What a session takes for itself, or for its process. */
static void
fill_signals (const DnSessionPlan *plan, sigset_t *set)
{
  static const int always[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH };
  static const int when_sent[] = { SIGUSR1, SIGUSR2, SIGALRM };
  static const int when_raw[] = { SIGTSTP, SIGCONT };

  (void) sigemptyset (set);
  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    (void) sigaddset (set, always[i]);
  if (plan->is_raw)
    for (guint i = 0; i < G_N_ELEMENTS (when_raw); i++)
      (void) sigaddset (set, when_raw[i]);
  else if (plan->sends_signals)
    for (guint i = 0; i < G_N_ELEMENTS (when_sent); i++)
      (void) sigaddset (set, when_sent[i]);
}

gboolean
dn_session_pump_run (const DnSessionPlan *plan, DnSessionResult *ret_result, GError **error)
{
  Pump *pump = pump_new (plan, error);
  DnSessionResult result = { .outcome = DN_SESSION_LOST };
  dn_autofd int signals = -1;
  sigset_t wanted, before;
  gboolean is_fine;

  if (pump == NULL)
    return FALSE;
  fill_signals (plan, &wanted);
  (void) signal (SIGPIPE, SIG_IGN);
  /* Before the threads, which inherit the mask: signals then wait for the signalfd alone. */
  (void) pthread_sigmask (SIG_BLOCK, &wanted, &before);
  signals = signalfd (-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  is_fine = signals >= 0 || dn_throw_errno (error, "session");
  is_fine = is_fine && start_thread (pump, "stdout", copy_stdout, error)
            && start_thread (pump, "stderr", copy_stderr, error)
            && (!plan->has_stdin || start_thread (pump, "stdin", copy_stdin, error));
  if (is_fine)
    serve (pump, plan, signals, &result);
  (void) pthread_sigmask (SIG_SETMASK, &before, NULL);
  notify (pump->stop);
  pump_unref (pump);
  if (is_fine)
    *ret_result = result;
  return is_fine;
}
