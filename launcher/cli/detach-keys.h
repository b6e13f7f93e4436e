/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that leave a terminal session while its process goes on: ctrl-p ctrl-q.
 *
 * What is typed passes through here.  Keys that may be the beginning of the sequence are held back
 * until the next key decides: either the session is left and none of them was forwarded, or all of
 * them are forwarded in order.  No timing is involved.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#define DN_DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define DN_DETACH_KEYS_MAX 16

typedef struct
{
  guint8 keys[DN_DETACH_KEYS_MAX];
  gsize count; /* 0: there is no way to detach */
  gsize held;  /* how many of keys were seen and not forwarded */
} DnDetachKeys;

/* "ctrl-X" (a to z, @ [ \ ] ^ _) or single characters, with commas between; "" for none.
 * DN_ERROR_USAGE otherwise. */
gboolean dn_detach_keys_parse (const char *text, DnDetachKeys *ret_keys, GError **error);

/**
 * dn_detach_keys_filter:
 * @ret_out: room for @size + %DN_DETACH_KEYS_MAX bytes: what is to be forwarded
 * @ret_out_size: (out)
 *
 * Returns: TRUE when the sequence is complete; what was typed after it is dropped
 */
gboolean dn_detach_keys_filter (DnDetachKeys *keys, const guint8 *bytes, gsize size,
                                guint8 *ret_out, gsize *ret_out_size);
