/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
/* The link's records and the search for their start. */
#include <stdlib.h>
#include <string.h>

#include "../../protocol/link.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint8_t secret[DN_LINK_SECRET_BYTES] = { 0 }, nonce[DN_LINK_NONCE_BYTES] = { 0 };
  uint8_t again[DN_LINK_BYTES];
  DnLinkHello hello;
  uint32_t generation;

  for (int for_host = 0; for_host < 2; for_host++)
    for (size_t at = 0; at < size;)
      {
        size_t start = at + dn_link_find_start (data + at, size - at, for_host);

        if (start > size)
          abort ();
        if (size - start < DN_LINK_BYTES)
          break;
        if (for_host)
          (void) dn_link_decode_welcome (data + start, nonce, secret, &generation);
        else if (dn_link_decode_hello (data + start, secret, &hello) == 0)
          {
            (void) dn_link_choose_generation (&hello);
            dn_link_encode_hello (again, &hello, secret);
            if (memcmp (again, data + start, DN_LINK_BYTES) != 0)
              abort ();
          }
        at = start + 1;
      }
  return 0;
}
