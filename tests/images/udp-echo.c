/* SPDX-License-Identifier: Apache-2.0 */
/* udp-echo PORT: sends every datagram back.  In the image of the tests, whose busybox has none. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int
main (int argc, char **argv)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
  static char buffer[65536];
  int fd = socket (AF_INET6, SOCK_DGRAM, 0);

  address.sin6_port = htons ((unsigned short) (argc > 1 ? atoi (argv[1]) : 0));
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return 1;
  for (;;)
    {
      struct sockaddr_in6 client;
      socklen_t size = sizeof client;
      ssize_t n = recvfrom (fd, buffer, sizeof buffer, 0, (struct sockaddr *) &client, &size);

      if (n >= 0)
        (void) !sendto (fd, buffer, (size_t) n, 0, (struct sockaddr *) &client, size);
    }
}
