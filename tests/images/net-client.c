/* SPDX-License-Identifier: Apache-2.0 */
/* net-client ADDRESS PORT SECONDS: asks net-server for all that the network's benchmark measures,
 * and prints one line: MB/s to the server, MB/s from it, microseconds for a byte there and back
 * (the median), connections a second. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 200000

static char buffer[1 << 16];
static double times[TIMES_MAX];
static struct sockaddr_in server = { .sin_family = AF_INET };

static double
now_s (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int
dial (const char *wish)
{
  const struct timeval patience = { .tv_sec = 30 };
  const int on = 1;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0
      || setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0
      || setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0
      || connect (fd, (const struct sockaddr *) &server, sizeof server) < 0
      || write (fd, wish, 1) != 1)
    {
      perror ("net-client");
      exit (1);
    }
  return fd;
}

static double
measure_send (double seconds)
{
  int fd = dial ("d");
  double begun = now_s (), sent = 0;

  while (now_s () - begun < seconds)
    {
      ssize_t n = write (fd, buffer, sizeof buffer);

      if (n <= 0)
        exit (1);
      sent += (double) n;
    }
  (void) shutdown (fd, SHUT_WR);
  if (read (fd, buffer, 1) != 1) /* it has all of it */
    exit (1);
  (void) close (fd);
  return sent / 1e6 / (now_s () - begun);
}

static double
measure_receive (double seconds)
{
  int fd = dial ("s");
  double begun = now_s (), got = 0;

  while (now_s () - begun < seconds)
    {
      ssize_t n = read (fd, buffer, sizeof buffer);

      if (n <= 0)
        exit (1);
      got += (double) n;
    }
  (void) close (fd);
  return got / 1e6 / (now_s () - begun);
}

static int
compare (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static double
measure_round_trip (double seconds)
{
  int fd = dial ("e"), count = 0;
  double end = now_s () + seconds;

  while (now_s () < end && count < TIMES_MAX)
    {
      double begun = now_s ();

      if (write (fd, "x", 1) != 1 || read (fd, buffer, 1) != 1)
        exit (1);
      times[count++] = now_s () - begun;
    }
  (void) close (fd);
  qsort (times, (size_t) count, sizeof times[0], compare);
  return times[count / 2] * 1e6;
}

static double
measure_connections (double seconds)
{
  double begun = now_s (), count = 0;

  while (now_s () - begun < seconds)
    {
      int fd = dial ("e");

      if (write (fd, "x", 1) != 1 || read (fd, buffer, 1) != 1)
        exit (1);
      (void) close (fd);
      count++;
    }
  return count / (now_s () - begun);
}

int
main (int argc, char **argv)
{
  double seconds;

  if (argc != 4 || inet_pton (AF_INET, argv[1], &server.sin_addr) != 1)
    {
      fputs ("net-client ADDRESS PORT SECONDS\n", stderr);
      return 2;
    }
  server.sin_port = htons ((unsigned short) atoi (argv[2]));
  seconds = atof (argv[3]);
  printf ("%.1f", measure_send (seconds));
  printf (" %.1f", measure_receive (seconds));
  printf (" %.1f", measure_round_trip (seconds));
  printf (" %.1f\n", measure_connections (seconds));
  return 0;
}
