/* SPDX-License-Identifier: Apache-2.0 */
#include "milestone.h"

#include <string.h>

const char *
dn_milestone_words (uint32_t number)
{
  switch (number)
    {
#define DN_MILESTONE(NAME, number, words)                                                          \
  case (number):                                                                                   \
    return words;
#include "milestone.def"
#undef DN_MILESTONE
    default:
      return "the guest reported a milestone that this host does not know";
    }
}

uint32_t
dn_milestone_scan (DnMilestoneScanner *scanner, const uint8_t *bytes, size_t size)
{
  static const char prefix[] = DN_MILESTONE_PREFIX;

  for (size_t i = 0; i < size; i++)
    {
      uint8_t byte = bytes[i];

      if (scanner->in_number)
        {
          if (byte >= '0' && byte <= '9' && scanner->number < 100)
            {
              scanner->number = scanner->number * 10 + (byte - '0');
              continue;
            }
          if (scanner->number > scanner->last && scanner->number < 100)
            scanner->last = scanner->number;
          scanner->in_number = 0;
        }
      /* The prefix's first letter occurs nowhere else in it, so a mismatch can only start anew. */
      if (byte != (uint8_t) prefix[scanner->matched])
        scanner->matched = byte == (uint8_t) prefix[0];
      else if (++scanner->matched == strlen (prefix))
        {
          scanner->matched = 0;
          scanner->number = 0;
          scanner->in_number = 1;
        }
    }
  return scanner->last;
}
