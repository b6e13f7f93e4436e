/* SPDX-License-Identifier: Apache-2.0 */
/* Boot milestones and where a side finds them in a console's bytes.  Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum
{
#define DN_MILESTONE(NAME, number, words) DN_MILESTONE_##NAME = (number),
#include "milestone.def"
#undef DN_MILESTONE
} DnMilestone;

/* What init and agent write before the number.  The console is slow, so it is short. */
#define DN_MILESTONE_PREFIX "danchi-boot: "

/* Words for the user; the same for every number that is none of ours. */
const char *dn_milestone_words (uint32_t number);

/* Finds milestones in a console that comes in pieces.  Zero it before the first byte. */
typedef struct
{
  size_t matched; /* bytes of the prefix seen so far */
  uint32_t number;
  int in_number;
  uint32_t last; /* the highest milestone seen */
} DnMilestoneScanner;

/* Returns: the highest milestone seen so far. */
uint32_t dn_milestone_scan (DnMilestoneScanner *scanner, const uint8_t *bytes, size_t size);
