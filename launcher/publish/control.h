/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-publish's end of its control socket (../base/publish.h).
 *
 * One connection at a time, from the owner's uid alone (SO_PEERCRED); the newest wins.  danchid is
 * trusted with what it asks for; one that does not read its answers is dropped.
 */
#pragma once

#include <sys/types.h>

#include "../confined/loop.h"

typedef struct DnPublisher DnPublisher;

typedef struct
{
  DnSource listener;
  DnSource connection; /* fd -1: danchid is not there */
  uid_t owner_uid;
} DnPublishControl;

/* Takes ownership of @listen_fd.  Returns 0 or -errno. */
int dn_publish_control_init (DnPublisher *publisher, int listen_fd, uid_t owner_uid);
void dn_publish_control_clear (DnPublisher *publisher);

/* Asks for sockets where some stock runs low. */
void dn_publish_control_ask (DnPublisher *publisher);
