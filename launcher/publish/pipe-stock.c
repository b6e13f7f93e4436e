/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe-stock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
dn_pipe_stock_take (DnPipeStock *stock, DnPipe *ret_pipe)
{
  int ends[2];

  if (stock->count > 0)
    {
      *ret_pipe = stock->kept[--stock->count];
      return 0;
    }
  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) < 0)
    return -errno;
  *ret_pipe = (DnPipe){ ends[0], ends[1] };
  return 0;
}

static void
close_pipe (const DnPipe *pipe)
{
  (void) close (pipe->out);
  (void) close (pipe->in);
}

void
dn_pipe_stock_give (DnPipeStock *stock, DnPipe *pipe, bool is_empty)
{
  if (pipe->out >= 0 && is_empty && stock->count < DN_PIPES_KEPT)
    stock->kept[stock->count++] = *pipe;
  else if (pipe->out >= 0)
    close_pipe (pipe);
  *pipe = DN_PIPE_NONE;
}

void
dn_pipe_stock_clear (DnPipeStock *stock)
{
  while (stock->count > 0)
    close_pipe (&stock->kept[--stock->count]);
}
