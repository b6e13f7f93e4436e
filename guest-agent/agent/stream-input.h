/* SPDX-License-Identifier: Apache-2.0 */
/* A stream's bytes on their way from the host to a process (DN_STREAM_IN of stream.h), and what
 * both directions share.  For stream.c and stream-input.c alone; the contract is in stream.h.
 */
#pragma once

#include "stream.h"

/* stream-input.c */

/* Writes to the process what the ring holds, as much as it takes now. */
void dn_stream_input_deliver (DnStream *stream);

/* The watch of a local end: it can be written to, or nobody reads from it any more. */
void dn_stream_input_ready (DnWatch *watch, uint32_t events);

/* DATA from the host.  0, or -EPROTO for a violation. */
int dn_stream_input_take (DnStream *stream, const DnFrameHeader *header, const uint8_t *payload);

/* The process takes no more input. */
void dn_stream_input_give_up (DnStream *stream);

/* All bytes were delivered after the host's EOF. */
void dn_stream_input_finish (DnStream *stream);

/* As dn_streams_pull(), of this stream: RESET or CREDIT. */
size_t dn_stream_input_pull (DnStream *stream, uint8_t *ret_bytes);

/* stream.c */

/* The stream has something to say to the host: dn_streams_pull() will come to it. */
void dn_stream_make_ready (DnStream *stream);

/* The local end is done with; what the ring holds stays. */
void dn_stream_close_local_end (DnStream *stream);

/* Writes a frame's header before @length bytes of payload.  Returns: bytes of the whole frame */
size_t dn_stream_encode (uint8_t *ret_bytes, uint16_t type, const DnStream *stream, size_t length);
