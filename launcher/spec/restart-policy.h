/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container that has ended is started again, and when.
 *
 *     no                 never (the default)
 *     always             whatever ended it; also by a danchid that starts, where it was stopped
 *     unless-stopped     whatever ended it, until somebody stops it
 *     on-failure[:N]     where it did not end with 0, N times one after the other at most
 *
 * What somebody has stopped, by stop, kill, rm or through its context, stays so until it is
 * started. Between an end and the next start is a delay, so that a container which cannot work does
 * not keep the host busy: 100 ms, twice as long each time, a minute at most; one that ran for ten
 * seconds begins anew.
 *
 * Pure.  Source: docs.docker.com, "Start containers automatically".
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_RESTART_NO,
  DN_RESTART_ALWAYS,
  DN_RESTART_UNLESS_STOPPED,
  DN_RESTART_ON_FAILURE,
} DnRestartWhen;

typedef struct
{
  DnRestartWhen when;
  guint64 most; /* of ON_FAILURE; 0: as often as it takes */
} DnRestartPolicy;

#define DN_RESTART_MOST G_MAXINT32

/* @text: NULL is "no".  DN_ERROR_USAGE, naming --restart. */
gboolean dn_restart_policy_parse (const char *text, DnRestartPolicy *ret_policy, GError **error);

typedef struct
{
  gint64 exit_code;
  gboolean is_stopped;  /* by somebody */
  gboolean is_at_start; /* of danchid: it ended while there was none, or before */
  guint64 restarts;     /* one after the other until now */
} DnRestartFacts;

gboolean dn_restart_policy_wants (const DnRestartPolicy *policy, const DnRestartFacts *facts);

/* @delay_ms: the last one, 0: there was none; @ran_us: how long it has run. */
guint dn_restart_policy_delay_ms (guint delay_ms, gint64 ran_us);

/* Whether it ran so long that what was before counts no more. */
gboolean dn_restart_policy_is_anew (gint64 ran_us);
