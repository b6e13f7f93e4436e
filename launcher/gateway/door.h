/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's door: the process that goes to the network namespaces of pods.
 *
 * Theory.  Work in a foreign network namespace needs sockets that were made there.  Whoever makes
 * them has to go there, and setns(2) takes CAP_SYS_ADMIN; and the kernel asks of such a socket that
 * its maker and its user have CAP_NET_ADMIN both (netlink_ns_capable), so that danchid, which has
 * the one, cannot make them for the gateway, which has the other; libnftables makes its own in any
 * case. So the gateway forks this process at its start, before it gives CAP_SYS_ADMIN up.  It has
 * both, and nothing else: no file but /proc/sys/net and /dev/net/tun, a uid of its own, and a
 * filter in which setns(2) takes CLONE_NEWNET alone, and there is no mount, no program, no other
 * namespace.
 *
 * It reads danchid's orders, which are a number each.  For each it makes a process that goes to the
 * namespace that came as a descriptor, gives CAP_SYS_ADMIN up, loads the gateway's own filter over
 * this one, and works.  The host's own network is refused: a pod that has it is no business of a
 * guest's.
 *
 * It ends when the gateway does.
 *
 * Source: setns(2), user_namespaces(7); net/netlink/af_netlink.c.
 */
#pragma once

#include "../base/fdpass.h"
#include "../network/gateway-order.h"

/* Forks it.  @close_fd: not for it.  Returns: a socket for orders (SOCK_SEQPACKET), or -errno. With
 * one thread, and root's rights (lockdown.h); in that process it does not return. */
int dn_door_start (int close_fd);

/* Hands an order over: its bytes with where the answer goes and the network namespace.  Whatever is
 * wrong from here on is told by the door.  0, or -errno where there is no door. */
int dn_door_pass (int door_fd, const uint8_t *bytes, size_t size, const DnFdList *fds);
