/* SPDX-License-Identifier: Apache-2.0 */
/* Copies bytes from one descriptor to another in the main loop, without ever blocking it.
 *
 * Reads only as fast as the other end takes: what is not read waits where it came from.  Without a
 * place to go the bytes are read and dropped.
 */
#pragma once

#include <glib.h>

#define DN_PUMP_BYTES (64 * 1024)

typedef struct DnPump DnPump;

/* @to: -1 drops the bytes; takes ownership.  Begins with nothing to read from.
 * @ended: called in the main loop when all that came from @from was written, or @to broke */
DnPump *dn_pump_new (int to, void (*ended) (DnPump *pump, gpointer user_data), gpointer user_data);
void dn_pump_free (DnPump *pump);

/* Reads from @from (ownership is taken), in place of what it read from before. */
void dn_pump_read_from (DnPump *pump, int from);

/* Whether @ended was called for the present source. */
gboolean dn_pump_has_ended (const DnPump *pump);

/* The descriptor it writes to, still the pump's; -1: none any more. */
int dn_pump_to (const DnPump *pump);

/* Closes both ends. */
void dn_pump_close (DnPump *pump);

/* Bytes written so far: whether somebody takes them. */
guint64 dn_pump_moved (const DnPump *pump);
