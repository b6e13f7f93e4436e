/* SPDX-License-Identifier: Apache-2.0 */
/* The channel to the guest's agent: link, frames in, frames out.
 *
 * What comes from the guest is checked three times before anyone else sees it: the frame by
 * protocol.def (type, sender, length), its fields by their codec, and its meaning by what is known
 * (a stream must exist, its window must hold, an answer must have been asked for).  The first
 * violation ends the channel, LINK_DOWN with `suspect` set.  Two things are ignored instead,
 * because an honest guest can do them: answers to requests of a link before, and frames on streams
 * that were forgotten while they were under way.
 *
 * A guest that floods is not cut off, it is read more slowly: %DN_CHANNEL_FRAMES_PER_S for frames
 * other than DATA, and nothing while danchid is behind.
 *
 * The link on virtio-serial (protocol/link.h): the hello is repeated, first every 100 ms, then ever
 * more seldom, but only once the one before was read, else a guest that boots slowly would find
 * hundreds.  Each has a nonce of its own and only the welcome to the last one counts, so that no
 * answer is under way any more when the link stands; what comes before that welcome, whole or torn,
 * is of an older link and skipped.  A guest that reads and does not answer may be in the middle of
 * a frame that a relay before began: after 10 unanswered hellos more than a frame's worth of zeros,
 * which begin neither a frame nor a hello, get it out of there.
 *
 * Source: docs/protocol.md.
 */
#pragma once

#include "../../protocol/frame-reader.h"
#include "../../protocol/link.h"
#include "../../protocol/protocol.h"
#include "../confined/bucket.h"
#include "../confined/loop.h"
#include "backlog.h"
#include "requests.h"

typedef struct DnRouter DnRouter;

#define DN_CHANNEL_HELLO_NS (100 * 1000000ull)
#define DN_CHANNEL_HELLO_MAX_NS (1600 * 1000000ull)
#define DN_CHANNEL_HELLOS_BEFORE_FLUSH 10
#define DN_CHANNEL_FLUSH_BYTES (DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES)

#define DN_CHANNEL_FRAMES_PER_S 20000
#define DN_CHANNEL_THROTTLE_NS (10 * 1000000ull)

/* Towards the guest: above SOFT no more is taken from sessions, transfers and danchid until it is
 * below LOW. */
#define DN_CHANNEL_OUTBOX_LOW_BYTES (64 * 1024)
#define DN_CHANNEL_OUTBOX_SOFT_BYTES (256 * 1024)
#define DN_CHANNEL_OUTBOX_MAX_BYTES (4 * 1024 * 1024)

typedef enum
{
  DN_CHANNEL_NONE,
  DN_CHANNEL_GREETING, /* hello sent, no welcome yet */
  DN_CHANNEL_WELCOMED, /* READY must come next */
  DN_CHANNEL_UP,
} DnChannelState;

typedef struct
{
  DnSource source;
  DnChannelState state;
  bool is_suspect; /* some channel of this guest broke the protocol */
  bool repeats_hello;
  bool was_up; /* on this channel */
  uint8_t secret[DN_LINK_SECRET_BYTES];
  uint8_t nonce[DN_LINK_NONCE_BYTES]; /* of the last hello */
  uint32_t hellos;                    /* sent */
  uint64_t hello_ns;                  /* until the next */
  uint64_t skipped_bytes;
  uint32_t generation;
  DnMsgReady ready;
  DnFrameReader reader;
  DnBacklog outbox;
  bool is_full; /* the outbox was above SOFT and is not below LOW yet */
  DnRequests requests;
  DnBucket bucket;
  bool is_throttled;
  DnTimer hello_timer;
  DnTimer throttle_timer;
  uint64_t bytes_in;
  uint64_t bytes_out;
} DnChannel;

/* Returns: 0 or -errno (no random numbers). */
int dn_channel_init (DnRouter *router);
void dn_channel_clear (DnRouter *router);

/* A connection to the guest: says hello on it.  Takes ownership of @fd; an older one is closed. */
void dn_channel_open (DnRouter *router, int fd, const uint8_t *secret, bool repeats_hello);

bool dn_channel_is_up (const DnRouter *router);

/* Whether data may be put now; where not, dn_router_turn() resumes everybody later. */
bool dn_channel_has_room (const DnRouter *router);

/* Queues a frame; it goes out at the end of the turn.  Returns: 0, -ENOTCONN, -ENOBUFS */
int dn_channel_put (DnRouter *router, uint16_t type, uint32_t stream, const void *payload,
                    size_t size);

/**
 * dn_channel_put_from:
 *
 * Reads at most @most bytes from @fd straight into a DATA frame on @stream.
 *
 * Returns: how many; 0 at its end; -errno (-EAGAIN: nothing there, -ENOBUFS)
 */
int dn_channel_put_from (DnRouter *router, int fd, uint32_t stream, size_t most);

/* Likewise, for a secret, which goes through no queue: strongbox.h. */
int dn_channel_put_secret_from (DnRouter *router, int fd, uint32_t stream, size_t most);

/* Sends what is queued; called at the end of each turn. */
void dn_channel_flush (DnRouter *router);
