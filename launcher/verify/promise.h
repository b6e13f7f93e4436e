/* SPDX-License-Identifier: Apache-2.0 */
/* What was promised of one subject, control by control, and how to tell whether it was kept.
 *
 * A container's promises come from the OCI document that was stored when it started, the guest's
 * from the tables that init and the kernel's command line come from, those of the host's processes
 * from the guest's journal entry.  A promise names the fact that shows it.  For processes, the fact
 * must hold for each of them; a process that gave up more by itself keeps the promise.
 *
 * Pure.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "../guest/guest.h"

typedef enum
{
  DN_HOW_EQUAL,
  DN_HOW_EQUAL_OR_ABSENT, /* "absent" will do: the kernel has not got it */
  DN_HOW_ONE_OF,          /* one of the promised words separated by " or " */
  DN_HOW_SUBSET,          /* hexadecimal: no bit that was not promised */
  DN_HOW_AT_MOST,         /* each number of a row; "unlimited" and "max" are the greatest */
  DN_HOW_AT_LEAST,
  DN_HOW_IDS,       /* each number of a row (or none) is in low .. high */
  DN_HOW_WORDS,     /* each promised word (comma or blank between) is among those of the fact */
  DN_HOW_SET,       /* these words and no others, in whatever order */
  DN_HOW_MOUNT,     /* as words; "absent" will do */
  DN_HOW_HIDDEN,    /* a mount that shows nothing, or no such path at all */
  DN_HOW_REFUSED,   /* an attempt */
  DN_HOW_NOTHING,   /* no promise: what is there is shown as such, and never as kept */
  DN_HOW_NO_OTHERS, /* the fact is a prefix: nothing but what other promises name, or `others` */
} DnVerifyHow;

typedef struct
{
  char *control; /* owned, as all texts; what the line is called */
  char *demand;
  char *fact;
  char *promised; /* for people, and for most of DnVerifyHow the value */
  DnVerifyHow how;
  guint64 low;
  guint64 high;
  const char *const *others; /* not owned; ends with NULL */
} DnVerifyPromise;

/* (transfer full) (element-type DnVerifyPromise) */
GPtrArray *dn_verify_promises_new (void);

/* Adds one whose fact has the control's name. */
DnVerifyPromise *dn_verify_promise (GPtrArray *promises, const char *control, const char *demand,
                                    DnVerifyHow how, const char *promised);
DnVerifyPromise *dn_verify_promisef (GPtrArray *promises, const char *control, const char *demand,
                                     DnVerifyHow how, const char *format, ...) G_GNUC_PRINTF (5, 6);

/* @spec: an OCI document as dn_spec_build() makes it.  A member that is missing is no promise,
 * except what every container has, whatever its document says. */
void dn_verify_promise_container (GPtrArray *promises, JsonObject *spec);

/* What card it has, R2.2 and R5.13; NULL, NULL and NULL: none.  Lists in the words of verify.h.
 * With CAP_NET_ADMIN, by @spec, all but the guest's rules is its own affair. */
void dn_verify_promise_network (GPtrArray *promises, JsonObject *spec, const char *card,
                                const char *addresses, const char *ways, guint ports);

/* Of a pod's container: the card that CNI has given the pod, likewise; addresses and ways are sets.
 */
void dn_verify_promise_pod_network (GPtrArray *promises, JsonObject *spec, const char *card,
                                    const char *addresses, const char *ways);

/* The layers of the root, with what their hash trees promise.  @root_hashes: hexadecimal, the
 * lowest layer's first, ending with NULL; @blocks: of the data of each */
void dn_verify_promise_layers (GPtrArray *promises, const char *const *root_hashes,
                               const guint64 *blocks);

void dn_verify_promise_guest (GPtrArray *promises, const DnGuestInfo *info);

void dn_verify_promise_qemu (GPtrArray *promises, const DnGuestInfo *info);
/* @binds: what is to be in its share: ../binds/binds.h */
void dn_verify_promise_share (GPtrArray *promises, const DnGuestInfo *info, const char *binds);
void dn_verify_promise_relay (GPtrArray *promises, const DnGuestInfo *info);
void dn_verify_promise_resolver (GPtrArray *promises, const DnGuestInfo *info);

/* danchi-publish, where the guest has one. */
void dn_verify_promise_publish (GPtrArray *promises, const DnGuestInfo *info);

/* Takes back what a user's session cannot have of QEMU's promises: DN_HOW_NOTHING. */
void dn_verify_promise_qemu_of_session (GPtrArray *promises);

/* What danchi-publish lacks there. */
void dn_verify_promise_publish_of_session (GPtrArray *promises);

/* @capabilities: those that it keeps, as dn_confine_capabilities() has them */
void dn_verify_promise_danchid (GPtrArray *promises, guint64 capabilities);
