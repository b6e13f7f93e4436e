/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "pack.h"
#include "protocol.h"

#define MAGIC_BYTES 8

/* Neither can be the start of a frame: as a type, "DA" and "da" are no message's id. */
static const uint8_t hello_magic[MAGIC_BYTES] = { 'D', 'A', 'N', 'C', 'H', 'I', '\r', '\n' };
static const uint8_t welcome_magic[MAGIC_BYTES] = { 'd', 'a', 'n', 'c', 'h', 'i', '\r', '\n' };

/* Whether two secrets are equal, in a time that does not depend on where they differ. */
static bool
is_equal_in_constant_time (const uint8_t *a, const uint8_t *b, size_t size)
{
  volatile uint8_t difference = 0;

  for (size_t i = 0; i < size; i++)
    difference = difference | (uint8_t) (a[i] ^ b[i]);
  return difference == 0;
}

void
dn_link_encode_hello (uint8_t *ret_bytes, const DnLinkHello *hello, const uint8_t *secret)
{
  DnPacker packer = { .bytes = ret_bytes, .size = DN_LINK_BYTES };

  dn_pack_raw (&packer, hello_magic, MAGIC_BYTES);
  dn_pack_u32 (&packer, hello->generation_oldest);
  dn_pack_u32 (&packer, hello->generation_newest);
  dn_pack_raw (&packer, hello->nonce, DN_LINK_NONCE_BYTES);
  dn_pack_raw (&packer, secret, DN_LINK_PROOF_BYTES);
}

int
dn_link_decode_hello (const uint8_t *bytes, const uint8_t *secret, DnLinkHello *ret_hello)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = DN_LINK_BYTES };
  uint8_t magic[MAGIC_BYTES], proof[DN_LINK_PROOF_BYTES];
  DnLinkHello hello;

  dn_unpack_raw (&unpacker, magic, MAGIC_BYTES);
  hello.generation_oldest = dn_unpack_u32 (&unpacker);
  hello.generation_newest = dn_unpack_u32 (&unpacker);
  dn_unpack_raw (&unpacker, hello.nonce, DN_LINK_NONCE_BYTES);
  dn_unpack_raw (&unpacker, proof, DN_LINK_PROOF_BYTES);

  if (memcmp (magic, hello_magic, MAGIC_BYTES) != 0)
    return -EPROTO;
  if (!is_equal_in_constant_time (proof, secret, DN_LINK_PROOF_BYTES))
    return -EACCES;
  *ret_hello = hello;
  return 0;
}

uint32_t
dn_link_choose_generation (const DnLinkHello *hello)
{
  uint32_t newest = hello->generation_newest < DN_PROTOCOL_GENERATION ? hello->generation_newest
                                                                      : DN_PROTOCOL_GENERATION;

  if (newest < hello->generation_oldest || newest < DN_PROTOCOL_GENERATION_OLDEST)
    return 0;
  return newest;
}

void
dn_link_encode_welcome (uint8_t *ret_bytes, uint32_t generation, const uint8_t *nonce,
                        const uint8_t *secret)
{
  DnPacker packer = { .bytes = ret_bytes, .size = DN_LINK_BYTES };

  dn_pack_raw (&packer, welcome_magic, MAGIC_BYTES);
  dn_pack_u32 (&packer, generation);
  dn_pack_u32 (&packer, 0);
  dn_pack_raw (&packer, nonce, DN_LINK_NONCE_BYTES);
  dn_pack_raw (&packer, secret + DN_LINK_PROOF_BYTES, DN_LINK_PROOF_BYTES);
}

int
dn_link_decode_welcome (const uint8_t *bytes, const uint8_t *nonce, const uint8_t *secret,
                        uint32_t *ret_generation)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = DN_LINK_BYTES };
  uint8_t magic[MAGIC_BYTES], echo[DN_LINK_NONCE_BYTES], proof[DN_LINK_PROOF_BYTES];
  uint32_t generation, reserved;

  dn_unpack_raw (&unpacker, magic, MAGIC_BYTES);
  generation = dn_unpack_u32 (&unpacker);
  reserved = dn_unpack_u32 (&unpacker);
  dn_unpack_raw (&unpacker, echo, DN_LINK_NONCE_BYTES);
  dn_unpack_raw (&unpacker, proof, DN_LINK_PROOF_BYTES);

  if (memcmp (magic, welcome_magic, MAGIC_BYTES) != 0 || reserved != 0
      || memcmp (echo, nonce, DN_LINK_NONCE_BYTES) != 0)
    return -EPROTO;
  if (!is_equal_in_constant_time (proof, secret + DN_LINK_PROOF_BYTES, DN_LINK_PROOF_BYTES))
    return -EACCES;
  *ret_generation = generation;
  return 0;
}

size_t
dn_link_find_start (const uint8_t *bytes, size_t size, int for_host)
{
  const uint8_t *magic = for_host ? welcome_magic : hello_magic;

  for (size_t at = 0; at < size; at++)
    {
      size_t left = size - at;

      if (memcmp (bytes + at, magic, left < MAGIC_BYTES ? left : MAGIC_BYTES) == 0)
        return at;
    }
  return size;
}
