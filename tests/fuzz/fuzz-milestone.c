/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/milestone.c */
/* The console scanner: cut anywhere, it must find the same. */
#include <stdlib.h>

#include "../../protocol/milestone.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnMilestoneScanner whole = { 0 }, pieces = { 0 };
  size_t cut = size > 0 ? data[0] % size : 0;

  (void) dn_milestone_scan (&pieces, data, cut);
  if (dn_milestone_scan (&whole, data, size) != dn_milestone_scan (&pieces, data + cut, size - cut))
    abort ();
  (void) dn_milestone_words (whole.last);
  return 0;
}
