/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes through which splice(2) moves bytes: taken while bytes are in one, given back when it is
 * empty.  So a connection that rests, or whose reader keeps up, has none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DN_PIPES_KEPT 32

typedef struct
{
  int out; /* to read; -1: no pipe */
  int in;
} DnPipe;

#define DN_PIPE_NONE                                                                               \
  (DnPipe) { -1, -1 }

typedef struct
{
  DnPipe kept[DN_PIPES_KEPT]; /* empty ones, owned */
  uint32_t count;
} DnPipeStock;

/* Returns 0 or -errno. */
int dn_pipe_stock_take (DnPipeStock *stock, DnPipe *ret_pipe);
/* @is_empty: else it is closed with what is in it.  @pipe is none afterwards; none is fine. */
void dn_pipe_stock_give (DnPipeStock *stock, DnPipe *pipe, bool is_empty);
void dn_pipe_stock_clear (DnPipeStock *stock);
