/* SPDX-License-Identifier: Apache-2.0 */
/* Of link.h: what goes through /dev/net/tun. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

#define DEVICE "/dev/net/tun"

static void
name_request (struct ifreq *request, const char *name)
{
  *request = (struct ifreq){ .ifr_flags = 0 };
  (void) snprintf (request->ifr_name, sizeof request->ifr_name, "%s", name);
}

/* The card's address, while the tap is down. */
static int
set_address (const DnNetworkPlan *plan)
{
  int socket_fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request;
  int r = 0;

  name_request (&request, plan->tap);
  request.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
  memcpy (request.ifr_hwaddr.sa_data, plan->host_mac, sizeof plan->host_mac);
  if (socket_fd < 0 || ioctl (socket_fd, SIOCSIFHWADDR, &request) < 0)
    r = -errno;
  name_request (&request, plan->tap);
  request.ifr_mtu = DN_NETWORK_MTU;
  if (r == 0 && ioctl (socket_fd, SIOCSIFMTU, &request) < 0)
    r = -errno;
  if (socket_fd >= 0)
    (void) close (socket_fd);
  return r;
}

int
dn_link_make_tap (const DnNetworkPlan *plan, DnGatewayAnswer *answer)
{
  int fd = open (DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  struct ifreq request;
  int r;

  if (fd < 0)
    return dn_fault (answer, -errno,
                     "%s: %s\nload the kernel's module tun, and let danchi-gateway have the device",
                     DEVICE, strerror (errno));
  name_request (&request, plan->tap);
  /* As libvirt opens it for QEMU's virtio card. */
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  r = ioctl (fd, TUNSETIFF, &request) < 0 ? -errno : set_address (plan);
  if (r < 0)
    {
      (void) close (fd);
      return dn_fault (answer, r, "tap '%s': %s\nsee danchi gc, and ip link", plan->tap,
                       strerror (-r));
    }
  return fd;
}

int
dn_link_keep (int tap_fd, const DnNetworkPlan *plan, DnGatewayAnswer *answer)
{
  if (ioctl (tap_fd, TUNSETOWNER, (unsigned long) plan->uid) < 0
      || ioctl (tap_fd, TUNSETPERSIST, 1ul) < 0)
    return dn_fault (answer, -errno, "tap '%s': keep: %s", plan->tap, strerror (errno));
  return 0;
}

bool
dn_link_exists (const char *name)
{
  return if_nametoindex (name) != 0;
}
