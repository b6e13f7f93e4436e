/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer: raw bytes between a descriptor and one stream of the guest's (COPY_IN, COPY_OUT).
 *
 * Same windows as any stream.  It ends with the end of its source; when the other side of its
 * descriptor goes away early, the guest is sent RESET and what is still under way is ignored.  When
 * the link breaks it ends: the agent's half of the copy ends with it.
 */
#pragma once

#include "../../protocol/wire.h"
#include "../confined/loop.h"
#include "inflow.h"

typedef struct DnRouter DnRouter;

typedef struct DnTransfer
{
  DnRouter *router;
  DnSource source; /* owned */
  bool is_to_guest;
  bool is_secret;  /* its bytes lie in the strongbox alone */
  uint32_t window; /* to the guest: bytes it takes now */
  DnInflow inflow; /* from the guest; its stream number in both cases */
  struct DnTransfer *next;
} DnTransfer;

typedef enum
{
  DN_TRANSFER_FROM_GUEST,
  DN_TRANSFER_TO_GUEST,
  DN_TRANSFER_SECRET, /* to the guest; @fd is a socket */
} DnTransferKind;

/* TRANSFER, SECRET_TRANSFER.  Takes ownership of @fd. */
void dn_transfer_add (DnRouter *router, uint32_t stream, DnTransferKind kind, int fd);

DnTransfer *dn_transfer_find (DnRouter *router, uint32_t stream);

/* As dn_process_receive(); may free @transfer. */
int dn_transfer_receive (DnTransfer *transfer, const DnFrameHeader *header, const uint8_t *payload,
                         const char **ret_why);

/* Reads on where the window and the channel have room; owes the credit that found none. */
void dn_transfer_resume (DnTransfer *transfer);

void dn_transfer_free (DnTransfer *transfer);
