/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "../common/autofd.h"

struct DnPump
{
  int from; /* owned; -1: none, or ended */
  int to;   /* owned; -1: dropped */
  void (*ended) (DnPump *pump, gpointer user_data);
  gpointer user_data;
  guint8 *buffer;   /* owned; NULL while nothing waits in it */
  gsize start, end; /* what waits */
  guint in, out;    /* sources; at most one of them is there */
  gboolean has_ended;
  guint64 moved;
};

static void watch (DnPump *pump);

DnPump *
dn_pump_new (int to, void (*ended) (DnPump *pump, gpointer user_data), gpointer user_data)
{
  DnPump *pump = g_new0 (DnPump, 1);

  pump->from = -1;
  pump->to = to;
  pump->ended = ended;
  pump->user_data = user_data;
  if (to >= 0)
    (void) g_unix_set_fd_nonblocking (to, TRUE, NULL);
  return pump;
}

static void
unwatch (DnPump *pump)
{
  g_clear_handle_id (&pump->in, g_source_remove);
  g_clear_handle_id (&pump->out, g_source_remove);
}

void
dn_pump_close (DnPump *pump)
{
  unwatch (pump);
  dn_fd_clear (&pump->from);
  dn_fd_clear (&pump->to);
  g_clear_pointer (&pump->buffer, g_free);
  pump->start = pump->end = 0;
}

void
dn_pump_free (DnPump *pump)
{
  if (pump == NULL)
    return;
  dn_pump_close (pump);
  g_free (pump);
}

gboolean
dn_pump_has_ended (const DnPump *pump)
{
  return pump->has_ended;
}

int
dn_pump_to (const DnPump *pump)
{
  return pump->to;
}

guint64
dn_pump_moved (const DnPump *pump)
{
  return pump->moved;
}

static void
end (DnPump *pump)
{
  unwatch (pump);
  dn_fd_clear (&pump->from);
  pump->has_ended = TRUE;
  pump->ended (pump, pump->user_data);
}

/* Writes what waits, as far as it goes. */
static void
write_waiting (DnPump *pump)
{
  while (pump->start < pump->end && pump->to >= 0)
    {
      ssize_t n = write (pump->to, pump->buffer + pump->start, pump->end - pump->start);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n < 0)
        {
          /* A disk that is full, an end that is gone: the process goes on, these bytes are lost. */
          g_debug ("stream: %s", g_strerror (errno));
          dn_fd_clear (&pump->to);
          break;
        }
      pump->start += (gsize) n;
      pump->moved += (guint64) n;
    }
  pump->start = pump->end = 0;
  g_clear_pointer (&pump->buffer, g_free);
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  DnPump *pump = user_data;

  (void) fd;
  (void) condition;
  pump->out = 0;
  write_waiting (pump);
  watch (pump);
  return G_SOURCE_REMOVE;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  DnPump *pump = user_data;
  ssize_t n;

  (void) condition;
  pump->in = 0;
  if (pump->buffer == NULL)
    pump->buffer = g_malloc (DN_PUMP_BYTES);
  n = read (fd, pump->buffer, DN_PUMP_BYTES);
  if (n > 0)
    {
      pump->end = (gsize) n;
      write_waiting (pump);
    }
  else
    g_clear_pointer (&pump->buffer, g_free);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    end (pump);
  else
    watch (pump);
  return G_SOURCE_REMOVE;
}

/* Waits for what is next: room for what waits, or more to read. */
static void
watch (DnPump *pump)
{
  if (pump->from < 0 || pump->in != 0 || pump->out != 0)
    return;
  if (pump->start < pump->end)
    pump->out = g_unix_fd_add (pump->to, G_IO_OUT | G_IO_ERR, on_writable, pump);
  else
    pump->in = g_unix_fd_add (pump->from, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, pump);
}

void
dn_pump_read_from (DnPump *pump, int from)
{
  unwatch (pump);
  dn_fd_clear (&pump->from);
  (void) g_unix_set_fd_nonblocking (from, TRUE, NULL);
  pump->from = from;
  pump->has_ended = FALSE;
  watch (pump);
}
