/* SPDX-License-Identifier: Apache-2.0 */
/* The channel: one connection to the host, from its hello to its end.
 *
 * A socket (vsock) that does not say a valid hello first, in time, is closed; a violation later
 * closes it too.  A serial port is one pipe for the guest's whole life: there a violation, or the
 * host's end going, leads back to scanning for a hello, and whatever is not one is skipped
 * (protocol/link.h).
 *
 * Outgoing: control messages have a queue of their own, at most DN_CHANNEL_CONTROL_BYTES (a host
 * that asks and does not read loses the link); the streams' frames are made only when there is room
 * to write and the control queue is empty, so control waits for at most one buffer of data.
 */
#pragma once

#include "../../protocol/frame-reader.h"
#include "loop.h"

#define DN_CHANNEL_HELLO_MS 5000
#define DN_CHANNEL_CONTROL_BYTES (4 * 1024 * 1024)
/* Over this no more requests are read until the host has taken answers. */
#define DN_CHANNEL_CONTROL_PAUSE_BYTES (1024 * 1024)
#define DN_CHANNEL_OUT_BYTES (2 * (DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES))

typedef struct DnAgent DnAgent;

typedef struct DnChannel
{
  DnAgent *agent;
  bool is_serial;
  bool is_linked;
  DnWatch watch;
  DnTimer hello_timer;
  size_t skipped;
  DnFrameReader reader;
  bool must_wipe;   /* the reader's memory has held a secret's bytes */
  uint8_t *control; /* owned: whole frames */
  size_t control_start;
  size_t control_end;
  size_t control_room;
  size_t out_start;
  size_t out_end;
  uint8_t out[DN_CHANNEL_OUT_BYTES];
} DnChannel;

/* The channel lies in locked memory that forked children find empty, since frames of secrets pass
 * through it; what they were is zeroed as soon as nothing else is left in the reader.
 * @fd: takes ownership, also on failure (NULL). */
DnChannel *dn_channel_new (DnAgent *agent, int fd, bool is_serial);

/* Closes and frees it; where it is the linked one the agent has none then.  Accepts NULL. */
void dn_channel_free (DnChannel *channel);

/* Queues a frame.  Returns 0, or -ENOBUFS when the host does not read: drop it then. */
int dn_channel_put (DnChannel *channel, uint16_t type, uint32_t stream, const uint8_t *payload,
                    size_t size);

/* Writes what is queued and what the streams have to say, as far as it goes. */
void dn_channel_flush (DnChannel *channel);

/* Whether everything queued was written. */
bool dn_channel_is_idle (const DnChannel *channel);

/* Serial: the host's end was closed; forgets the link and scans for a hello again. */
void dn_channel_restart (DnChannel *channel);
