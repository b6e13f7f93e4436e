/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi-gateway gives up at its start.
 *
 * Theory.  It must stay in the host's network with the right to change it, which is much: it could
 * reroute, sniff or cut off the whole host.  But it reads nothing of a guest and nothing of a
 * caller: danchid's orders are fixed fields, and a resolver's pins 24 bytes each.  What it keeps
 * is that right and nothing else:
 *
 *   stage      has                                    has no more
 *   start      root, the host's files and network      -
 *   limits     likewise                                cores, many descriptors, big files
 *   root       likewise, in a mount namespace          every file but /proc/sys/net and
 * /dev/net/tun ids        CAP_NET_ADMIN, CAP_NET_BIND_SERVICE     root's uid, groups, the other
 * capabilities, as a uid of its own                     the bounding set new privs  likewise
 * gaining any by an execve() filter     the listed system calls; sockets of     all others: the
 * process is killed; raw and netlink (two kinds), IPv4, IPv6,        packet sockets, programs,
 * ptrace, mounts, unix                                    namespaces, memory that is executable
 *
 * CAP_NET_BIND_SERVICE is for the resolvers' port 53 and for published ports below 1024.
 * CAP_NET_RAW it does not have: it can see no packet.
 *
 * Source: capabilities(7), pivot_root(2), seccomp(2), capng_change_id(3), netlink(7).
 */
#pragma once

/**
 * dn_gateway_lockdown:
 * @ret_step: (out): on failure, the name of the step
 *
 * Once, with one thread, before the first order is read.  Descriptors of the process stay open.
 * After a failure the process must exit.  The result is read back from the kernel.
 *
 * Needs: root, with CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_MKNOD (or a
 * /dev/net/tun that all may open), CAP_NET_ADMIN, CAP_NET_BIND_SERVICE.
 *
 * Returns: 0 or -errno
 */
int dn_gateway_lockdown (const char **ret_step);

/* Likewise for the door (door.h), which also keeps CAP_SYS_ADMIN, and the calls by which a child of
 * it goes to another network namespace and gives that up. */
int dn_door_lockdown (const char **ret_step);

/* The allowlists alone (filter.c). */
int dn_gateway_load_filter (void);
int dn_door_load_filter (void);
