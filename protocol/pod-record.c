/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-record.h"

#include <errno.h>
#include <string.h>

#include "pack.h"

#define MAC_BYTES 6

int
dn_pod_record_is_empty (const uint8_t address[16])
{
  static const uint8_t nothing[16];

  return memcmp (address, nothing, sizeof nothing) == 0;
}

size_t
dn_pod_records_encode (const DnPodRecord *records, size_t count, uint8_t *ret_bytes)
{
  DnPacker packer = { .bytes = ret_bytes, .size = count * DN_POD_RECORD_BYTES };

  for (size_t i = 0; i < count; i++)
    {
      dn_pack_u8 (&packer, records[i].kind);
      dn_pack_u8 (&packer, records[i].family);
      dn_pack_u8 (&packer, records[i].bits);
      dn_pack_u8 (&packer, records[i].flags);
      dn_pack_u32 (&packer, records[i].metric);
      dn_pack_raw (&packer, records[i].address, sizeof records[i].address);
      dn_pack_raw (&packer, records[i].via, sizeof records[i].via);
      dn_pack_raw (&packer, records[i].source, sizeof records[i].source);
    }
  return packer.used;
}

/* What is behind the @used first bytes of an address. */
static int
is_clean (const uint8_t address[16], size_t used)
{
  static const uint8_t nothing[16];

  return memcmp (address + used, nothing, sizeof nothing - used) == 0;
}

static int
is_valid (const DnPodRecord *record)
{
  const size_t bytes = record->family == 4 ? 4 : 16;
  const int is_route = record->kind == DN_POD_ROUTE;

  if ((record->family != 4 && record->family != 6) || record->bits > bytes * 8
      || !is_clean (record->address, bytes) || !is_clean (record->source, bytes))
    return 0;
  if (!is_route
      && (record->flags != 0 || record->metric != 0 || !dn_pod_record_is_empty (record->source)))
    return 0;
  switch ((DnPodRecordKind) record->kind)
    {
    case DN_POD_ADDRESS:
      return dn_pod_record_is_empty (record->via) && !dn_pod_record_is_empty (record->address);
    case DN_POD_ROUTE:
      return (record->flags & ~(DN_POD_ROUTE_ONLINK | DN_POD_ROUTE_LINK)) == 0
             && is_clean (record->via, bytes);
    case DN_POD_NEIGHBOUR:
      return record->bits == 0 && is_clean (record->via, MAC_BYTES)
             && !dn_pod_record_is_empty (record->address);
    default:
      return 0;
    }
}

int
dn_pod_records_decode (const uint8_t *bytes, size_t size,
                       DnPodRecord ret_records[DN_POD_RECORDS_MAX])
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };
  size_t count = size / DN_POD_RECORD_BYTES;

  if (count > DN_POD_RECORDS_MAX)
    return -EPROTO;
  for (size_t i = 0; i < count; i++)
    {
      DnPodRecord *record = &ret_records[i];

      record->kind = dn_unpack_u8 (&unpacker);
      record->family = dn_unpack_u8 (&unpacker);
      record->bits = dn_unpack_u8 (&unpacker);
      record->flags = dn_unpack_u8 (&unpacker);
      record->metric = dn_unpack_u32 (&unpacker);
      dn_unpack_raw (&unpacker, record->address, sizeof record->address);
      dn_unpack_raw (&unpacker, record->via, sizeof record->via);
      dn_unpack_raw (&unpacker, record->source, sizeof record->source);
      if (!is_valid (record))
        return -EPROTO;
    }
  return dn_unpack_is_complete (&unpacker) ? (int) count : -EPROTO;
}
