/* SPDX-License-Identifier: Apache-2.0 */
/* Takes danchid's orders, each in a process that is forked for it and ends with it. */
#pragma once

#include <stdbool.h>

#define DN_SHARE_LISTEN_FD 3

typedef struct
{
  int fd;            /* connected to danchid, or listening */
  bool is_listening; /* one connection, one order */
} DnSharePlan;

/* Returns: the exit status, when danchid is gone; a listening one does not end. */
int dn_share_serve (const DnSharePlan *plan);
