/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's line to one guest's danchi-publish.
 *
 * A thread of its own listens: it gives the sockets that are asked for, and tells when the line is
 * cut, which is when danchi-publish has ended.  Calls may be made from any thread; each waits for
 * its answer, some seconds at most.
 */
#pragma once

#include "../base/publish.h"
#include "../guest/guest.h"

typedef struct DnPublishLink DnPublishLink;

/* danchi-publish has ended, or the line is closed; on the link's thread, its last act. */
typedef void (*DnPublishCutFunc) (DnPublishLink *link, gpointer data);

/**
 * dn_publish_link_open:
 * @guest: a reference is taken
 *
 * Connects to the one that lives, or starts one.
 *
 * Returns: (transfer full): or NULL with DN_ERROR_FAILED
 */
DnPublishLink *dn_publish_link_open (DnGuest *guest, DnPublishCutFunc cut, gpointer data,
                                     GError **error);
DnPublishLink *dn_publish_link_ref (DnPublishLink *link);
void dn_publish_link_unref (DnPublishLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnPublishLink, dn_publish_link_unref)

DnGuest *dn_publish_link_guest (DnPublishLink *link);

/* Hands a socket over; @fd stays the caller's. */
gboolean dn_publish_link_add (DnPublishLink *link, const DnMsgPublishAdd *order, int fd,
                              GError **error);
gboolean dn_publish_link_remove (DnPublishLink *link, const char *container, GError **error);
/* (transfer full) (element-type DnMsgPublishPort): or NULL */
GArray *dn_publish_link_list (DnPublishLink *link, GError **error);
/* danchi-publish is to end.  The cut is still told. */
void dn_publish_link_quit (DnPublishLink *link);
