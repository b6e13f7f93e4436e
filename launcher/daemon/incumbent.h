/* SPDX-License-Identifier: Apache-2.0 */
/* The danchid that serves on a socket now, and its end: for an upgrade where no service manager
 * keeps it (`danchid --end`, config/debian).
 *
 * It is found by the socket and by nothing else.  The kernel says which process listens there
 * (SO_PEERCRED); a pidfd holds that process fast; then the other side answers, by the API's
 * `version`, with its own number.  Equal numbers after the pidfd was opened mean that the pidfd is
 * the answerer's, and no number was used anew in between.  Different ones mean that somebody else
 * made the socket (systemd): such a danchid is its keeper's to restart.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_INCUMBENT_NONE,  /* nobody listens */
  DN_INCUMBENT_KEPT,  /* a service manager holds the socket; nothing was done */
  DN_INCUMBENT_ENDED, /* it has ended; its guests, relays and containers go on */
  DN_INCUMBENT_FAILED,
} DnIncumbent;

/* Asks the danchid at @path to end (SIGTERM) and waits until it has.  Needs: its uid, or root.
 * FAILED with DN_ERROR_DENIED (another user's process listens), DN_ERROR_PROTOCOL (what answers is
 * no danchid) or DN_ERROR_FAILED (it does not end in time).  Source: unix(7), pidfd_open(2). */
DnIncumbent dn_incumbent_end (const char *path, GError **error);
