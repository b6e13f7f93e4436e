/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/log-format.c */
/* A log's lines, read from a file of the relay's, and written from a container's bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/log-format.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static char line[DN_LOG_LINE_MAX_BYTES];
  static uint8_t text[DN_LOG_LINE_MAX_BYTES];
  DnLogRecord record = { .source = DN_LOG_STDOUT, .text = data, .text_bytes = size };
  uint64_t number;
  size_t length;

  if (size > DN_LOG_TEXT_MAX_BYTES)
    return 0;
  (void) dn_log_decode_header ((const char *) data, size, &number);
  (void) dn_log_decode_record ((const char *) data, size, text, &record);
  /* Whatever a container wrote, what is written for it is one line that reads back. */
  record = (DnLogRecord){ .source = DN_LOG_STDOUT, .text = data, .text_bytes = size };
  length = dn_log_encode_record (line, &record);
  if (length > sizeof line || memchr (line, '\n', length) != line + length - 1
      || dn_log_decode_record (line, length - 1, text, &record) < 0)
    abort ();
  for (size_t i = 0; i < length - 1; i++)
    if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
      abort ();
  return 0;
}
