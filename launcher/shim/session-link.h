/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of a session (launcher/base/session.h), the client's end, in the main loop. */
#pragma once

#include <glib.h>

typedef struct DnSessionLink DnSessionLink;

typedef struct
{
  gboolean is_lost; /* nobody knows how it ended, nor whether */
  guint32 code;
  guint32 signal; /* 0: it ended by itself, with @code */
  guint32 oom_kills;
} DnSessionEnd;

/* Takes ownership of @fd.  @ended is called once; dn_session_link_free() may be called in it. */
DnSessionLink *dn_session_link_new (int fd,
                                    void (*ended) (const DnSessionEnd *end, gpointer user_data),
                                    gpointer user_data);
void dn_session_link_free (DnSessionLink *link);

/* FALSE where the relay does not take it: it is gone, or hangs. */
gboolean dn_session_link_signal (DnSessionLink *link, guint32 number);
gboolean dn_session_link_resize (DnSessionLink *link, guint16 rows, guint16 columns);
