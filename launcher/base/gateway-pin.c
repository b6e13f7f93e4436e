/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway-pin.h"

#include <errno.h>

#include "../../protocol/pack.h"
#include "network-rule.h"

size_t
dn_gateway_pins_pack (const DnGatewayPin *pins, size_t count, uint8_t *bytes)
{
  DnPacker packer = { .bytes = bytes, .size = count * DN_GATEWAY_PIN_BYTES };

  for (size_t i = 0; i < count; i++)
    {
      dn_pack_u8 (&packer, pins[i].family);
      dn_pack_u8 (&packer, pins[i].list);
      dn_pack_u16 (&packer, 0);
      dn_pack_u32 (&packer, pins[i].ttl_s);
      dn_pack_raw (&packer, pins[i].address, sizeof pins[i].address);
    }
  return packer.used;
}

int
dn_gateway_pins_unpack (const uint8_t *bytes, size_t size, DnGatewayPin *ret_pins)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };
  size_t count = size / DN_GATEWAY_PIN_BYTES;

  if (size == 0 || size % DN_GATEWAY_PIN_BYTES != 0 || count > DN_GATEWAY_PINS_MAX)
    return -EPROTO;
  for (size_t i = 0; i < count; i++)
    {
      ret_pins[i].family = dn_unpack_u8 (&unpacker);
      ret_pins[i].list = dn_unpack_u8 (&unpacker);
      unpacker.failed |= dn_unpack_u16 (&unpacker) != 0;
      ret_pins[i].ttl_s = dn_unpack_u32 (&unpacker);
      dn_unpack_raw (&unpacker, ret_pins[i].address, sizeof ret_pins[i].address);
      unpacker.failed
          |= (ret_pins[i].family != 4 && ret_pins[i].family != 6) || ret_pins[i].list == 0;
    }
  return dn_unpack_is_complete (&unpacker) ? (int) count : -EPROTO;
}

void
dn_gateway_dial_pack (const DnGatewayDial *dial, uint8_t bytes[DN_GATEWAY_DIAL_BYTES])
{
  bytes[0] = dial->server;
  bytes[1] = dial->is_tcp;
  bytes[2] = bytes[3] = 0;
}

int
dn_gateway_dial_unpack (const uint8_t *bytes, size_t size, DnGatewayDial *ret_dial)
{
  if (size != DN_GATEWAY_DIAL_BYTES || bytes[0] >= DN_NETWORK_SERVERS_MAX || bytes[1] > 1
      || bytes[2] != 0 || bytes[3] != 0)
    return -EPROTO;
  *ret_dial = (DnGatewayDial){ .server = bytes[0], .is_tcp = bytes[1] != 0 };
  return 0;
}
