/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's serial console: into the ring, and past the eye of the milestone scanner.
 *
 * QEMU connects to our socket, and again when a relay was started anew.  The bytes are the guest's
 * and are only kept.  A flood is read at %DN_CONSOLE_BYTES_PER_S; the rest waits in QEMU.
 */
#pragma once

#include "../../protocol/milestone.h"
#include "../confined/bucket.h"
#include "../confined/loop.h"

typedef struct DnRouter DnRouter;

#define DN_CONSOLE_BYTES_PER_S (1024 * 1024)
#define DN_CONSOLE_READ_BYTES 4096

typedef struct
{
  DnSource listener;
  DnSource connection;  /* fd -1: QEMU is not there */
  int ring_fd;          /* owned */
  uint64_t total_bytes; /* as the ring's header counts */
  DnMilestoneScanner scanner;
  DnBucket bucket;
  DnTimer timer; /* reads on after a flood */
} DnConsole;

/* Takes ownership of both descriptors.  Goes on with a ring that is there.  Returns 0 or -errno. */
int dn_console_init (DnRouter *router, int listen_fd, int ring_fd);
void dn_console_clear (DnRouter *router);
