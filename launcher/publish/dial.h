/* SPDX-License-Identifier: Apache-2.0 */
/* The stock of sockets with which containers are reached: TCP and UDP, IPv4 and IPv6.
 *
 * They are made where the network is, bound to the guest's tap, and used again: a connection that
 * is over is taken apart by connect(2) with AF_UNSPEC, after which the socket is as new.  (TCP's
 * stays bound to its device; UDP's does not, and is bound again.)  One whose connection still has
 * bytes to deliver waits until the kernel has done so.
 *
 * The stock grows by what is asked of danchid when it runs low, up to the limit, and shrinks again
 * by itself.  Nobody waits for the answer: ports with clients in their queues are looked at again
 * when sockets come.
 *
 * Source: connect(2), tcp(7); tcp_disconnect() and __udp_disconnect() of Linux.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum
{
  DN_DIAL_TCP4,
  DN_DIAL_TCP6,
  DN_DIAL_UDP4,
  DN_DIAL_UDP6,
  DN_DIAL_KINDS,
} DnDialKind;

/* Asked for when fewer are free; kept when nobody needs them. */
#define DN_DIAL_LOW 16
#define DN_DIAL_KEPT 64
/* What a closed connection's last bytes may take until they are cut off. */
#define DN_DIAL_COOLING_MAX_NS (10 * 1000000000ull)
/* An answer that did not come is asked for again. */
#define DN_DIAL_ASK_AGAIN_NS (2 * 1000000000ull)

typedef struct
{
  int fd;
  uint64_t until_ns;
} DnCoolingDial;

typedef struct
{
  DnDialKind kind;
  int *free_fds; /* owned, of `max` places */
  uint32_t free_count;
  DnCoolingDial *cooling; /* likewise */
  uint32_t cooling_count;
  uint32_t count; /* free, cooling and out */
  uint32_t max;
  uint32_t asked; /* for so many there is no answer yet */
  uint64_t asked_ns;
  bool is_wanted;        /* a client waits */
  char device[IFNAMSIZ]; /* to which they are bound; "": to none */
} DnDialStock;

DnDialKind dn_dial_kind (bool is_udp, int family);
bool dn_dial_kind_is_udp (DnDialKind kind);
/* 4 or 6 */
uint8_t dn_dial_kind_family (DnDialKind kind);

/* Returns 0 or -ENOMEM. */
int dn_dial_stock_init (DnDialStock *stock, DnDialKind kind, uint32_t max);
void dn_dial_stock_clear (DnDialStock *stock);

/* Takes ownership of @fd, which the stock may have no room for. */
void dn_dial_stock_add (DnDialStock *stock, int fd);

/* A socket that is like new, or -1: then `is_wanted` is set. */
int dn_dial_stock_take (DnDialStock *stock, uint64_t now_ns);

/* Gives one back.  @is_over: both sides have closed, and what was sent is to arrive; else the
 * connection is reset. */
void dn_dial_stock_give (DnDialStock *stock, int fd, bool is_over, uint64_t now_ns);

/* How many to ask for now; 0: none.  Counts them as asked for. */
uint32_t dn_dial_stock_ask (DnDialStock *stock, uint64_t now_ns);
/* Nothing is asked for any more: danchid is another. */
void dn_dial_stock_forget_asked (DnDialStock *stock);

/* Once a second or so: what has cooled is free, and what is too much is closed. */
void dn_dial_stock_tidy (DnDialStock *stock, uint64_t now_ns);

/* Ends whatever the socket is connected to by a reset, and leaves it as new.  Also for a client's,
 * which is then closed. */
int dn_dial_disconnect (int fd);
