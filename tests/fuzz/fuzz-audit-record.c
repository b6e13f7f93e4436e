/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/audit-record.c guest-agent/agent/filter-outcome.c
 * guest-agent/agent/refusal.c */
/* The input is a filter of as many instructions as its first byte says, then records, a newline
 * after each. */
#include <string.h>

#include "../../guest-agent/agent/refusal.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct sock_filter filter[255];
  size_t count = size > 0 ? data[0] : 0;
  size_t at = 1 + count * sizeof filter[0];
  DnRefusals refusals = { 0 };

  if (size < at || size > 65536)
    return 0;
  memcpy (filter, data + 1, count * sizeof filter[0]);
  while (at < size)
    {
      const uint8_t *end = memchr (data + at, '\n', size - at);
      size_t bytes = end != NULL ? (size_t) (end - data) - at : size - at;
      DnAuditRecord record;

      if (dn_audit_record_read ((const char *) data + at, bytes, &record))
        {
          if (memchr (record.program, '\0', sizeof record.program) == NULL)
            __builtin_trap ();
          (void) dn_refusals_add (&refusals, &record, filter, count);
        }
      at += bytes + 1;
    }
  if (refusals.count > DN_REFUSALS_MAX + 1)
    __builtin_trap ();
  return 0;
}
