/* SPDX-License-Identifier: Apache-2.0 */
#include "nft.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

/* The text before a commit: nothing, and opened anew. */
static int
open_text (DnNft *nft)
{
  nft->text = open_memstream (&nft->bytes, &nft->size);
  return nft->text == NULL ? -ENOMEM : 0;
}

int
dn_nft_init (DnNft *nft, DnGatewayAnswer *answer)
{
  *nft = (DnNft){ .context = nft_ctx_new (NFT_CTX_DEFAULT) };
  if (nft->context == NULL || nft_ctx_buffer_output (nft->context) != 0
      || nft_ctx_buffer_error (nft->context) != 0 || open_text (nft) < 0)
    return dn_fault (answer, -ENOMEM, "nf_tables: no memory");
  nft_ctx_output_set_flags (nft->context, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_PROTO);
  return 0;
}

void
dn_nft_clear (DnNft *nft)
{
  if (nft->text != NULL)
    (void) fclose (nft->text);
  free (nft->bytes);
  if (nft->context != NULL)
    nft_ctx_free (nft->context);
  *nft = (DnNft){ .context = NULL };
}

/* The first line of what the library says: the others show our own text. */
static void
keep_fault (DnNft *nft, const char *what, DnGatewayAnswer *answer)
{
  const char *said = nft_ctx_get_error_buffer (nft->context);
  const char *error = strstr (said, "Error: ");
  int length;

  error = error != NULL ? error + strlen ("Error: ") : said;
  length = (int) strcspn (error, "\n");
  (void) dn_fault (answer, -EIO,
                   "%s: nf_tables: %.*s\nthe kernel needs nf_tables with inet, netdev ingress and "
                   "egress (5.16 or later), nat, fib, ct and connlimit; see danchi doctor",
                   what, length < 200 ? length : 200, error);
}

int
dn_nft_commit (DnNft *nft, const char *what, DnGatewayAnswer *answer)
{
  int r = 0;

  if (fclose (nft->text) != 0)
    r = -ENOMEM;
  nft->text = NULL;
  if (r == 0 && nft->size > 0 && nft_run_cmd_from_buffer (nft->context, nft->bytes) != 0)
    {
      r = -EIO;
      if (what != NULL)
        keep_fault (nft, what, answer);
    }
  free (nft->bytes);
  nft->bytes = NULL;
  nft->size = 0;
  if (open_text (nft) < 0 && r == 0)
    r = dn_fault (answer, -ENOMEM, "nf_tables: no memory");
  return r;
}

const char *
dn_nft_list (DnNft *nft, const char *object)
{
  char command[256];

  (void) snprintf (command, sizeof command, "list %s\n", object);
  if (nft_run_cmd_from_buffer (nft->context, command) != 0)
    return NULL;
  return nft_ctx_get_output_buffer (nft->context);
}
