/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: the rights that a context's file can give.
 *
 * A right is a word in [access] verbs of a context's file; a verb of the API needs one or more of
 * them (verbs.c).  root has them all, everywhere.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_RIGHT_RUN = 1 << 0,     /* make and start containers */
  DN_RIGHT_EXEC = 1 << 1,    /* put a process into one */
  DN_RIGHT_ATTACH = 1 << 2,  /* to what its first process reads and writes */
  DN_RIGHT_LOGS = 1 << 3,    /* what it wrote; its guest's console */
  DN_RIGHT_INSPECT = 1 << 4, /* see it: lists, inspect, top, stats, events, wait, verify */
  DN_RIGHT_STOP = 1 << 5,    /* end, kill, pause it */
  DN_RIGHT_RM = 1 << 6,      /* remove it */
  DN_RIGHT_CP = 1 << 7,      /* files in and out */
  DN_RIGHT_UPDATE = 1 << 8,  /* its limits and its name */
} DnRight;

#define DN_RIGHT_ALL 0x1ff

/* What a right is called in a file: by bit number, ends with NULL. */
extern const char *const dn_right_words[];
