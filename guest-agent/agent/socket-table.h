/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a network namespace that wait for others, as /proc/PID/net tells of them.
 *
 * Sockets of TCP that listen, of UDP that have a port and no peer, and unix ones that accept
 * connections.  A unix socket's path is the container's: it may hold a line end and then look like
 * a line more.  That adds a socket which is not there to the container's own list, and nothing to
 * anybody else's.
 *
 * Pure but for dn_socket_table_read().
 * Source: proc(5), the kernel's net/ipv4/tcp_ipv4.c, udp.c, net/unix/af_unix.c.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "../../protocol/protocol.h"

/* In one table; with those of other processes of the guest, where they share the namespace. */
#define DN_SOCKET_TABLE_MAX 2048
/* Lines of one file that are read: a hundred thousand idle connections must not keep us. */
#define DN_SOCKET_TABLE_LINES_MAX 65536

typedef struct
{
  DnMsgListenerEntry entry; /* without request, container, pid and program; the owner's uid in it
                             * is the guest's */
  uint64_t inode;
} DnSocket;

typedef struct
{
  DnSocket *items; /* owned, DN_SOCKET_TABLE_MAX of them */
  size_t count;
  uint32_t left_out; /* sockets, or ends of files, for which there was no room */
} DnSocketTable;

/* 0 or -ENOMEM. */
int dn_socket_table_init (DnSocketTable *table);
void dn_socket_table_clear (DnSocketTable *table);

/* Whether @line, of the file for @protocol, tells of a socket that waits; then @ret_socket is it.
 * Headings and what is no such line are none. */
bool dn_socket_parse (DnListenerProtocol protocol, const char *line, DnSocket *ret_socket);

/* Adds the sockets in @file. */
void dn_socket_table_add (DnSocketTable *table, DnListenerProtocol protocol, FILE *file);

/* Adds all of the network namespace of thread @tid, in the order of protocols. */
void dn_socket_table_read (DnSocketTable *table, pid_t tid);
