/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink in small: requests of several messages, and their answers.
 *
 * A batch is built in one buffer and sent at once; errors of building stick and are told by
 * dn_netlink_talk().  The kernel answers while it takes the request, so nothing here waits for
 * anybody; should an answer be missing, a socket's deadline ends the wait.
 *
 * No library: cards and rules of a guest are a few hundred bytes of fixed form, for which this is
 * 30 KiB of code; libnftables with what it loads is 4 MB in every guest's root, and a parser in it.
 *
 * Source: netlink(7), rtnetlink(7); the kernel's include/uapi/linux/netlink.h.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the rules of 256 ports. */
#define DN_NETLINK_BATCH_BYTES 131072
#define DN_NETLINK_ANSWER_MS 5000

typedef struct
{
  uint8_t bytes[DN_NETLINK_BATCH_BYTES] __attribute__ ((aligned (4)));
  size_t used;
  size_t message;   /* where the last one begins */
  unsigned answers; /* that the kernel will give */
  bool failed;      /* something did not fit */
} DnNetlinkBatch;

/* A socket for @protocol (NETLINK_ROUTE, NETLINK_NETFILTER) in the network namespace of now; a
 * descriptor the caller owns, or -errno. */
int dn_netlink_open (int protocol);

void dn_netlink_clear (DnNetlinkBatch *batch);

/* Begins a message.  @header: of its kind (struct ifinfomsg ...), @size bytes.  With NLM_F_ACK in
 * @flags its answer is waited for. */
void dn_netlink_begin (DnNetlinkBatch *batch, uint16_t type, uint16_t flags, const void *header,
                       size_t size);

/* Attributes of the message begun last. */
void dn_netlink_put (DnNetlinkBatch *batch, uint16_t type, const void *bytes, size_t size);
void dn_netlink_put_u8 (DnNetlinkBatch *batch, uint16_t type, uint8_t value);
void dn_netlink_put_u32 (DnNetlinkBatch *batch, uint16_t type, uint32_t value);
void dn_netlink_put_be32 (DnNetlinkBatch *batch, uint16_t type, uint32_t value);
void dn_netlink_put_text (DnNetlinkBatch *batch, uint16_t type, const char *text);
size_t dn_netlink_nest (DnNetlinkBatch *batch, uint16_t type); /* for dn_netlink_end() */
void dn_netlink_end (DnNetlinkBatch *batch, size_t nest);

/* Bytes of a kind's own within a nest, which carry no header. */
void dn_netlink_append (DnNetlinkBatch *batch, const void *bytes, size_t size);

/* Sends the batch, and waits for the answer to each message that has NLM_F_ACK.  Returns 0, or the
 * first of their errors.  An error of a message without it (the frame of a transaction) is the
 * whole batch's. */
int dn_netlink_talk (int fd, DnNetlinkBatch *batch);

typedef void (*DnNetlinkFunc) (const struct nlmsghdr *message, void *data);

/* Sends a request with NLM_F_DUMP and hands each message of the answer to @take.  0 or -errno. */
int dn_netlink_dump (int fd, DnNetlinkBatch *batch, DnNetlinkFunc take, void *data);

/* The attribute of that type among @size bytes of them, or NULL. */
const struct nlattr *dn_netlink_find (const void *attributes, size_t size, uint16_t type);

static inline const void *
dn_netlink_value (const struct nlattr *attribute)
{
  return (const uint8_t *) attribute + NLA_HDRLEN;
}

static inline size_t
dn_netlink_size (const struct nlattr *attribute)
{
  return attribute->nla_len - (size_t) NLA_HDRLEN;
}
