/* SPDX-License-Identifier: Apache-2.0 */
/* net-server PORT: what the network's benchmark talks to.  A connection's first byte says what is
 * wanted: 'd' takes all bytes and answers one at the end, 's' sends until it is closed, 'e' sends
 * back what comes. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 16];

static void
serve (int fd)
{
  const int on = 1;
  char wish = 0;
  ssize_t n;

  (void) setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (read (fd, &wish, 1) != 1)
    return;
  if (wish == 's')
    while (write (fd, buffer, sizeof buffer) > 0)
      continue;
  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    if (wish == 'e' && write (fd, buffer, (size_t) n) != n)
      return;
  if (wish == 'd')
    (void) !write (fd, "", 1);
}

int
main (int argc, char **argv)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  const int on = 1;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  (void) signal (SIGCHLD, SIG_IGN);
  (void) signal (SIGPIPE, SIG_IGN);
  address.sin_port = htons ((unsigned short) (argc > 1 ? atoi (argv[1]) : 0));
  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0
      || bind (fd, (struct sockaddr *) &address, sizeof address) < 0 || listen (fd, 512) < 0)
    return 1;
  for (;;)
    {
      int client = accept (fd, NULL, NULL);

      if (client < 0)
        continue;
      if (fork () == 0)
        {
          serve (client);
          _exit (0);
        }
      (void) close (client);
    }
}
