/* SPDX-License-Identifier: Apache-2.0 */
#include "stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "log-binary.h"
#include "pump.h"

/* How often a pipe is asked whether it is empty: there is nothing to wait on. */
#define POLL_MS 5

enum
{
  OUT,
  ERR,
  OUTPUTS,
};

struct DnStdio
{
  DnPump *input;            /* owned; NULL: none */
  int stdin_fd;             /* owned until the session is there: the client's pipe */
  int stdin_holder;         /* owned: a writer, so that a client that leaves is no end of file */
  DnPump *outputs[OUTPUTS]; /* owned */
  DnLogBinary *binary;      /* owned; NULL: none */
  void (*done) (gpointer user_data);
  gpointer user_data;
  guint timer;
  guint64 seen;   /* progress at the last look */
  gint64 seen_us; /* when that changed */
};

static void
on_pump_ended (DnPump *pump, gpointer user_data)
{
  DnStdio *stdio = user_data;

  if (pump == stdio->input && dn_pump_to (pump) >= 0)
    (void) shutdown (dn_pump_to (pump), SHUT_WR);
}

static gboolean
is_fifo (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISFIFO (status.st_mode);
}

static int
throw_open (const char *path, GError **error)
{
  if (errno == ENOENT)
    dn_throw (error, DN_ERROR_NOT_FOUND, "stream '%s': no such file", path);
  else
    dn_throw_errno (error, "stream '%s'", path);
  return -1;
}

/* For writing: a pipe, or whatever the client has put there.  A pipe is opened once and stays: one
 * that had a writer and has none would be at its end for the client. */
static int
open_path (const char *path, GError **error)
{
  struct stat status;
  gboolean is_pipe = stat (path, &status) == 0 && S_ISFIFO (status.st_mode);
  int fd
      = open (path, (is_pipe ? O_RDWR : O_WRONLY | O_APPEND) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

  return fd >= 0 ? fd : throw_open (path, error);
}

static int
open_file (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  int fd;

  (void) g_mkdir_with_parents (directory, 0755);
  fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
  return fd >= 0 ? fd : throw_open (path, error);
}

static gboolean
open_output (const char *text, int *ret_fd, GError **error)
{
  g_auto (DnLogUri) uri = { 0 };

  if (!dn_log_uri_read (text, &uri, error))
    return FALSE;
  switch (uri.kind)
    {
    case DN_LOG_NONE:
      return TRUE;
    case DN_LOG_PATH:
      *ret_fd = open_path (uri.path, error);
      return *ret_fd >= 0;
    case DN_LOG_FILE:
      *ret_fd = open_file (uri.path, error);
      return *ret_fd >= 0;
    case DN_LOG_BINARY:
      return dn_throw (error, DN_ERROR_USAGE, "stream '%s': a program takes both outputs", text);
    }
  return FALSE;
}

static gboolean
open_outputs (DnStdio *stdio, const DnStdioPlan *plan, int fds[OUTPUTS], GError **error)
{
  const char *err = plan->has_terminal ? "" : plan->err;
  g_auto (DnLogUri) uri = { 0 };

  if (!dn_log_uri_read (plan->out, &uri, error))
    return FALSE;
  if (uri.kind == DN_LOG_BINARY)
    {
      if (*err != '\0' && !g_str_equal (err, plan->out))
        return dn_throw (error, DN_ERROR_USAGE, "stream '%s': a program takes both outputs", err);
      stdio->binary
          = dn_log_binary_start (&uri, plan->id, plan->name_space, &fds[OUT], &fds[ERR], error);
      return stdio->binary != NULL;
    }
  if (!open_output (plan->out, &fds[OUT], error))
    return FALSE;
  /* The same file twice would have two positions. */
  if (fds[OUT] >= 0 && g_str_equal (err, plan->out))
    {
      fds[ERR] = fcntl (fds[OUT], F_DUPFD_CLOEXEC, 0);
      return fds[ERR] >= 0 || dn_throw_errno (error, "stream '%s'", err);
    }
  return open_output (err, &fds[ERR], error);
}

static gboolean
open_input (DnStdio *stdio, const char *text, gboolean ends_with_client, GError **error)
{
  g_auto (DnLogUri) uri = { 0 };

  if (!dn_log_uri_read (text, &uri, error))
    return FALSE;
  if (uri.kind == DN_LOG_NONE)
    return TRUE;
  if (uri.kind != DN_LOG_PATH)
    return dn_throw (error, DN_ERROR_USAGE, "stream '%s': nothing to read from", text);
  stdio->stdin_fd = open (uri.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (stdio->stdin_fd >= 0 && !ends_with_client && is_fifo (stdio->stdin_fd))
    stdio->stdin_holder = open (uri.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  return stdio->stdin_fd >= 0 || throw_open (uri.path, error) >= 0;
}

DnStdio *
dn_stdio_open (const DnStdioPlan *plan, GError **error)
{
  DnStdio *stdio = g_new0 (DnStdio, 1);
  int fds[OUTPUTS] = { -1, -1 };
  gboolean is_open;

  stdio->stdin_fd = stdio->stdin_holder = -1;
  is_open = open_input (stdio, plan->in, plan->ends_with_client, error)
            && open_outputs (stdio, plan, fds, error);
  for (gsize i = 0; i < OUTPUTS; i++)
    stdio->outputs[i] = dn_pump_new (fds[i], on_pump_ended, stdio);
  if (is_open)
    return stdio;
  dn_stdio_free (stdio);
  return NULL;
}

static void
close_all (DnStdio *stdio)
{
  g_clear_pointer (&stdio->input, dn_pump_free);
  dn_fd_clear (&stdio->stdin_fd);
  dn_fd_clear (&stdio->stdin_holder);
  for (gsize i = 0; i < OUTPUTS; i++)
    dn_pump_close (stdio->outputs[i]);
  dn_log_binary_end (g_steal_pointer (&stdio->binary));
}

void
dn_stdio_free (DnStdio *stdio)
{
  if (stdio == NULL)
    return;
  g_clear_handle_id (&stdio->timer, g_source_remove);
  close_all (stdio);
  for (gsize i = 0; i < OUTPUTS; i++)
    dn_pump_free (stdio->outputs[i]);
  g_free (stdio);
}

gboolean
dn_stdio_has_stdin (const DnStdio *stdio)
{
  return stdio->stdin_fd >= 0 || stdio->input != NULL;
}

void
dn_stdio_begin (DnStdio *stdio, const int sockets[3])
{
  int input = sockets[0];

  for (gsize i = 0; i < OUTPUTS; i++)
    dn_pump_read_from (stdio->outputs[i], sockets[i + 1]);
  /* After a session that was lost: the pipe goes from the old pump, which may hold a piece that
   * nobody takes any more. */
  if (stdio->stdin_fd >= 0)
    {
      int from = fcntl (stdio->stdin_fd, F_DUPFD_CLOEXEC, 0);

      g_clear_pointer (&stdio->input, dn_pump_free);
      stdio->input = dn_pump_new (input, on_pump_ended, stdio);
      if (from >= 0)
        dn_pump_read_from (stdio->input, from);
      return;
    }
  dn_fd_clear (&input);
}

void
dn_stdio_close_stdin (DnStdio *stdio)
{
  dn_fd_clear (&stdio->stdin_holder);
}

guint64
dn_stdio_progress (const DnStdio *stdio)
{
  guint64 total = 0;

  for (gsize i = 0; i < OUTPUTS; i++)
    {
      int left = 0;

      if (dn_pump_to (stdio->outputs[i]) >= 0)
        (void) ioctl (dn_pump_to (stdio->outputs[i]), FIONREAD, &left);
      /* What was written less what nobody has read yet. */
      total += dn_pump_moved (stdio->outputs[i]) - (guint64) MAX (left, 0);
    }
  return total;
}

/* Whether all was written, and everything in pipes was read. */
static gboolean
is_drained (const DnStdio *stdio)
{
  for (gsize i = 0; i < OUTPUTS; i++)
    {
      int to = dn_pump_to (stdio->outputs[i]), left = 0;

      if (!dn_pump_has_ended (stdio->outputs[i]))
        return FALSE;
      /* A log program reads on after the end; a client may not. */
      if (to >= 0 && stdio->binary == NULL && is_fifo (to) && ioctl (to, FIONREAD, &left) == 0
          && left > 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
look (gpointer user_data)
{
  DnStdio *stdio = user_data;
  gint64 now_us = g_get_monotonic_time ();
  guint64 progress = dn_stdio_progress (stdio);

  if (progress != stdio->seen)
    {
      stdio->seen = progress;
      stdio->seen_us = now_us;
    }
  if (!is_drained (stdio) && now_us - stdio->seen_us < DN_STDIO_PATIENCE_MS * 1000)
    return G_SOURCE_CONTINUE;
  stdio->timer = 0;
  close_all (stdio);
  stdio->done (stdio->user_data);
  return G_SOURCE_REMOVE;
}

void
dn_stdio_finish (DnStdio *stdio, void (*done) (gpointer user_data), gpointer user_data)
{
  stdio->done = done;
  stdio->user_data = user_data;
  stdio->seen = dn_stdio_progress (stdio);
  stdio->seen_us = g_get_monotonic_time ();
  stdio->timer = g_timeout_add (POLL_MS, look, stdio);
}
