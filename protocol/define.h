/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a .def file of messages into C.  Included several times, so it has no guard.
 *
 * Before including it, define DN_DEFINE_FILE as the .def file and one of:
 *   DN_DEFINE_TYPES   the enum of ids, a struct per message, the prototypes
 *   DN_DEFINE_BODIES  the rules of the wire, and the pack and unpack functions
 * with DN_DEFINE_WIRE as the wire's variable.
 *
 * In a .def file a message is
 *   DN_MSG (NAME, Noun, noun, id, sender, limit_bytes, fields)
 * and its fields, in the order in which they are packed, are
 *   DN_U8 (f) DN_U16 (f) DN_U32 (f) DN_I32 (f) DN_U64 (f)
 *   DN_TEXT (f, max)   u16 length and bytes; in C a char[max + 1] that ends with a NUL
 *   DN_BYTES (f, n)    exactly n bytes
 *   DN_TAIL (f)        the rest of the payload; in C a borrowed pointer f and f_bytes; last field
 *
 * What it makes for a message: DN_MSG_NAME; DnMsgNoun; and
 *   int dn_msg_noun_pack (const DnMsgNoun *message, uint8_t *ret_bytes, size_t size)
 *     the payload's length, or -EMSGSIZE when it is over @size or over the message's limit
 *   int dn_msg_noun_unpack (const uint8_t *bytes, size_t size, DnMsgNoun *ret_message)
 *     0, or -EPROTO when fields are short, over their limits, or bytes are left over
 */

#ifdef DN_DEFINE_TYPES

enum
{
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields) DN_MSG_##NAME = (id),
#include DN_DEFINE_FILE
#undef DN_MSG
};

#define DN_U8(f) uint8_t f;
#define DN_U16(f) uint16_t f;
#define DN_U32(f) uint32_t f;
#define DN_I32(f) int32_t f;
#define DN_U64(f) uint64_t f;
#define DN_TEXT(f, max) char f[(max) + 1];
#define DN_BYTES(f, n) uint8_t f[n];
#define DN_TAIL(f)                                                                                 \
  const uint8_t *f;                                                                                \
  uint32_t f##_bytes;
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  typedef struct                                                                                   \
  {                                                                                                \
    fields                                                                                         \
  } DnMsg##Noun;                                                                                   \
  int dn_msg_##noun##_pack (const DnMsg##Noun *message, uint8_t *ret_bytes, size_t size);          \
  int dn_msg_##noun##_unpack (const uint8_t *bytes, size_t size, DnMsg##Noun *ret_message);
#include DN_DEFINE_FILE

#endif

#ifdef DN_DEFINE_BODIES

static const DnWireRule define_rules[] = {
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  { (id), #NAME, DN_SENDER_##sender, (limit) },
#include DN_DEFINE_FILE
#undef DN_MSG
};

#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  _Static_assert((limit) <= DN_FRAME_PAYLOAD_MAX_BYTES, #NAME " is over the frame's limit");
#include DN_DEFINE_FILE
#undef DN_MSG

const DnWire DN_DEFINE_WIRE = { define_rules, sizeof define_rules / sizeof define_rules[0] };

#define DN_U8(f) dn_pack_u8 (&packer, message->f);
#define DN_U16(f) dn_pack_u16 (&packer, message->f);
#define DN_U32(f) dn_pack_u32 (&packer, message->f);
#define DN_I32(f) dn_pack_u32 (&packer, (uint32_t) message->f);
#define DN_U64(f) dn_pack_u64 (&packer, message->f);
#define DN_TEXT(f, max) dn_pack_text (&packer, message->f, (max));
#define DN_BYTES(f, n) dn_pack_raw (&packer, message->f, (n));
#define DN_TAIL(f) dn_pack_raw (&packer, message->f, message->f##_bytes);
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  int dn_msg_##noun##_pack (const DnMsg##Noun *message, uint8_t *ret_bytes, size_t size)           \
  {                                                                                                \
    const size_t most = (limit);                                                                   \
    DnPacker packer = { .bytes = ret_bytes, .size = size < most ? size : most };                   \
    (void) message;                                                                                \
    fields return packer.failed ? -EMSGSIZE : (int) packer.used;                                   \
  }
#include DN_DEFINE_FILE
#undef DN_U8
#undef DN_U16
#undef DN_U32
#undef DN_I32
#undef DN_U64
#undef DN_TEXT
#undef DN_BYTES
#undef DN_TAIL
#undef DN_MSG

#define DN_U8(f) ret_message->f = dn_unpack_u8 (&unpacker);
#define DN_U16(f) ret_message->f = dn_unpack_u16 (&unpacker);
#define DN_U32(f) ret_message->f = dn_unpack_u32 (&unpacker);
#define DN_I32(f) ret_message->f = (int32_t) dn_unpack_u32 (&unpacker);
#define DN_U64(f) ret_message->f = dn_unpack_u64 (&unpacker);
#define DN_TEXT(f, max) dn_unpack_text (&unpacker, ret_message->f, (max));
#define DN_BYTES(f, n) dn_unpack_raw (&unpacker, ret_message->f, (n));
#define DN_TAIL(f) ret_message->f = dn_unpack_tail (&unpacker, &ret_message->f##_bytes);
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  int dn_msg_##noun##_unpack (const uint8_t *bytes, size_t size, DnMsg##Noun *ret_message)         \
  {                                                                                                \
    DnUnpacker unpacker = { .bytes = bytes, .size = size };                                        \
    (void) ret_message;                                                                            \
    fields return dn_unpack_is_complete (&unpacker) ? 0 : -EPROTO;                                 \
  }
#include DN_DEFINE_FILE

#endif

#undef DN_U8
#undef DN_U16
#undef DN_U32
#undef DN_I32
#undef DN_U64
#undef DN_TEXT
#undef DN_BYTES
#undef DN_TAIL
#undef DN_MSG
