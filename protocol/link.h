/* SPDX-License-Identifier: Apache-2.0 */
/* The link: how a connection to a guest begins, before the first frame.
 *
 * The host sends a hello of 64 bytes, the guest answers with a welcome of 64 bytes; frames follow.
 * Both prove that they know the boot's secret: 64 random bytes that danchid made for this boot and
 * handed to the guest by fw_cfg, where containers and other users of the host cannot read them.
 * The host shows the first half, the guest the second: neither half can be learnt by sending
 * nothing or by replaying the other.  A fresh nonce in each hello comes back in the welcome.
 *
 * On vsock both are exchanged once.  A virtio-serial port is one pipe for the guest's whole life:
 * when the host's end goes and another comes, bytes of the old conversation may still be in it.
 * So there the host repeats its hello until it is answered, and each side skips bytes until the
 * record it waits for: this is the only place where anything is skipped, and nothing of the
 * conversation before survives it.
 *
 * Pure: no I/O, no allocation, no logging.
 * Source: docs/protocol.md, "The link".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DN_LINK_BYTES 64
#define DN_LINK_NONCE_BYTES 16
#define DN_LINK_SECRET_BYTES 64
#define DN_LINK_PROOF_BYTES 32

/* The name under which the secret is in the guest's fw_cfg. */
#define DN_LINK_FW_CFG "opt/org.danchi/secret"

/* How much of an old conversation a side skips before it gives up. */
#define DN_LINK_SKIP_MAX_BYTES (4 * 1024 * 1024)

typedef struct
{
  uint32_t generation_oldest;
  uint32_t generation_newest;
  uint8_t nonce[DN_LINK_NONCE_BYTES];
} DnLinkHello;

/* Writes %DN_LINK_BYTES. */
void dn_link_encode_hello (uint8_t *ret_bytes, const DnLinkHello *hello, const uint8_t *secret);

/**
 * dn_link_decode_hello:
 * @bytes: exactly %DN_LINK_BYTES, untrusted
 *
 * Returns: 0; -EPROTO when this is no hello; -EACCES when the secret is wrong, found out in
 *   constant time
 */
int dn_link_decode_hello (const uint8_t *bytes, const uint8_t *secret, DnLinkHello *ret_hello);

/* The generation both speak, or 0 when there is none: the guest then still answers with 0, so that
 * the host can say why. */
uint32_t dn_link_choose_generation (const DnLinkHello *hello);

/* Writes %DN_LINK_BYTES. */
void dn_link_encode_welcome (uint8_t *ret_bytes, uint32_t generation, const uint8_t *nonce,
                             const uint8_t *secret);

/**
 * dn_link_decode_welcome:
 * @nonce: of the hello that this must answer
 * @ret_generation: (out): 0 when the guest speaks none of ours
 *
 * Returns: 0; -EPROTO when this is no welcome, or one to another hello; -EACCES when the secret is
 *   wrong
 */
int dn_link_decode_welcome (const uint8_t *bytes, const uint8_t *nonce, const uint8_t *secret,
                            uint32_t *ret_generation);

/* Where the first possible start of a hello (@for_host false) or of a welcome (@for_host true) is
 * in @bytes: what lies before it can be skipped.  @size when there is none. */
size_t dn_link_find_start (const uint8_t *bytes, size_t size, int for_host);
