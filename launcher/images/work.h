/* SPDX-License-Identifier: Apache-2.0 */
/* Work on an image that takes its time, on a thread beside the client's: what it is at, the guest
 * that is at it, and the end of both when the client goes.
 *
 * One guest at a time.  It is destroyed by dn_image_work_end_guest(), or at once by a client that
 * goes, or at the end of the work, whatever became of it.
 */
#pragma once

#include "../daemon/request.h"
#include "../daemon/settings.h"

typedef struct DnImageWork DnImageWork;

/* On the work's thread. */
typedef gboolean (*DnImageWorkFunc) (DnImageWork *work, gpointer data, GError **error);

/* Runs @func and returns what it returned.  A guest that failed to start leaves its console with
 * @request. */
gboolean dn_image_work_run (DnRequest *request, DnImageWorkFunc func, gpointer data,
                            GError **error);

/* As they were when the work began. (transfer none) */
const DnSettings *dn_image_work_settings (const DnImageWork *work);
DnRequest *dn_image_work_request (DnImageWork *work);

/* What the client is told. @step: static text */
void dn_image_work_tell (DnImageWork *work, const char *step, guint64 done, guint64 total);

/* FALSE with DN_ERROR_FAILED when the client has gone. */
gboolean dn_image_work_go_on (DnImageWork *work, GError **error);

/* @words: static text, what for.  Returns: (transfer none): the guest, or NULL with @error */
DnGuest *dn_image_work_start_guest (DnImageWork *work, const DnGuestPlan *plan, const char *words,
                                    GError **error);
/* After it nobody writes its disks. */
void dn_image_work_end_guest (DnImageWork *work);

/**
 * dn_image_work_take_memory:
 *
 * As dn_guest_memory_take(); given back at the end of the work.
 */
gboolean dn_image_work_take_memory (DnImageWork *work, guint64 bytes, GError **error);

/* A plan with what all such guests have: no network, the settings' processors and patience.
 * (transfer full) */
DnGuestPlan *dn_image_work_plan_guest (DnImageWork *work, const char *name,
                                       gboolean allow_emulation);

/* Makes the sparse file @path for a guest to write. */
gboolean dn_image_work_make_disk (const char *path, guint64 bytes, GError **error);

/* A guest that cannot write knows that it cannot, and not that the host's disk is full.  Where the
 * disk of @path is, @error becomes that: TRUE. */
gboolean dn_image_work_blame_disk (const char *path, GError **error);
