/* SPDX-License-Identifier: Apache-2.0 */
/* A context and its guest: a container's way in and out.
 *
 *     dn_context_reserve ()    a range of ids; the context knows that somebody comes
 *     dn_context_enter ()      the guest runs (started if need be), the image's disk is attached
 *     ...
 *     dn_context_release ()    in every case where reserve succeeded
 *
 * An ephemeral context's guest is destroyed when the last container is released; a named one's
 * stays until dn_context_stop().
 */
#pragma once

#include "../images/image.h"
#include "context.h"

/* First guest id of slot 0, and ids in a slot. */
#define DN_CONTEXT_FIRST_UID 100000
#define DN_CONTEXT_UIDS 65536

/* How long a guest may take to switch itself off. */
#define DN_GUEST_POWEROFF_TIMEOUT_MS 10000

/* Takes a slot.  DN_ERROR_LIMIT, _NOT_FOUND when the context was removed, _CONFIG. */
gboolean dn_context_reserve (DnContext *context, guint *ret_slot, GError **error);

typedef struct
{
  DnImage *image; /* borrowed; NULL: a pod's, which is no disk */
  gboolean allow_emulation;
  guint volume_disks;     /* that its container has attached besides the image's */
  gboolean wants_share;   /* its container has binds */
  gboolean wants_scratch; /* its container has a scratch disk */
  DnGuestStepFunc step;   /* may be NULL; on the caller's thread */
  gpointer step_data;
} DnContextEntry;

/**
 * dn_context_enter:
 * @ret_console: (out): as dn_guest_start()
 *
 * Returns: (transfer full): the running guest, or NULL with @error
 */
DnGuest *dn_context_enter (DnContext *context, const DnContextEntry *entry, int *ret_console,
                           GError **error);

/* Attaches a volume's disk to the guest, in the place of an image's that no container uses where
 * there is no other.  As dn_guest_attach_volume(). */
gboolean dn_context_attach_volume (DnContext *context, DnGuest *guest, const char *path,
                                   const char *serial, GError **error);

/* Detaches it, however it was attached; one that is not there is fine. */
gboolean dn_context_detach_volume (DnContext *context, DnGuest *guest, const char *volume_id,
                                   guint timeout_ms, GError **error);

/* Gives the slot back, and the image's disk in the guest @guest_id where that was entered ("" where
 * not). */
void dn_context_release (DnContext *context, guint slot, const char *guest_id,
                         const char *image_id);

/* Destroys the guest of a context after its containers were stopped: nothing is left running.
 * @timeout_ms: for the guest to switch itself off. */
void dn_context_stop_guest (DnContext *context, guint timeout_ms, const char *reason);

/* Likewise, unless somebody has come meanwhile. */
void dn_context_stop_idle_guest (DnContext *context, guint timeout_ms, const char *reason);

/* The guest has gone by itself: what the context knows of it is forgotten, its containers have
 * ended.  Does not block.  @reason: for people. */
void dn_context_guest_gone (DnDaemon *daemon, const char *guest_id, const char *reason);

/* Detaches an image's disk from all guests where no container uses it. */
void dn_context_detach_everywhere (DnDaemon *daemon, const char *image_id);
