/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c launcher/base/control.c launcher/base/session.c */
/* Every message's fields: what unpacks must pack to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/control.h"
#include "../../launcher/base/session.h"
#include "../../protocol/pack.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (uint16_t type, const uint8_t *bytes, size_t size)
{
  static uint8_t again[DN_FRAME_PAYLOAD_MAX_BYTES];

  switch (type)
    {
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  case (id):                                                                                       \
    {                                                                                              \
      DnMsg##Noun message;                                                                         \
      if (size > (limit) || dn_msg_##noun##_unpack (bytes, size, &message) < 0)                    \
        return;                                                                                    \
      if (dn_msg_##noun##_pack (&message, again, sizeof again) != (int) size                       \
          || (size > 0 && memcmp (again, bytes, size) != 0))                                       \
        abort ();                                                                                  \
      return;                                                                                      \
    }
#include "../../launcher/base/control.def"
#include "../../launcher/base/session.def"
#include "../../protocol/protocol.def"
#undef DN_MSG
    default:
      return;
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size >= 2)
    check ((uint16_t) (data[0] << 8 | data[1]), data + 2, size - 2);
  return 0;
}
