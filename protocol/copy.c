/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <errno.h>
#include <string.h>

#include "pack.h"

void
dn_copy_encode (uint8_t *ret_bytes, const DnCopyEntry *entry)
{
  DnPacker packer = { .bytes = ret_bytes, .size = DN_COPY_HEADER_BYTES };

  dn_pack_u8 (&packer, (uint8_t) entry->kind);
  dn_pack_u8 (&packer, 0);
  dn_pack_u16 (&packer, entry->mode);
  dn_pack_u32 (&packer, 0);
  dn_pack_u64 (&packer, entry->size_bytes);
  dn_pack_u64 (&packer, (uint64_t) entry->mtime_s);
  dn_pack_u16 (&packer, entry->name_bytes);
  dn_pack_u16 (&packer, entry->link_bytes);
}

int
dn_copy_decode (const uint8_t *bytes, DnCopyEntry *ret_entry)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = DN_COPY_HEADER_BYTES };
  uint8_t kind = dn_unpack_u8 (&unpacker);
  uint8_t reserved = dn_unpack_u8 (&unpacker);
  uint16_t mode = dn_unpack_u16 (&unpacker);
  uint32_t reserved_too = dn_unpack_u32 (&unpacker);
  uint64_t size = dn_unpack_u64 (&unpacker);
  int64_t mtime = (int64_t) dn_unpack_u64 (&unpacker);
  uint16_t name = dn_unpack_u16 (&unpacker);
  uint16_t target = dn_unpack_u16 (&unpacker);

  if (kind > DN_COPY_LINK || reserved != 0 || reserved_too != 0 || mode > 0777
      || name > DN_COPY_NAME_BYTES || target > DN_COPY_NAME_BYTES)
    return -EPROTO;
  if (kind != DN_COPY_FILE && size != 0)
    return -EPROTO;
  if ((kind == DN_COPY_LINK) != (target != 0) || (kind == DN_COPY_END && name != 0))
    return -EPROTO;

  *ret_entry = (DnCopyEntry){ .kind = (DnCopyKind) kind,
                              .mode = mode,
                              .size_bytes = size,
                              .mtime_s = mtime,
                              .name_bytes = name,
                              .link_bytes = target };
  return 0;
}

bool
dn_copy_name_is_safe (const char *name, size_t size, bool allow_top)
{
  size_t start = 0;

  if (size == 0)
    return allow_top;
  if (size > DN_COPY_NAME_BYTES || memchr (name, '\0', size) != NULL)
    return false;
  for (size_t at = 0; at <= size; at++)
    {
      size_t length;

      if (at < size && name[at] != '/')
        continue;
      length = at - start;
      if (length == 0 || (length == 1 && name[start] == '.')
          || (length == 2 && name[start] == '.' && name[start + 1] == '.'))
        return false;
      start = at + 1;
    }
  return true;
}
