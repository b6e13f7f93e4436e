/* SPDX-License-Identifier: Apache-2.0 */
/* A UDP flow: one client's datagrams to a port, and the container's answers back, through a dial
 * socket of its own, so that the container tells clients apart by its port.
 *
 * A flow ends when it has been silent for a while, sooner where the container never answered.  When
 * there is no place for a new one, the longest silent unanswered one gives its own; else the
 * datagram is dropped, as UDP may.  So a flood of made-up clients costs only those that were never
 * answered either.
 *
 * Source: udp(7), ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO.
 */
#pragma once

#include "port.h"

/* Takes what waits at the port's socket, a turn's worth. */
void dn_flow_take (DnPort *port);
void dn_flow_end_all (DnPort *port);
/* Ends what has been silent for too long; once a second. */
void dn_flow_expire (DnPort *port);
