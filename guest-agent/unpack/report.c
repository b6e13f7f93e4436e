/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_INTERVAL_MS 100

static void
send_frame (uint16_t type, uint8_t *frame, int payload_bytes)
{
  size_t size;

  /* Callers stay within the messages' limits, so a negative length is a mistake in here. */
  if (payload_bytes < 0)
    abort ();
  size = DN_FRAME_HEADER_BYTES + (size_t) payload_bytes;
  dn_frame_encode_header (frame, type, 0, (uint32_t) payload_bytes);
  for (size_t sent = 0; sent < size;)
    {
      ssize_t n = write (STDOUT_FILENO, frame + sent, size - sent);

      if (n < 0)
        _exit (1);
      sent += (size_t) n;
    }
}

static uint64_t
now_ms (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

void
dn_report_progress (uint32_t phase, uint64_t done, uint64_t total)
{
  static uint32_t last_phase;
  static uint64_t last_ms;
  const DnMsgUnpackProgress message = { .phase = phase, .done = done, .total = total };
  uint8_t frame[DN_FRAME_HEADER_BYTES + 64];
  uint64_t now = now_ms ();

  if (phase == last_phase && done < total && now - last_ms < PROGRESS_INTERVAL_MS)
    return;
  last_phase = phase;
  last_ms = now;
  send_frame (DN_MSG_UNPACK_PROGRESS, frame,
              dn_msg_unpack_progress_pack (&message, frame + DN_FRAME_HEADER_BYTES,
                                           sizeof frame - DN_FRAME_HEADER_BYTES));
}

void
dn_report_field (DnImageField field, const char *value, size_t size)
{
  static uint8_t frame[DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES];
  const DnMsgUnpackField message = {
    .field = (uint16_t) field,
    .value = (const uint8_t *) value,
    .value_bytes = (uint32_t) size,
  };

  send_frame (DN_MSG_UNPACK_FIELD, frame,
              dn_msg_unpack_field_pack (&message, frame + DN_FRAME_HEADER_BYTES,
                                        sizeof frame - DN_FRAME_HEADER_BYTES));
}

void
dn_report_entry (const DnMsgUnpackEntry *entry)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 256];

  send_frame (DN_MSG_UNPACK_ENTRY, frame,
              dn_msg_unpack_entry_pack (entry, frame + DN_FRAME_HEADER_BYTES,
                                        sizeof frame - DN_FRAME_HEADER_BYTES));
}

void
dn_report_read_done (const DnMsgUnpackReadDone *done)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 256];

  send_frame (DN_MSG_UNPACK_READ_DONE, frame,
              dn_msg_unpack_read_done_pack (done, frame + DN_FRAME_HEADER_BYTES,
                                            sizeof frame - DN_FRAME_HEADER_BYTES));
}

void
dn_report_layer_done (const DnMsgUnpackLayerDone *done)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 256];

  send_frame (DN_MSG_UNPACK_LAYER_DONE, frame,
              dn_msg_unpack_layer_done_pack (done, frame + DN_FRAME_HEADER_BYTES,
                                             sizeof frame - DN_FRAME_HEADER_BYTES));
}

void
dn_report_failure (const DnFailure *failure)
{
  DnMsgReply message = { .status = failure->status };
  uint8_t frame[DN_FRAME_HEADER_BYTES + 1024];

  memcpy (message.message, failure->message, sizeof message.message);
  send_frame (DN_MSG_REPLY, frame,
              dn_msg_reply_pack (&message, frame + DN_FRAME_HEADER_BYTES,
                                 sizeof frame - DN_FRAME_HEADER_BYTES));
}
