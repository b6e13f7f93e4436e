/* SPDX-License-Identifier: Apache-2.0 */
#include "container-scratch.h"

#include "../common/error.h"
#include "settings-file.h"

#define MIB (1024 * 1024)

/* 0: it has none. */
static gint64
bytes_of (const DnContainerOptions *options, gint64 most)
{
  gint64 bytes = options->writable_bytes > 0 ? options->writable_bytes
                                             : MIN (DN_SCRATCH_DEFAULT_BYTES, most);

  /* Whole blocks of a file system. */
  return options->is_on_disk ? bytes / DN_DISK_BLOCK_BYTES * DN_DISK_BLOCK_BYTES : 0;
}

static gint64
most_of (DnDaemon *daemon)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);

  return (gint64) settings->scratch_bytes;
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  gint64 most = most_of (start->container->daemon);
  gint64 bytes = bytes_of (start->options, most);

  if (!start->options->is_on_disk)
    return TRUE;
  if (bytes > most || bytes < DN_SCRATCH_LEAST_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "--writable=disk: %" G_GINT64_FORMAT " MiB, and this host gives a container "
                     "%" G_GINT64_FORMAT " MiB at most\nask for less, or see [guest] scratch_mib "
                     "in danchi.conf",
                     bytes / MIB, most / MIB);
  start->entry->wants_scratch = TRUE;
  return TRUE;
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  gint64 bytes = bytes_of (start->options, most_of (start->container->daemon));
  char serial[DN_SCRATCH_SERIAL_BYTES + 1];

  if (bytes == 0)
    return TRUE;
  dn_scratch_serial (start->container->id, serial);
  return dn_guest_attach_scratch (start->guest, serial, (guint64) bytes, error);
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  g_autoptr (GError) error = NULL;
  char serial[DN_SCRATCH_SERIAL_BYTES + 1];
  gboolean is_on_disk;

  g_mutex_lock (&container->daemon->lock);
  is_on_disk = container->options->is_on_disk;
  g_mutex_unlock (&container->daemon->lock);
  dn_scratch_serial (container->id, serial);
  if (guest != NULL && is_on_disk && !dn_guest_detach_scratch (guest, serial, &error)
      && !g_error_matches (error, DN_ERROR, DN_ERROR_NOT_FOUND))
    g_warning ("container %s: %s", container->id, error->message);
}

const DnContainerPart dn_container_scratch_part
    = { .name = "scratch", .prepare = prepare, .enter = enter, .leave = leave };
