/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/daemon.h"
#include "../daemon/settings-file.h"
#include "guest-memory.h"

/* With less room than this on the store's disk, that is why a guest could not write. */
#define FULL_BYTES (G_GUINT64_CONSTANT (16) * 1024 * 1024)

struct DnImageWork
{
  DnRequest *request;
  DnSettings *settings; /* owned */
  DnImageWorkFunc func;
  gpointer data;
  guint64 memory_bytes;  /* taken; the work's thread alone */
  const char *told_step; /* the client's thread alone */
  const char *guest_words;
  int console_fd;
  GMutex lock; /* guards what follows */
  DnGuest *guest;
  gboolean is_cancelled;
  const char *step;
  guint64 done;
  guint64 total;
  gboolean has_news; /* since it was told last */
};

const DnSettings *
dn_image_work_settings (const DnImageWork *work)
{
  return work->settings;
}

DnRequest *
dn_image_work_request (DnImageWork *work)
{
  return work->request;
}

void
dn_image_work_tell (DnImageWork *work, const char *step, guint64 done, guint64 total)
{
  g_mutex_lock (&work->lock);
  work->step = step;
  work->done = MIN (done, total);
  work->total = total;
  work->has_news = TRUE;
  g_mutex_unlock (&work->lock);
}

gboolean
dn_image_work_go_on (DnImageWork *work, GError **error)
{
  gboolean is_cancelled;

  g_mutex_lock (&work->lock);
  is_cancelled = work->is_cancelled;
  g_mutex_unlock (&work->lock);
  return !is_cancelled || dn_throw (error, DN_ERROR_FAILED, "the client has gone");
}

static void
note_step (const char *step, gpointer data)
{
  DnImageWork *work = data;

  dn_trace_begin (work->request->trace, step);
  dn_image_work_tell (work, work->guest_words, 0, 0);
}

DnGuest *
dn_image_work_start_guest (DnImageWork *work, const DnGuestPlan *plan, const char *words,
                           GError **error)
{
  const DnGuestHandlers handlers = { .data = NULL };
  DnGuest *guest;

  if (!dn_image_work_go_on (work, error))
    return NULL;
  work->guest_words = words;
  guest = dn_guest_start (plan, &handlers, note_step, work, &work->console_fd, error);
  if (guest == NULL)
    return NULL;
  g_mutex_lock (&work->lock);
  work->guest = guest;
  g_mutex_unlock (&work->lock);
  /* The client may have gone before the guest was in reach of cancel(). */
  if (dn_image_work_go_on (work, error))
    return guest;
  dn_image_work_end_guest (work);
  return NULL;
}

void
dn_image_work_end_guest (DnImageWork *work)
{
  DnGuest *guest;

  g_mutex_lock (&work->lock);
  guest = g_steal_pointer (&work->guest);
  g_mutex_unlock (&work->lock);
  if (guest == NULL)
    return;
  dn_guest_destroy (guest);
  dn_guest_unref (guest);
}

static gboolean
wait_for_memory (gpointer data, GError **error)
{
  dn_image_work_tell (data, "wait for memory", 0, 0);
  return dn_image_work_go_on (data, error);
}

gboolean
dn_image_work_take_memory (DnImageWork *work, guint64 bytes, GError **error)
{
  if (!dn_guest_memory_take (work->settings, bytes, wait_for_memory, work, error))
    return FALSE;
  work->memory_bytes += bytes;
  return TRUE;
}

DnGuestPlan *
dn_image_work_plan_guest (DnImageWork *work, const char *name, gboolean allow_emulation)
{
  const DnSettings *settings = work->settings;
  DnGuestPlan *plan = dn_guest_plan_new ();

  plan->context = g_strdup (name);
  plan->hostname = g_strdup (name);
  plan->kind = DN_GUEST_KIND_UNPACK;
  plan->memory_bytes = settings->unpack_memory_bytes;
  plan->vcpus = (guint) settings->unpack_vcpus;
  plan->host_percent = settings->memory_percent;
  plan->kernel = (DnKernel) settings->kernel;
  plan->boot_timeout_s = (guint) settings->guest_boot_timeout_s;
  plan->transport = (DnTransport) settings->transport;
  plan->allow_emulation = allow_emulation || settings->allow_emulation;
  return plan;
}

gboolean
dn_image_work_make_disk (const char *path, guint64 bytes, GError **error)
{
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 || ftruncate (fd, (off_t) bytes) < 0)
    return dn_throw_errno (error, "file '%s': making a disk of %" G_GUINT64_FORMAT " bytes", path,
                           bytes);
  return TRUE;
}

gboolean
dn_image_work_blame_disk (const char *path, GError **error)
{
  struct statvfs status;

  if (statvfs (path, &status) < 0 || (guint64) status.f_bavail * status.f_frsize >= FULL_BYTES)
    return FALSE;
  g_clear_error (error);
  dn_throw (error, DN_ERROR_FAILED,
            "unpacking: the store's disk is full\nremove images (danchi image prune), or give the "
            "disk more room");
  return TRUE;
}

static gboolean
work_on (gpointer data, GError **error)
{
  DnImageWork *work = data;
  gboolean is_fine = work->func (work, work->data, error);

  dn_image_work_end_guest (work);
  dn_guest_memory_give (work->memory_bytes);
  return is_fine;
}

static void
tick (DnRequest *request, gpointer data)
{
  DnImageWork *work = data;
  const char *step;
  guint64 done, total;

  g_mutex_lock (&work->lock);
  step = work->has_news ? work->step : NULL;
  done = work->done;
  total = work->total;
  work->has_news = FALSE;
  g_mutex_unlock (&work->lock);
  if (step == NULL)
    return;
  request->steps += step != work->told_step;
  work->told_step = step;
  dn_request_progress (request, step, done, total);
}

static void
cancel (gpointer data)
{
  DnImageWork *work = data;
  DnGuest *guest;

  g_mutex_lock (&work->lock);
  work->is_cancelled = TRUE;
  guest = work->guest != NULL ? dn_guest_ref (work->guest) : NULL;
  g_mutex_unlock (&work->lock);
  if (guest == NULL)
    return;
  /* Ends the call under way. */
  dn_guest_destroy (guest);
  dn_guest_unref (guest);
}

gboolean
dn_image_work_run (DnRequest *request, DnImageWorkFunc func, gpointer data, GError **error)
{
  DnImageWork work = { .request = request,
                       .settings = dn_settings_get (request->daemon),
                       .func = func,
                       .data = data,
                       .console_fd = -1 };
  const DnRequestJob job = { .work = work_on, .tick = tick, .cancel = cancel, .data = &work };
  gboolean is_fine;

  g_mutex_init (&work.lock);
  is_fine = dn_request_supervise (request, &job, error);
  g_mutex_clear (&work.lock);
  if (work.console_fd >= 0)
    {
      dn_fd_clear (&request->console_fd);
      request->console_fd = work.console_fd;
    }
  dn_settings_unref (work.settings);
  return is_fine;
}
