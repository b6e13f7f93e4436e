/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../guest/guest.h"
#include "digest.h"
#include "image-fields.h"

#define ARCHIVE_SERIAL "archive"
#define OUTPUT_SERIAL "output"
/* No config is nearly so large: it would be over the limits of its fields. */
#define CONFIG_MAX_BYTES (G_GUINT64_CONSTANT (16) * 1024 * 1024)

/* The answers; the reader thread's until the call has returned. */
typedef struct
{
  DnImageWork *work;
  DnImageFields *fields;
  GPtrArray *entries;
  gboolean has_too_many;
  gboolean is_done;
  DnMsgUnpackReadDone done;
} Answers;

static void
entry_clear (DnReadingEntry *entry)
{
  g_free (entry->sha256);
  g_free (entry->diff_id);
}

static void
entry_free (gpointer entry)
{
  entry_clear (entry);
  g_free (entry);
}

void
dn_reading_free (DnReading *reading)
{
  if (reading == NULL)
    return;
  dn_image_unref (reading->image);
  g_ptr_array_unref (reading->entries);
  entry_clear (&reading->config);
  entry_clear (&reading->manifest);
  g_free (reading->plain_path);
  g_free (reading);
}

static char *
digest_or_null (const guint8 *digest)
{
  return dn_digest_is_zero (digest) ? NULL : dn_digest_to_hex (digest);
}

static void
take_entry (Answers *answers, const DnMsgUnpackEntry *message)
{
  DnReadingEntry *entry;

  answers->has_too_many |= answers->entries->len == DN_DISK_LAYERS_MAX;
  if (answers->has_too_many)
    return;
  entry = g_new0 (DnReadingEntry, 1);
  entry->offset = message->offset;
  entry->bytes = message->bytes;
  entry->sha256 = digest_or_null (message->sha256);
  entry->diff_id = digest_or_null (message->diff_id);
  g_ptr_array_add (answers->entries, entry);
}

/* On the guest's reader thread.  A frame that does not unpack cannot come: the relay has checked
 * it; what it says is then simply missing, and the result is refused for that. */
static void
take_answer (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Answers *answers = data;
  DnMsgUnpackProgress progress;
  DnMsgUnpackField field;
  DnMsgUnpackEntry entry;

  if (type == DN_MSG_UNPACK_PROGRESS
      && dn_msg_unpack_progress_unpack (payload, size, &progress) == 0)
    dn_image_work_tell (answers->work, "read the archive", progress.done, progress.total);
  else if (type == DN_MSG_UNPACK_FIELD && dn_msg_unpack_field_unpack (payload, size, &field) == 0)
    dn_image_fields_add (answers->fields, field.field, field.value, field.value_bytes);
  else if (type == DN_MSG_UNPACK_ENTRY && dn_msg_unpack_entry_unpack (payload, size, &entry) == 0)
    take_entry (answers, &entry);
  else if (type == DN_MSG_UNPACK_READ_DONE && !answers->is_done)
    answers->is_done = dn_msg_unpack_read_done_unpack (payload, size, &answers->done) == 0;
}

static gboolean
call_read (DnGuest *guest, const DnReadingPlan *plan, Answers *answers, GError **error)
{
  const DnSettings *settings = dn_image_work_settings (answers->work);
  DnMsgUnpackRead message = { .archive_bytes = plan->archive_bytes,
                              .archive_disk = ARCHIVE_SERIAL,
                              .output_disk = OUTPUT_SERIAL,
                              .expanded_limit_bytes = settings->archive_limit_bytes };
  DnGuestCall call = { .type = DN_MSG_UNPACK_READ,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_unpack_read_pack,
                       .timeout_ms = (guint) settings->unpack_timeout_s * 1000,
                       .answer = take_answer,
                       .answer_data = answers };

  g_strlcpy (message.reference, plan->reference, sizeof message.reference);
  dn_image_work_tell (answers->work, "read the archive", 0, 0);
  dn_trace_begin (dn_image_work_request (answers->work)->trace, "read");
  if (!dn_guest_call (guest, &call, error))
    {
      if (!dn_image_work_blame_disk (plan->staging, error))
        g_prefix_error (error, "archive: ");
      return FALSE;
    }
  if (answers->has_too_many)
    return dn_throw (error, DN_ERROR_LIMIT, "archive: the image has more than %d layers",
                     DN_DISK_LAYERS_MAX);
  return answers->is_done
         || dn_throw (error, DN_ERROR_GUEST, "archive: the guest did not say what it read");
}

static gboolean
run_guest (const DnReadingPlan *plan, const char *output, Answers *answers, GError **error)
{
  DnImageWork *work = answers->work;
  g_autoptr (DnGuestPlan) guest_plan
      = dn_image_work_plan_guest (work, "unpack", plan->allow_emulation);
  DnGuest *guest;
  gboolean is_fine;

  if (!dn_image_work_make_disk (output, dn_image_work_settings (work)->archive_limit_bytes, error))
    return FALSE;
  g_ptr_array_add (guest_plan->disks, dn_guest_disk_new (plan->archive_path, ARCHIVE_SERIAL, TRUE));
  g_ptr_array_add (guest_plan->disks, dn_guest_disk_new (output, OUTPUT_SERIAL, FALSE));
  guest = dn_image_work_start_guest (work, guest_plan, "start a guest to read the archive", error);
  if (guest == NULL)
    return FALSE;
  is_fine = call_read (guest, plan, answers, error);
  /* Before its output is looked at: from here on nobody else writes it. */
  dn_image_work_end_guest (work);
  return is_fine;
}

/* The file that the offsets are in, and how long it is. */
static gboolean
settle_plain (DnReading *reading, const DnReadingPlan *plan, const char *output,
              guint64 expanded_bytes, guint64 limit, guint64 *ret_bytes, GError **error)
{
  dn_autofd int fd = -1;

  if (expanded_bytes == 0)
    {
      (void) unlink (output);
      reading->plain_path = g_strdup (plan->archive_path);
      *ret_bytes = plan->archive_bytes;
      return TRUE;
    }
  if (expanded_bytes > limit)
    return dn_throw (error, DN_ERROR_GUEST, "archive: it cannot be so large as the guest says");
  fd = open (output, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  /* Root's again; it was the guest's QEMU's. */
  if (fd < 0 || fchown (fd, geteuid (), getegid ()) < 0
      || ftruncate (fd, (off_t) expanded_bytes) < 0)
    return dn_throw_errno (error, "file '%s'", output);
  reading->plain_path = g_strdup (output);
  *ret_bytes = expanded_bytes;
  return TRUE;
}

static gboolean
check_range (const DnReadingEntry *entry, const char *what, guint64 file_bytes, GError **error)
{
  if (entry->offset == DN_UNPACK_ELSEWHERE)
    return entry->sha256 != NULL
           || dn_throw (error, DN_ERROR_GUEST, "archive: it has neither %s nor its digest", what);
  return (entry->bytes > 0 && entry->offset <= file_bytes
          && entry->bytes <= file_bytes - entry->offset)
         || dn_throw (error, DN_ERROR_GUEST, "archive: %s is not where the guest says it is", what);
}

static gboolean
check (DnReading *reading, guint64 file_bytes, GError **error)
{
  if (reading->entries->len == 0)
    return dn_throw (error, DN_ERROR_GUEST, "archive: the image has no layers");
  for (guint i = 0; i < reading->entries->len; i++)
    {
      const DnReadingEntry *entry = reading->entries->pdata[i];
      g_autofree char *what = g_strdup_printf ("layer %u of %u", i + 1, reading->entries->len);

      if (!check_range (entry, what, file_bytes, error))
        return FALSE;
      if (entry->diff_id == NULL)
        return dn_throw (error, DN_ERROR_GUEST, "archive: %s has no diff id", what);
    }
  if (reading->config.bytes > CONFIG_MAX_BYTES || reading->manifest.bytes > CONFIG_MAX_BYTES)
    return dn_throw (error, DN_ERROR_GUEST, "archive: the image's config is too large");
  return dn_image_budget_check_ranges (reading->entries, file_bytes, error)
         && check_range (&reading->config, "the image's config", file_bytes, error)
         && (reading->manifest.sha256 == NULL
             || check_range (&reading->manifest, "the image's manifest", file_bytes, error));
}

static DnReading *
finish (Answers *answers, const DnReadingPlan *plan, const char *output, GError **error)
{
  const DnMsgUnpackReadDone *done = &answers->done;
  g_autoptr (DnReading) reading = g_new0 (DnReading, 1);
  guint64 limit = dn_image_work_settings (answers->work)->archive_limit_bytes;
  guint64 file_bytes = 0;

  reading->entries = g_ptr_array_ref (answers->entries);
  reading->config.offset = done->config_offset;
  reading->config.bytes = done->config_bytes;
  reading->config.sha256 = digest_or_null (done->config_sha256);
  reading->manifest.offset = done->manifest_offset;
  reading->manifest.bytes = done->manifest_bytes;
  reading->manifest.sha256 = digest_or_null (done->manifest_sha256);
  reading->image = dn_image_fields_finish (answers->fields, error);
  if (reading->image == NULL)
    {
      g_prefix_error (error, "archive: the image's config: ");
      return NULL;
    }
  if (!settle_plain (reading, plan, output, done->expanded_bytes, limit, &file_bytes, error)
      || !check (reading, file_bytes, error))
    return NULL;
  return g_steal_pointer (&reading);
}

DnReading *
dn_reading_run (DnImageWork *work, const DnReadingPlan *plan, GError **error)
{
  g_autofree char *output = g_build_filename (plan->staging, "plain", NULL);
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (entry_free);
  Answers answers = { .work = work, .fields = fields, .entries = entries };

  if (!run_guest (plan, output, &answers, error))
    return NULL;
  return finish (&answers, plan, output, error);
}
