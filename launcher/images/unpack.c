/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../guest/guest.h"
#include "blob.h"
#include "image-fields.h"
#include "store.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define ARCHIVE_SERIAL "archive"
#define SCRATCH_SERIAL "scratch"
#define OUTPUT_SERIAL "output"
#define OUTPUT_NAME "output"
/* What a file system needs beside the files: ext4's tables, EROFS's inodes and names. */
#define SCRATCH_EXTRA_BYTES (512 * MIB)
#define OUTPUT_EXTRA_BYTES (256 * MIB)
#define BLOCK_BYTES 4096

typedef struct
{
  const DnSettings *settings;
  const DnUnpackPlan *plan;
  DnTrace *trace;
  GMutex lock; /* guards what follows up to `fields` */
  DnGuest *guest;
  gboolean is_cancelled;
  const char *step; /* static text */
  guint64 done;
  guint64 total;
  gboolean has_news; /* since it was told last */
  int console_fd;
  const char *told_step; /* the client's thread alone */
  /* The reader thread's until the call has returned. */
  DnImageFields *fields;
  gboolean is_done;
  DnMsgUnpackDone result;
} Unpack;

static const char *
phase_words (guint32 phase)
{
  switch (phase)
    {
    case DN_UNPACK_PHASE_VERIFY:
      return "check digests";
    case DN_UNPACK_PHASE_LAYERS:
      return "unpack layers";
    case DN_UNPACK_PHASE_BUILD:
      return "build the image";
    case DN_UNPACK_PHASE_HASH:
      return "hash the image";
    default:
      return "unpack";
    }
}

static void
set_step (Unpack *unpack, const char *step, guint64 done, guint64 total)
{
  g_mutex_lock (&unpack->lock);
  unpack->step = step;
  unpack->done = done;
  unpack->total = total;
  unpack->has_news = TRUE;
  g_mutex_unlock (&unpack->lock);
}

/* On the guest's reader thread.  A frame that does not unpack cannot come: the relay has checked
 * it; the field is then simply missing, and the result is refused for that. */
static void
take_answer (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Unpack *unpack = data;
  DnMsgUnpackProgress progress;
  DnMsgUnpackField field;

  if (type == DN_MSG_UNPACK_PROGRESS
      && dn_msg_unpack_progress_unpack (payload, size, &progress) == 0)
    set_step (unpack, phase_words (progress.phase), MIN (progress.done, progress.total),
              progress.total);
  else if (type == DN_MSG_UNPACK_FIELD && dn_msg_unpack_field_unpack (payload, size, &field) == 0)
    dn_image_fields_add (unpack->fields, field.field, field.value, field.value_bytes);
  else if (type == DN_MSG_UNPACK_DONE && !unpack->is_done)
    unpack->is_done = dn_msg_unpack_done_unpack (payload, size, &unpack->result) == 0;
}

static gboolean
make_disk (const char *path, guint64 size, GError **error)
{
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 || ftruncate (fd, (off_t) size) < 0)
    return dn_throw_errno (error, "file '%s': making a disk of %" G_GUINT64_FORMAT " bytes", path,
                           size);
  return TRUE;
}

static DnGuestPlan *
make_plan (Unpack *unpack, const char *scratch, const char *output)
{
  const DnSettings *settings = unpack->settings;
  DnGuestPlan *plan = dn_guest_plan_new ();

  plan->context = g_strdup ("unpack");
  plan->hostname = g_strdup ("unpack");
  plan->kind = DN_GUEST_KIND_UNPACK;
  plan->memory_bytes = settings->unpack_memory_bytes;
  plan->vcpus = (guint) settings->unpack_vcpus;
  plan->kernel = (DnKernel) settings->kernel;
  plan->boot_timeout_s = (guint) settings->guest_boot_timeout_s;
  plan->transport = (DnTransport) settings->transport;
  plan->allow_emulation = unpack->plan->allow_emulation;
  g_ptr_array_add (plan->disks,
                   dn_guest_disk_new (unpack->plan->archive_path, ARCHIVE_SERIAL, TRUE));
  g_ptr_array_add (plan->disks, dn_guest_disk_new (scratch, SCRATCH_SERIAL, FALSE));
  g_ptr_array_add (plan->disks, dn_guest_disk_new (output, OUTPUT_SERIAL, FALSE));
  return plan;
}

static void
note_step (const char *step, gpointer data)
{
  Unpack *unpack = data;

  dn_trace_begin (unpack->trace, step);
  set_step (unpack, "start a guest for unpacking", 0, 0);
}

static gboolean
call_unpack (Unpack *unpack, GError **error)
{
  const DnUnpackPlan *plan = unpack->plan;
  DnMsgUnpack message = { .archive_bytes = plan->archive_bytes,
                          .archive_disk = ARCHIVE_SERIAL,
                          .scratch_disk = SCRATCH_SERIAL,
                          .output_disk = OUTPUT_SERIAL,
                          .files_limit = unpack->settings->files_limit,
                          .unpacked_limit_bytes = unpack->settings->unpacked_limit_bytes };
  DnGuestCall call = { .type = DN_MSG_UNPACK,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_unpack_pack,
                       .timeout_ms = (guint) unpack->settings->unpack_timeout_s * 1000,
                       .answer = take_answer,
                       .answer_data = unpack };

  g_strlcpy (message.reference, plan->reference, sizeof message.reference);
  set_step (unpack, "unpack", 0, 0);
  dn_trace_begin (unpack->trace, "unpack");
  if (!dn_guest_call (unpack->guest, &call, error))
    {
      g_prefix_error (error, "archive: ");
      return FALSE;
    }
  if (!unpack->is_done)
    return dn_throw (error, DN_ERROR_GUEST, "archive: the guest did not say what it unpacked");
  return TRUE;
}

static gboolean
work (gpointer data, GError **error)
{
  Unpack *unpack = data;
  g_autofree char *scratch = g_build_filename (unpack->plan->staging, "scratch", NULL);
  g_autofree char *output = g_build_filename (unpack->plan->staging, OUTPUT_NAME, NULL);
  guint64 limit = unpack->settings->unpacked_limit_bytes;
  g_autoptr (DnGuestPlan) plan = NULL;
  const DnGuestHandlers handlers = { .data = NULL };
  DnGuest *guest;
  gboolean is_fine;

  if (!make_disk (scratch, limit + limit / 4 + SCRATCH_EXTRA_BYTES, error)
      || !make_disk (output, limit + OUTPUT_EXTRA_BYTES, error))
    return FALSE;
  plan = make_plan (unpack, scratch, output);
  guest = dn_guest_start (plan, &handlers, note_step, unpack, &unpack->console_fd, error);
  if (guest == NULL)
    return FALSE;
  g_mutex_lock (&unpack->lock);
  unpack->guest = guest;
  is_fine = !unpack->is_cancelled;
  g_mutex_unlock (&unpack->lock);
  if (is_fine)
    is_fine = call_unpack (unpack, error);
  else
    dn_throw (error, DN_ERROR_FAILED, "the client has gone");
  /* Before its output is looked at: from here on nobody else writes it. */
  dn_guest_destroy (guest);
  (void) unlink (scratch);
  return is_fine;
}

static void
tick (DnRequest *request, gpointer data)
{
  Unpack *unpack = data;
  const char *step;
  guint64 done, total;

  g_mutex_lock (&unpack->lock);
  step = unpack->has_news ? unpack->step : NULL;
  done = unpack->done;
  total = unpack->total;
  unpack->has_news = FALSE;
  g_mutex_unlock (&unpack->lock);
  if (step == NULL)
    return;
  request->steps += step != unpack->told_step;
  unpack->told_step = step;
  dn_request_progress (request, step, done, total);
}

static void
cancel (gpointer data)
{
  Unpack *unpack = data;
  DnGuest *guest;

  g_mutex_lock (&unpack->lock);
  unpack->is_cancelled = TRUE;
  guest = unpack->guest != NULL ? dn_guest_ref (unpack->guest) : NULL;
  g_mutex_unlock (&unpack->lock);
  if (guest == NULL)
    return;
  /* Ends the call under way. */
  dn_guest_destroy (guest);
  dn_guest_unref (guest);
}

/* The output as a file of the store.  What the guest says of it is compared with what is there. */
static gboolean
take_output (Unpack *unpack, const DnImage *image, GError **error)
{
  g_autofree char *output = g_build_filename (unpack->plan->staging, OUTPUT_NAME, NULL);
  g_autofree char *rootfs = g_build_filename (unpack->plan->staging, DN_STORE_ROOTFS, NULL);
  g_autofree char *sha256 = NULL;
  dn_autofd int fd = open (output, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  guint64 size = unpack->result.image_bytes;
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "file '%s'", output);
  if (size == 0 || size % BLOCK_BYTES != 0 || size > (guint64) status.st_size)
    return dn_throw (error, DN_ERROR_GUEST,
                     "archive: the guest reports an image of %" G_GUINT64_FORMAT
                     " bytes, which cannot be",
                     size);
  sha256 = dn_blob_hash (fd, size, error);
  if (sha256 == NULL)
    return FALSE;
  if (!g_str_equal (sha256, image->rootfs_sha256))
    return dn_throw (error, DN_ERROR_GUEST,
                     "archive: the image does not have the digest the guest reports");
  /* Root's again before it may be executed from; it was the guest's QEMU's. */
  if (ftruncate (fd, (off_t) size) < 0 || fchown (fd, geteuid (), getegid ()) < 0
      || fchmod (fd, 0444) < 0 || fsync (fd) < 0 || rename (output, rootfs) < 0)
    return dn_throw_errno (error, "file '%s': keeping it", output);
  return TRUE;
}

DnImage *
dn_unpack_run (DnRequest *request, const DnSettings *settings, const DnUnpackPlan *plan,
               GError **error)
{
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  Unpack unpack = {
    .settings = settings, .plan = plan, .trace = request->trace, .console_fd = -1, .fields = fields
  };
  const DnRequestJob job = { .work = work, .tick = tick, .cancel = cancel, .data = &unpack };
  g_autoptr (DnImage) image = NULL;
  gboolean is_fine;

  g_mutex_init (&unpack.lock);
  is_fine = dn_request_supervise (request, &job, error);
  g_clear_pointer (&unpack.guest, dn_guest_unref);
  g_mutex_clear (&unpack.lock);
  if (unpack.console_fd >= 0)
    {
      dn_fd_clear (&request->console_fd);
      request->console_fd = unpack.console_fd;
    }
  if (!is_fine)
    return NULL;
  image = dn_image_fields_finish (fields, &unpack.result, error);
  if (image == NULL)
    {
      g_prefix_error (error, "archive: the image's config: ");
      return NULL;
    }
  if (!take_output (&unpack, image, error))
    return NULL;
  return g_steal_pointer (&image);
}
