/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <errno.h>

#include "pack.h"

size_t
dn_port_ranges_encode (const DnPortRange *ranges, size_t count, uint8_t *ret_bytes)
{
  DnPacker packer = { .bytes = ret_bytes, .size = count * DN_PORT_RANGE_BYTES };

  for (size_t i = 0; i < count; i++)
    {
      dn_pack_u8 (&packer, ranges[i].protocol);
      dn_pack_u16 (&packer, ranges[i].first);
      dn_pack_u16 (&packer, ranges[i].last);
    }
  return packer.used;
}

int
dn_port_ranges_decode (const uint8_t *bytes, size_t size,
                       DnPortRange ret_ranges[DN_PORT_RANGES_MAX])
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };
  size_t count = size / DN_PORT_RANGE_BYTES;

  if (count > DN_PORT_RANGES_MAX)
    return -EPROTO;
  for (size_t i = 0; i < count; i++)
    {
      DnPortRange *range = &ret_ranges[i];

      range->protocol = dn_unpack_u8 (&unpacker);
      range->first = dn_unpack_u16 (&unpacker);
      range->last = dn_unpack_u16 (&unpacker);
      if ((range->protocol != DN_PORT_TCP && range->protocol != DN_PORT_UDP) || range->first == 0
          || range->last < range->first)
        return -EPROTO;
    }
  return dn_unpack_is_complete (&unpacker) ? (int) count : -EPROTO;
}
