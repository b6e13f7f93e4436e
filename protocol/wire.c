/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>

#include "pack.h"

const DnWireRule *
dn_wire_find (const DnWire *wire, uint16_t type)
{
  size_t low = 0, high = wire->count;

  while (low < high)
    {
      size_t middle = low + (high - low) / 2;

      if (wire->rules[middle].type == type)
        return &wire->rules[middle];
      if (wire->rules[middle].type < type)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

const char *
dn_wire_name (const DnWire *wire, uint16_t type)
{
  const DnWireRule *rule = dn_wire_find (wire, type);

  return rule != NULL ? rule->name : "UNKNOWN";
}

void
dn_frame_encode_header (uint8_t *ret_bytes, uint16_t type, uint32_t stream, uint32_t length)
{
  DnPacker packer = { .bytes = ret_bytes, .size = DN_FRAME_HEADER_BYTES };

  dn_pack_u16 (&packer, type);
  dn_pack_u16 (&packer, 0);
  dn_pack_u32 (&packer, stream);
  dn_pack_u32 (&packer, length);
}

int
dn_frame_decode_header (const DnWire *wire, DnSender from, const uint8_t *bytes,
                        DnFrameHeader *ret_header)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = DN_FRAME_HEADER_BYTES };
  uint16_t type = dn_unpack_u16 (&unpacker);
  uint16_t reserved = dn_unpack_u16 (&unpacker);
  uint32_t stream = dn_unpack_u32 (&unpacker);
  uint32_t length = dn_unpack_u32 (&unpacker);
  const DnWireRule *rule = dn_wire_find (wire, type);

  if (rule == NULL || (rule->sender & from) == 0 || reserved != 0)
    return -EPROTO;
  if (length > rule->limit_bytes)
    return -EMSGSIZE;

  *ret_header = (DnFrameHeader){ .type = type, .stream = stream, .length = length };
  return 0;
}
