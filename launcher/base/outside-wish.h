/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid asks danchi-session for: a socket that listens on the host (../session/outside.h).
 */
#pragma once

#include <stdint.h>

#define DN_OUTSIDE_SOCKET "outside.sock"

/* Between two programs of one build, on one host: host byte order. */
typedef struct
{
  uint8_t family;   /* 4 or 6 */
  uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
  uint16_t port;
  uint8_t address[16]; /* of IPv4 the first four */
} DnOutsideWish;
