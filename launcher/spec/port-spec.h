/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports as users write them (--publish), and exposed ones (--expose, an image's EXPOSE).
 *
 *     [ADDRESS:][HOSTPORT[-LAST]:]PORT[-LAST][/tcp|udp]
 *
 *     8080:80              127.0.0.1 and ::1, port 8080, to the container's port 80, TCP
 *     80                   likewise, a host port that is free
 *     8000-8010:8000-8010  eleven ports, one by one
 *     8000-8010:80         one port: the first of these that is free
 *     0.0.0.0:8080:80      all addresses of IPv4; [::]: of IPv6; *: of both
 *     [::1]:8080:80/udp    one address
 *     127.0.0.1::80        one address, a host port that is free
 *
 * As docker has them, but that without an address it is the loopback, and never a host name: what a
 * name means is decided elsewhere, and may be another address tomorrow.
 *
 * Pure.
 * Source: docker-run(1), inet_pton(3).
 */
#pragma once

#include <glib.h>
#include <netinet/in.h>

/* Published ports of one container, all ranges counted out. */
#define DN_PORTS_MAX 128
/* Exposed ones: they cost a rule each, and no socket. */
#define DN_PORTS_EXPOSED_MAX 128
/* What a text may have: more is no port. */
#define DN_PORT_TEXT_MAX_BYTES 128
/* Chosen host ports are from here on (RFC 6335, dynamic ports). */
#define DN_PORT_CHOSEN_FIRST 49152
/* The first port that needs no permission of its own. */
#define DN_PORT_UNPRIVILEGED_FIRST 1024

/* What DnPort.address says besides an address. */
#define DN_PORT_LOOPBACK "" /* 127.0.0.1, and ::1 where the host has it */
#define DN_PORT_ANY "*"     /* 0.0.0.0, and :: where the host has it */

typedef struct
{
  char address[INET6_ADDRSTRLEN]; /* as inet_ntop(3) writes it, or one of the two above */
  guint16 host_first;             /* 0: any that is free */
  guint16 host_last;              /* the same number, or a range of which one is taken */
  guint16 container;
  gboolean is_udp;
} DnPort;

/* A socket of the host. */
typedef struct
{
  guint family;       /* 4 or 6 */
  guint8 address[16]; /* 4 or 16 bytes of it */
  guint16 port;
  gboolean is_udp;
} DnHostPort;

/* Returns: (transfer full) (element-type DnPort): an empty array */
GArray *dn_ports_new (void);

/**
 * dn_port_parse:
 * @text: of a user's, untrusted
 * @ports: (element-type DnPort): what @text comes to is appended, a range port by port
 *
 * Returns: TRUE, or FALSE with DN_ERROR_USAGE or _LIMIT, naming --publish; then @ports is as it was
 */
gboolean dn_port_parse (const char *text, GArray *ports, GError **error);

/* PORT[-LAST][/tcp|udp] likewise; `address` and the host's ports stay empty.  What is there already
 * is not appended again.  The message begins with @what. */
gboolean dn_port_parse_exposed (const char *text, const char *what, GArray *ports, GError **error);

/* All of --publish; NULL for none.  Refuses two that want the same socket.
 * Returns: (transfer full) (element-type DnPort): or NULL with DN_ERROR_USAGE or _LIMIT */
GArray *dn_ports_parse (char **texts, GError **error);

/* Whether it can be reached from this host alone. */
gboolean dn_port_is_loopback (const DnPort *port);

/* The sockets that its address comes to, without a port: one, or for the two words of above one of
 * IPv4 and one of IPv6.  Returns: how many */
guint dn_port_hosts (const DnPort *port, DnHostPort ret_hosts[2]);

/* ADDRESS:HOSTPORT for people, IPv6 in brackets; @host_port in place of the port's own. (transfer
 * full) */
char *dn_port_format_host (const char *address, guint16 host_port);

/* "tcp" or "udp". */
const char *dn_port_protocol (gboolean is_udp);
