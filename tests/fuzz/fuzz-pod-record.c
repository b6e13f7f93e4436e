/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/pod-record.c protocol/pack.c */
/* A pod's addresses, routes and neighbours, as the agent reads them: what is taken is written again
 * as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../protocol/pod-record.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static DnPodRecord records[DN_POD_RECORDS_MAX];
  static uint8_t again[DN_POD_RECORDS_MAX * DN_POD_RECORD_BYTES];
  const int count = dn_pod_records_decode (data, size, records);

  if (count >= 0
      && (dn_pod_records_encode (records, (size_t) count, again) != size
          || memcmp (again, data, size) != 0))
    abort ();
  return 0;
}
