/* SPDX-License-Identifier: Apache-2.0 */
/* nf_tables through libnftables: one text is one transaction, all of it or nothing.
 *
 * A context is of one order, in the process of that order (server.h): what the library leaks or
 * caches ends with it.
 *
 * Needs: CAP_NET_ADMIN.
 * Source: libnftables(3), nft(8).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "fault.h"

typedef struct
{
  struct nft_ctx *context; /* owned */
  FILE *text;              /* owned; what is to be done */
  char *bytes;             /* owned; of the text */
  size_t size;
} DnNft;

/* -ENOMEM */
int dn_nft_init (DnNft *nft, DnGatewayAnswer *answer);
void dn_nft_clear (DnNft *nft);

/* Does what was written to `text` since the last time.  @what: for the fault's words; NULL: no
 * fault is kept.  Returns: 0 or -EIO */
int dn_nft_commit (DnNft *nft, const char *what, DnGatewayAnswer *answer);

/* What the kernel has, without counters and what changes by itself: "chain inet danchi guard".
 * Returns: borrowed until the next call, or NULL where there is no such thing */
const char *dn_nft_list (DnNft *nft, const char *object);
