/* SPDX-License-Identifier: Apache-2.0 */
/* The flags for what a context's guest takes of its host, which context create and update share:
 * each is a key of [guest] in the context's file. */
#pragma once

#include <json-glib/json-glib.h>

/* Those of the table in guest-options.c. */
#define DN_GUEST_OPTIONS_COUNT 9
/* And an empty row. */
#define DN_GUEST_OPTIONS_ROWS (DN_GUEST_OPTIONS_COUNT + 1)

typedef struct
{
  const char *flags[DN_GUEST_OPTIONS_COUNT]; /* what they are called */
  char *texts[DN_GUEST_OPTIONS_COUNT];       /* owned; as given, NULL: not given */
} DnGuestOptions;

void dn_guest_options_clear (DnGuestOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnGuestOptions, dn_guest_options_clear)

/* @memory and @cpus: what the flags of the guest's size are called. */
void dn_guest_options_fill (DnGuestOptions *options, const char *memory, const char *cpus,
                            GOptionEntry *ret_rows);

/* Adds "guest.KEY" to @keys for each flag that was given.  DN_ERROR_USAGE naming the flag. */
gboolean dn_guest_options_to_keys (const DnGuestOptions *options, JsonObject *keys, GError **error);
