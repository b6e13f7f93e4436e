/* SPDX-License-Identifier: Apache-2.0 */
#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_BYTES 512
/* What is kept when the queue runs empty; more goes back at once. */
#define KEPT_BYTES 4096

uint8_t *
dn_backlog_reserve (DnBacklog *backlog, size_t size)
{
  size_t length = dn_backlog_length (backlog);
  size_t wanted = backlog->size > 0 ? backlog->size : SMALLEST_BYTES;
  uint8_t *bytes;

  if (size > backlog->limit || length > backlog->limit - size)
    {
      errno = ENOBUFS;
      return NULL;
    }
  if (backlog->size - backlog->end >= size)
    return backlog->bytes + backlog->end;
  /* Only where at least half of it is free at the front: so each move is paid for by the bytes
   * that were dropped before it. */
  if (backlog->start >= backlog->size / 2 && backlog->size - length >= size)
    {
      memmove (backlog->bytes, backlog->bytes + backlog->start, length);
      backlog->start = 0;
      backlog->end = length;
      return backlog->bytes + backlog->end;
    }

  while (wanted < 2 * length || wanted < length + size)
    wanted *= 2;
  bytes = malloc (wanted);
  if (bytes == NULL)
    return NULL;
  if (length > 0)
    memcpy (bytes, backlog->bytes + backlog->start, length);
  free (backlog->bytes);
  backlog->bytes = bytes;
  backlog->size = wanted;
  backlog->start = 0;
  backlog->end = length;
  return bytes + length;
}

void
dn_backlog_added (DnBacklog *backlog, size_t size)
{
  backlog->end += size;
}

int
dn_backlog_append (DnBacklog *backlog, const void *bytes, size_t size)
{
  uint8_t *at = size > 0 ? dn_backlog_reserve (backlog, size) : NULL;

  if (size == 0)
    return 0;
  if (at == NULL)
    return -errno;
  memcpy (at, bytes, size);
  dn_backlog_added (backlog, size);
  return 0;
}

void
dn_backlog_drop (DnBacklog *backlog, size_t size)
{
  backlog->start += size;
  if (backlog->start < backlog->end)
    return;
  backlog->start = backlog->end = 0;
  if (backlog->size > KEPT_BYTES)
    dn_backlog_clear (backlog);
}

void
dn_backlog_clear (DnBacklog *backlog)
{
  free (backlog->bytes);
  *backlog = (DnBacklog){ .limit = backlog->limit };
}
