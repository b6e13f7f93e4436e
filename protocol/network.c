/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <errno.h>

#include "pack.h"

size_t
dn_card_ports_encode (const DnCardPort *ranges, size_t count, uint8_t *ret_bytes)
{
  DnPacker packer = { .bytes = ret_bytes, .size = count * DN_CARD_PORT_BYTES };

  for (size_t i = 0; i < count; i++)
    {
      dn_pack_u8 (&packer, ranges[i].protocol);
      dn_pack_u16 (&packer, ranges[i].first);
      dn_pack_u16 (&packer, ranges[i].last);
    }
  return packer.used;
}

int
dn_card_ports_decode (const uint8_t *bytes, size_t size, DnCardPort ret_ranges[DN_CARD_PORTS_MAX])
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };
  size_t count = size / DN_CARD_PORT_BYTES;

  if (count > DN_CARD_PORTS_MAX)
    return -EPROTO;
  for (size_t i = 0; i < count; i++)
    {
      DnCardPort *range = &ret_ranges[i];

      range->protocol = dn_unpack_u8 (&unpacker);
      range->first = dn_unpack_u16 (&unpacker);
      range->last = dn_unpack_u16 (&unpacker);
      if ((range->protocol != DN_CARD_PORT_TCP && range->protocol != DN_CARD_PORT_UDP)
          || range->first == 0 || range->last < range->first)
        return -EPROTO;
    }
  return dn_unpack_is_complete (&unpacker) ? (int) count : -EPROTO;
}
