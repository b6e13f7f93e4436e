/* SPDX-License-Identifier: Apache-2.0 */
#include "unpacking.h"

#include <fcntl.h>
#include <unistd.h>

#include "../common/error.h"
#include "../guest/guest.h"
#include "digest.h"
#include "disk.h"
#include "image-budget.h"
#include "layer-file.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define BASE_SERIAL "base"
#define SCRATCH_SERIAL "scratch"
#define OUTPUT_SERIAL "output"
/* What a file system needs beside the files: ext4's tables, EROFS's inodes and names. */
#define SCRATCH_EXTRA_BYTES (512 * MIB)
#define OUTPUT_EXTRA_BYTES (256 * MIB)
/* A port for each blob costs less than to have a guest let go of the one before; what it still has
 * belongs to layers below. */
#define PORTS_MAX DN_GUEST_SPARE_DISKS_MAX
#define DETACH_TIMEOUT_MS 60000

typedef struct
{
  DnImageWork *work;
  const DnUnpackingPlan *plan;
  DnGuest *guest;     /* borrowed */
  char *scratch;      /* owned */
  char *output;       /* owned */
  char *base;         /* owned; NULL: nothing is below */
  guint number;       /* of the layer under way, from 0 */
  guint64 left_bytes; /* that its images may have together */
  gboolean has_base_been_told;
  /* The reader thread's until the call has returned. */
  gboolean is_done;
  DnMsgUnpackLayerDone done;
} Unpacking;

static const char *
phase_words (guint32 phase)
{
  switch (phase)
    {
    case DN_UNPACK_PHASE_VERIFY:
      return "check digests";
    case DN_UNPACK_PHASE_BUILD:
      return "build the image";
    case DN_UNPACK_PHASE_HASH:
      return "hash the image";
    default:
      return "unpack layers";
    }
}

static void
take_answer (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Unpacking *unpacking = data;
  DnMsgUnpackProgress progress;

  if (type == DN_MSG_UNPACK_PROGRESS
      && dn_msg_unpack_progress_unpack (payload, size, &progress) == 0)
    dn_image_work_tell (unpacking->work, phase_words (progress.phase), progress.done,
                        progress.total);
  else if (type == DN_MSG_UNPACK_LAYER_DONE && !unpacking->is_done)
    unpacking->is_done = dn_msg_unpack_layer_done_unpack (payload, size, &unpacking->done) == 0;
}

/* The description of the layers below; or, of one, its file. */
static gboolean
make_base (Unpacking *unpacking, GError **error)
{
  const DnUnpackingPlan *plan = unpacking->plan;
  g_autofree char *path = g_build_filename (plan->staging, "base" DN_GUEST_STACK_SUFFIX, NULL);

  if (plan->have == 1)
    unpacking->base = dn_store_layer_path (plan->store, ((DnLayer *) plan->layers->pdata[0])->key);
  else if (plan->have > 1)
    {
      if (!dn_disk_write (path, plan->layers, plan->have, error))
        return FALSE;
      unpacking->base = g_steal_pointer (&path);
    }
  return TRUE;
}

static gboolean
start (Unpacking *unpacking, GError **error)
{
  const DnUnpackingPlan *plan = unpacking->plan;
  guint64 limit = dn_image_work_settings (unpacking->work)->unpacked_limit_bytes;
  g_autoptr (DnGuestPlan) guest
      = dn_image_work_plan_guest (unpacking->work, "unpack", plan->allow_emulation);

  /* An honest guest has all of them on its scratch disk. */
  unpacking->left_bytes = limit + limit / 4 + SCRATCH_EXTRA_BYTES + OUTPUT_EXTRA_BYTES;
  if (!dn_image_work_make_disk (unpacking->scratch, limit + limit / 4 + SCRATCH_EXTRA_BYTES, error)
      || !dn_image_work_make_disk (unpacking->output, limit + OUTPUT_EXTRA_BYTES, error)
      || !make_base (unpacking, error))
    return FALSE;
  guest->spare_disks = MIN (plan->layers->len - plan->have, PORTS_MAX);
  g_ptr_array_add (guest->disks, dn_guest_disk_new (unpacking->scratch, SCRATCH_SERIAL, FALSE));
  g_ptr_array_add (guest->disks, dn_guest_disk_new (unpacking->output, OUTPUT_SERIAL, FALSE));
  if (unpacking->base != NULL)
    g_ptr_array_add (guest->disks, dn_guest_disk_new (unpacking->base, BASE_SERIAL, TRUE));
  unpacking->guest
      = dn_image_work_start_guest (unpacking->work, guest, "start a guest for unpacking", error);
  return unpacking->guest != NULL;
}

static gboolean
explain (Unpacking *unpacking, GError **error)
{
  if (!dn_image_work_blame_disk (unpacking->plan->staging, error))
    g_prefix_error (error, "archive: layer %u of %u: ", unpacking->number + 1,
                    unpacking->plan->layers->len);
  return FALSE;
}

static gboolean
call_unpack (Unpacking *unpacking, const DnLayer *layer, const char *serial, GError **error)
{
  const DnUnpackingPlan *plan = unpacking->plan;
  const DnSettings *settings = dn_image_work_settings (unpacking->work);
  g_autoptr (GArray) base = dn_disk_layers (plan->layers, plan->have);
  DnMsgUnpackLayer message = { .blob_bytes = (guint64) layer->blob_bytes,
                               .scratch_disk = SCRATCH_SERIAL,
                               .output_disk = OUTPUT_SERIAL,
                               .files_limit = settings->files_limit,
                               .unpacked_limit_bytes = settings->unpacked_limit_bytes };
  DnGuestCall call = { .type = DN_MSG_UNPACK_LAYER,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_unpack_layer_pack,
                       .disk_layers = unpacking->has_base_been_told ? NULL : base,
                       .timeout_ms = (guint) settings->unpack_timeout_s * 1000,
                       .answer = take_answer,
                       .answer_data = unpacking };

  g_strlcpy (message.blob_disk, serial, sizeof message.blob_disk);
  if (unpacking->base != NULL)
    g_strlcpy (message.base_disk, BASE_SERIAL, sizeof message.base_disk);
  dn_digest_from_hex (layer->blob, message.sha256);
  dn_digest_from_hex (layer->diff_id, message.diff_id);
  dn_layer_chain (plan->layers, unpacking->number + 1, message.chain);
  unpacking->is_done = FALSE;
  if (!dn_guest_call (unpacking->guest, &call, error))
    return FALSE;
  unpacking->has_base_been_told = TRUE;
  return unpacking->is_done
         || dn_throw (error, DN_ERROR_GUEST, "the guest did not say what it unpacked");
}

/* Copies out what the guest has made, and files it. */
static gboolean
keep (Unpacking *unpacking, DnLayer *layer, GError **error)
{
  const DnUnpackingPlan *plan = unpacking->plan;
  g_autofree char *name = g_strdup_printf ("layer-%u", unpacking->number);
  g_autofree char *directory = g_build_filename (plan->staging, name, NULL);
  DnLayer *kept;

  dn_image_work_tell (unpacking->work, "keep the layer", 0, 0);
  layer->files = (gint64) MIN (unpacking->done.files, G_MAXINT64);
  layer->unpacked_bytes = (gint64) MIN (unpacking->done.unpacked_bytes, G_MAXINT64);
  if (!dn_image_budget_take (&unpacking->left_bytes, unpacking->done.image_bytes, error)
      || !dn_layer_file_make (unpacking->work, unpacking->output, unpacking->done.image_bytes,
                              directory, layer, error))
    return FALSE;
  kept = dn_store_keep_layer (plan->hold, layer, directory, error);
  if (kept == NULL)
    return FALSE;
  dn_layer_unref (plan->layers->pdata[unpacking->number]);
  plan->layers->pdata[unpacking->number] = kept;
  return TRUE;
}

/* Waits, where all ports have a blob, until the guest has let go of the oldest. */
static gboolean
make_port_free (Unpacking *unpacking, GError **error)
{
  g_autofree char *oldest = NULL;

  if (unpacking->number - unpacking->plan->have < PORTS_MAX)
    return TRUE;
  oldest = g_strdup_printf ("blob%u", unpacking->number - PORTS_MAX);
  return dn_guest_detach_disk_waiting (unpacking->guest, oldest, DETACH_TIMEOUT_MS, error);
}

static gboolean
unpack_layer (Unpacking *unpacking, GError **error)
{
  const DnUnpackingPlan *plan = unpacking->plan;
  DnLayer *layer = plan->layers->pdata[unpacking->number];
  g_autofree char *blob = dn_store_blob_path (plan->store, layer->blob);
  g_autofree char *serial = g_strdup_printf ("blob%u", unpacking->number);
  g_autoptr (DnGuestDisk) disk = dn_guest_disk_new (blob, serial, TRUE);

  if (!dn_image_work_go_on (unpacking->work, error) || !make_port_free (unpacking, error)
      || !dn_guest_attach_disk (unpacking->guest, disk, error))
    return FALSE;
  dn_image_work_tell (unpacking->work, "unpack layers", unpacking->number, plan->layers->len);
  if (!call_unpack (unpacking, layer, serial, error))
    return FALSE;
  /* Before the guest sees another byte that this layer is not made of. */
  return keep (unpacking, layer, error);
}

gboolean
dn_unpacking_run (DnImageWork *work, const DnUnpackingPlan *plan, GError **error)
{
  Unpacking unpacking = { .work = work,
                          .plan = plan,
                          .scratch = g_build_filename (plan->staging, "scratch", NULL),
                          .output = g_build_filename (plan->staging, "output", NULL) };
  gboolean is_fine = start (&unpacking, error);

  if (is_fine)
    dn_trace_begin (dn_image_work_request (work)->trace, "unpack");
  for (unpacking.number = plan->have; is_fine && unpacking.number < plan->layers->len;
       unpacking.number++)
    is_fine = unpack_layer (&unpacking, error) || explain (&unpacking, error);
  dn_image_work_end_guest (work);
  (void) unlink (unpacking.scratch);
  (void) unlink (unpacking.output);
  g_free (unpacking.scratch);
  g_free (unpacking.output);
  g_free (unpacking.base);
  return is_fine;
}
