/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams: the three of each process, and those of file copies.
 *
 * THE CONTRACT WITH THE HOST (the relay), beyond protocol.h:
 *
 * Output (guest to host).  The agent keeps every byte until it was CREDITed, in a ring of exactly
 * DN_STREAM_WINDOW_BYTES, so it cannot send more than the window.  When the ring is full it stops
 * reading the process's pipe: a slow reader stalls its own stream and nothing else.  EOF follows
 * the last DATA.  stdout and stderr of a process both get EOF, with a terminal too (where stderr
 * never has data).  RESET from the host on an output stream says that nobody wants it: it is read
 * and thrown away from then on; EOF still comes.  A CREDIT for more than was sent is a violation.
 *
 * Input (host to guest).  The host may have DN_STREAM_WINDOW_BYTES under way.  More is a violation.
 * CREDIT comes as the process takes the bytes.  EOF closes the process's standard input after the
 * bytes before it; with a terminal in line mode it types the end-of-file character.  RESET closes
 * at once.  RESET from the guest on an input stream says that the process has closed its input:
 * what is still sent is thrown away and not credited.
 *
 * A new link.  The window of every stream is full again on both sides.
 *   - Output streams that are older than the link are silent until the host sends CREDIT for them
 *     on this link; CREDIT of 0 bytes will do ("I know this stream, go on").  So a relay that was
 *     started afresh hears nothing of streams before it knows their process.  Then the agent sends
 *     everything from the first byte that was never CREDITed: bytes may come twice (at least
 *     once), none is lost.  EOF is sent again, as long as the process is listed.
 *   - Input bytes that the agent had accepted stay with the process (they are never CREDITed on
 *     the new link), bytes lost on the way are lost: at most once.  The host may send a full window
 *     at once; the agent's buffer holds two.  A process that has taken nothing through two links
 *     gets its input RESET.
 * DATA, EOF, CREDIT, RESET and RESIZE for a stream the agent does not know are ignored: the process
 * may have been forgotten while they were under way.
 *
 * All functions: no blocking, no privilege.  Source: docs/protocol.md, "Streams"; pipe(7), pty(7).
 */
#pragma once

#include "../../protocol/protocol.h"
#include "loop.h"
#include "ring.h"

#define DN_STREAM_BUCKETS 256
#define DN_STREAM_READ_BYTES (64 * 1024) /* at most per turn, so that others have theirs */

typedef struct DnStream DnStream;
typedef struct DnStreams DnStreams;

/* All streams of the agent. */
struct DnStreams
{
  DnLoop *loop;
  DnStream *buckets[DN_STREAM_BUCKETS];
  DnStream *ready_first; /* those with something to say, in turn */
  DnStream *ready_last;
};

typedef enum
{
  DN_STREAM_OUT, /* guest to host */
  DN_STREAM_IN,  /* host to guest */
} DnStreamDirection;

struct DnStream
{
  DnStreams *streams; /* NULL: not open */
  uint32_t number;
  DnStreamDirection direction;
  DnWatch watch; /* its descriptor is owned; -1 once the local end is closed */
  DnRing ring;
  size_t sent;       /* OUT: bytes of the ring that were sent on this link */
  size_t carried;    /* IN: bytes of the ring that came on an older link */
  size_t allowance;  /* IN: what the host may still send */
  size_t credit_due; /* IN: bytes consumed, not yet credited */
  size_t last_bytes; /* OUT, where is_ending: how many more to read */
  bool is_terminal;
  bool has_local_end; /* attached at some time */
  bool is_held;       /* OUT: older than the link, and the host has not asked yet */
  bool is_ending;     /* OUT: stop at last_bytes or when nothing is there right now */
  bool is_discarded;  /* OUT: the host wants no more of it; IN: the process takes no more */
  bool is_deaf;       /* IN: what the host still sends is thrown away */
  bool has_ended;     /* OUT: the last byte is in the ring; IN: the host sent EOF */
  bool eof_sent;      /* OUT */
  bool reset_due;     /* IN: tell the host */
  bool is_ready;      /* in the list of those with something to say */
  DnStream *ready_next;
  DnStream *bucket_next;
  void (*drained) (DnStream *stream, void *data); /* OUT: EOF was sent; may be NULL */
  void *data;
};

void dn_streams_init (DnStreams *streams, DnLoop *loop);

/* Whether @number is taken. */
DnStream *dn_streams_find (DnStreams *streams, uint32_t number);

/**
 * dn_stream_open:
 *
 * The stream has no local end yet: input is kept, output waits for dn_stream_attach().
 * @stream is the caller's memory and stays where it is until dn_stream_close().
 *
 * Returns: 0; -EEXIST when the number is taken
 */
int dn_stream_open (DnStream *stream, DnStreams *streams, DnStreamDirection direction,
                    uint32_t number, bool is_terminal);

/* Gives the stream its local end, once.  @fd: takes ownership, also on failure; made
 * non-blocking.  Returns 0 or -errno. */
int dn_stream_attach (DnStream *stream, int fd);

/* Forgets the stream and closes its descriptor; nothing when it is not open. */
void dn_stream_close (DnStream *stream);

/* OUT: reads what is there right now, then ends, whoever else still holds the other end. */
void dn_stream_end_soon (DnStream *stream);

/* OUT: whether EOF was sent and the host has every byte. */
bool dn_stream_is_done (const DnStream *stream);

/* A new link: see the contract above. */
void dn_streams_relink (DnStreams *streams);

/**
 * dn_streams_receive:
 *
 * Takes a frame of group 4 (not RESIZE) from the host.
 *
 * Returns: 0, or -EPROTO for a violation: the link must be dropped
 */
int dn_streams_receive (DnStreams *streams, const DnFrameHeader *header, const uint8_t *payload);

/* Writes the next frame that some stream wants to send to @ret_bytes (room for one whole frame).
 * Returns: its length with the header, or 0 when there is nothing to say */
size_t dn_streams_pull (DnStreams *streams, uint8_t *ret_bytes);
