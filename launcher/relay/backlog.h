/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of bytes in one piece of memory, up to a limit, and none when it is empty.
 *
 * One piece, not a ring: whoever takes from it sees all that is there at once (a log looks for the
 * end of a line).  Memory grows by doubling and is given back when the queue runs empty, so that a
 * thousand idle streams cost nothing.  Bytes are moved to the front at most once for as many bytes
 * as are added.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct
{
  uint8_t *bytes; /* owned */
  size_t size;    /* of the memory */
  size_t start;
  size_t end;
  size_t limit; /* of what may be queued, in bytes */
} DnBacklog;

#define DN_BACKLOG_INIT(limit_bytes)                                                               \
  {                                                                                                \
    .limit = (limit_bytes)                                                                         \
  }

static inline size_t
dn_backlog_length (const DnBacklog *backlog)
{
  return backlog->end - backlog->start;
}

/* The first byte, or NULL; dn_backlog_length() of them.  Valid until the next call that adds or
 * drops. */
static inline const uint8_t *
dn_backlog_bytes (const DnBacklog *backlog)
{
  return backlog->bytes != NULL ? backlog->bytes + backlog->start : NULL;
}

/* Room for @size bytes at the end, to be filled and then added.  NULL with errno ENOBUFS when it
 * would be over the limit, ENOMEM. */
uint8_t *dn_backlog_reserve (DnBacklog *backlog, size_t size);

/* Adds the first @size bytes of what was reserved. */
void dn_backlog_added (DnBacklog *backlog, size_t size);

/* Returns: 0, -ENOBUFS or -ENOMEM. */
int dn_backlog_append (DnBacklog *backlog, const void *bytes, size_t size);

/* Takes the first @size bytes away. */
void dn_backlog_drop (DnBacklog *backlog, size_t size);

void dn_backlog_clear (DnBacklog *backlog);
