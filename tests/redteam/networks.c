/* SPDX-License-Identifier: Apache-2.0 */
/* What a card leads to, in a context with egress: the gateway's and the host's addresses, the
 * guest's own, and private ones.  Run by name, where the runner has made a small internet (wire.py)
 * with servers at all of these places: each would answer, and two must. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#define PORTS 1024
#define AT_ONCE 128
#define WAIT_MS 500
#define NAMES 53

/* Management interfaces beyond the low ports: docker, VNC, kubernetes, cockpit, libvirt. */
static const uint16_t more[]
    = { 2049, 2375, 2376, 2379, 5900, 5901, 6443, 8080, 9090, 10250, 16509, 16514, 49152 };
#define PORT_COUNT (PORTS + sizeof more / sizeof *more)

static uint16_t
nth_port (size_t i)
{
  return i < PORTS ? (uint16_t) (i + 1) : more[i - PORTS];
}

/* The default gateway, or (offset 1) the guest behind it: the last byte is the next. */
static bool
find_gateway (bool is_v6, unsigned offset, char ret_text[INET6_ADDRSTRLEN])
{
  FILE *file = fopen (is_v6 ? "/proc/net/ipv6_route" : "/proc/net/route", "re");
  char line[256], digits[33];
  uint8_t bytes[16] = { 0 };
  unsigned to, gateway, bits;
  bool is_found = false;

  while (file != NULL && !is_found && fgets (line, sizeof line, file) != NULL)
    if (!is_v6 && sscanf (line, "%*s %x %x", &to, &gateway) == 2 && to == 0 && gateway != 0)
      {
        (void) memcpy (bytes, &gateway, 4);
        is_found = true;
      }
    else if (is_v6 && sscanf (line, "%*32s %x %*s %*s %32s", &bits, digits) == 2 && bits == 0
             && strspn (digits, "0") < 32)
      {
        for (int i = 0; i < 16; i++)
          (void) sscanf (digits + 2 * i, "%2hhx", &bytes[i]);
        is_found = true;
      }
  if (file != NULL)
    (void) fclose (file);
  bytes[is_v6 ? 15 : 3] += (uint8_t) offset;
  return is_found
         && inet_ntop (is_v6 ? AF_INET6 : AF_INET, bytes, ret_text, INET6_ADDRSTRLEN) != NULL;
}

/* Returns: a socket that connects, or -1 with errno */
static int
dial (const char *address, uint16_t port)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons (port) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons (port) };
  bool is_v6 = inet_pton (AF_INET, address, &v4.sin_addr) != 1;
  int fd = socket (is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int r;

  if (is_v6)
    (void) inet_pton (AF_INET6, address, &v6.sin6_addr);
  r = fd < 0  ? -1
      : is_v6 ? connect (fd, (const struct sockaddr *) &v6, sizeof v6)
              : connect (fd, (const struct sockaddr *) &v4, sizeof v4);
  if (fd >= 0 && r < 0 && errno != EINPROGRESS)
    {
      r = errno;
      (void) close (fd);
      errno = r;
      return -1;
    }
  return fd;
}

/* 0: it stands; errno of its end; ETIMEDOUT where there was neither in time. */
static int
await (int fd, int wait_ms)
{
  struct pollfd ready = { .fd = fd, .events = POLLOUT };
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;

  if (poll (&ready, 1, wait_ms) > 0)
    (void) getsockopt (fd, SOL_SOCKET, SO_ERROR, &error, &size);
  (void) close (fd);
  return error;
}

/* All ports of @address but that of names: 0 as soon as one is open, else the last refusal. */
static int
scan (const char *address)
{
  int last = DN_SEEN_UNKNOWN;

  for (size_t from = 0; from < PORT_COUNT; from += AT_ONCE)
    {
      int fds[AT_ONCE], wait_ms = WAIT_MS;

      for (size_t i = 0; i < AT_ONCE; i++)
        {
          fds[i] = -1;
          if (from + i < PORT_COUNT && nth_port (from + i) != NAMES
              && (fds[i] = dial (address, nth_port (from + i))) < 0)
            last = errno;
        }
      /* The first that hangs waits for all. */
      for (size_t i = 0; i < AT_ONCE; i++)
        if (fds[i] >= 0)
          {
            int seen = await (fds[i], wait_ms);

            wait_ms = seen == ETIMEDOUT ? 0 : wait_ms;
            if (seen == 0)
              return 0;
            last = last == ECONNREFUSED ? last : seen;
          }
    }
  return last;
}

/* aim.a: whether by IPv6; aim.b: 0 the gateway, 1 the guest behind it */
static int
scan_gateway (const DnAim *aim)
{
  char address[INET6_ADDRSTRLEN];

  return find_gateway (aim->a != 0, (unsigned) aim->b, address) ? scan (address) : DN_SEEN_UNKNOWN;
}

static int
scan_address (const DnAim *aim)
{
  return scan (aim->path);
}

/* aim.b: the port.  aim.path: NULL: of the gateway */
static int
reach (const DnAim *aim)
{
  char gateway[INET6_ADDRSTRLEN];
  int fd;

  if (aim->path == NULL && !find_gateway (aim->a != 0, 0, gateway))
    return DN_SEEN_UNKNOWN;
  fd = dial (aim->path != NULL ? aim->path : gateway, (uint16_t) aim->b);
  return fd < 0 ? errno : await (fd, 5000);
}

#define REFUSED "ECONNREFUSED EHOSTUNREACH ENETUNREACH EACCES"
#define SILENT REFUSED " ETIMEDOUT"

#define ROW(id, technique, answers, function, ...)                                                 \
  {                                                                                                \
    "networks." id, technique, "R5.13", answers, NULL, function, { __VA_ARGS__ }                   \
  }

static const DnProbe probes[] = {
  ROW ("public", "a public server: what egress is for", "ok", reach, .path = "93.184.216.34",
       .b = 80),
  ROW ("names", "the gateway's port 53", "ok", reach, .path = NULL, .b = NAMES),
  ROW ("gateway", "all other ports of the gateway", SILENT, scan_gateway, .a = 0),
  ROW ("gateway6", "likewise by IPv6", SILENT, scan_gateway, .a = 1),
  ROW ("guest", "ports of the guest itself", SILENT, scan_gateway, .a = 0, .b = 1),
  ROW ("guest6", "likewise by IPv6", SILENT, scan_gateway, .a = 1, .b = 1),
  ROW ("host", "management interfaces at the host's own address", SILENT, scan_address,
       .path = "192.168.77.2"),
  ROW ("host6", "likewise by IPv6", SILENT, scan_address, .path = "fd77::2"),
  ROW ("metadata", "a cloud's metadata service", REFUSED, reach, .path = "169.254.169.254",
       .b = 80),
  ROW ("private", "a server of the operator's network", REFUSED, reach, .path = "10.1.1.1",
       .b = 80),
  ROW ("private6", "likewise by IPv6", REFUSED, reach, .path = "fd99::9", .b = 80),
};

DN_FAMILY (dn_networks, probes);
