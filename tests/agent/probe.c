/* SPDX-License-Identifier: Apache-2.0 */
/* The program in the test containers: static, its sub-commands are what the tests look at. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int
print_file (const char *path)
{
  char bytes[65536];
  int fd = open (path, O_RDONLY);
  ssize_t n;

  if (fd < 0)
    {
      printf ("%s: %s\n", path, strerror (errno));
      return 1;
    }
  while ((n = read (fd, bytes, sizeof bytes)) > 0)
    fwrite (bytes, 1, (size_t) n, stdout);
  close (fd);
  return n < 0;
}

static int
echo (void)
{
  static char bytes[65536];
  ssize_t n;

  while ((n = read (0, bytes, sizeof bytes)) > 0)
    for (ssize_t done = 0; done < n;)
      {
        ssize_t w = write (1, bytes + done, (size_t) (n - done));

        if (w < 0)
          return 1;
        done += w;
      }
  return 0;
}

/* A file's content, a directory's names, or why not; its device and owner. */
static int
look_at (const char *path)
{
  struct stat status;
  struct dirent **entries;
  int count;

  if (lstat (path, &status) < 0)
    return printf ("%s: %s\n", path, strerror (errno));
  printf ("%s %u:%u ", path, (unsigned) status.st_uid, (unsigned) status.st_mode & 07777);
  if (!S_ISDIR (status.st_mode))
    return print_file (path);
  count = scandir (path, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++)
    if (entries[i]->d_name[0] != '.')
      printf ("%s ", entries[i]->d_name);
  return printf ("\n");
}

/* Writes N bytes of a pattern that a reader can check. */
static int
flood (unsigned long long count)
{
  static uint8_t bytes[65536];
  unsigned long long at = 0;

  while (at < count)
    {
      size_t n = count - at < sizeof bytes ? (size_t) (count - at) : sizeof bytes;

      for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t) ((at + i) % 251);
      if (write (1, bytes, n) != (ssize_t) n)
        return 1;
      at += n;
    }
  return 0;
}

static int
list_fds (void)
{
  DIR *directory = opendir ("/proc/self/fd");
  struct dirent *entry;

  while (directory != NULL && (entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.' && atoi (entry->d_name) != dirfd (directory))
      printf ("fd %s\n", entry->d_name);
  return directory == NULL;
}

static int
list_processes (void)
{
  DIR *directory = opendir ("/proc");
  struct dirent *entry;

  while (directory != NULL && (entry = readdir (directory)) != NULL)
    if (atoi (entry->d_name) > 0)
      printf ("pid %s\n", entry->d_name);
  return directory == NULL;
}

static int
try_write (const char *path)
{
  int fd = open (path, O_WRONLY | O_CREAT, 0644);

  printf ("%s: %s\n", path, fd >= 0 && write (fd, "x", 1) == 1 ? "written" : strerror (errno));
  return 0;
}

static int
show_terminal (void)
{
  struct winsize size;

  if (ioctl (0, TIOCGWINSZ, &size) < 0 || !isatty (0) || !isatty (2))
    return 1;
  printf ("%d %d\n", size.ws_row, size.ws_col);
  fflush (stdout);
  return 0;
}

/* A thread unlike its process's others: another id, and a table of descriptors of its own, with one
 * that leads out of the container's mounts. */
static void *
be_another (void *data)
{
  (void) data;
  if (unshare (CLONE_FILES) < 0 || open ("/tmp", O_RDONLY | O_DIRECTORY) < 0
      || umount2 ("/tmp", MNT_DETACH) < 0)
    printf ("%s\n", strerror (errno));
  /* The system call: the library's function would have all threads follow. */
  else if (syscall (SYS_setresuid, 7, 7, 7) < 0)
    printf ("%s\n", strerror (errno));
  else
    printf ("ready\n");
  fflush (stdout);
  while (pause () < 0)
    continue;
  return NULL;
}

/* A process whose main thread has ended and which goes on, beside one that is as it should be. */
static int
leave_a_thread (void)
{
  pthread_t thread;

  if (fork () > 0)
    for (;;)
      pause ();
  if (pthread_create (&thread, NULL, be_another, NULL) != 0)
    return 1;
  pthread_exit (NULL);
}

/* Reads a file again and again until it begins with @last: each time all of it must be one letter,
 * as often as the first time. */
static int
read_whole (const char *path, char last)
{
  static char bytes[262144];
  size_t first_size = 0;
  int changes = 0;
  char before = 0;

  do
    {
      int fd = open (path, O_RDONLY);
      size_t size = 0;
      ssize_t n;

      while ((n = read (fd, bytes + size, 5000)) > 0)
        size += (size_t) n;
      if (fd < 0 || n < 0 || size == 0 || (first_size != 0 && size != first_size)
          || memcmp (bytes, bytes + 1, size - 1) != 0)
        {
          printf ("%zu bytes of '%c', then something else\n", size, bytes[0]);
          return 1;
        }
      first_size = size;
      changes += bytes[0] != before;
      before = bytes[0];
      close (fd);
    }
  while (before != last);
  printf ("%d contents seen\n", changes);
  return 0;
}

/* Sends SIGSYS to all others, again and again. */
_Noreturn static void
storm (void)
{
  pid_t child = fork ();

  if (child > 0)
    {
      printf ("ready\n");
      fflush (stdout);
      for (;;)
        pause ();
    }
  (void) signal (SIGSYS, SIG_IGN);
  for (;;)
    (void) kill (-1, SIGSYS);
}

static int
listen_on (int family, int type, const void *address, socklen_t size)
{
  int fd = socket (family, type, 0);

  if (fd < 0 || bind (fd, address, size) < 0 || (type == SOCK_STREAM && listen (fd, 1) < 0))
    {
      printf ("%s\n", strerror (errno));
      exit (1);
    }
  return fd;
}

/* Listens on one socket of each kind; with @more, on so many further ports of TCP.  What must not
 * be told: a connection, a UDP socket with a peer, a unix socket without listeners. */
static int
listen_everywhere (int more)
{
  const struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons (8080) };
  const struct sockaddr_in local = { .sin_family = AF_INET,
                                     .sin_port = htons (5353),
                                     .sin_addr = { htonl (INADDR_LOOPBACK) } };
  const struct sockaddr_in peer = { .sin_family = AF_INET,
                                    .sin_port = htons (5354),
                                    .sin_addr = { htonl (INADDR_LOOPBACK) } };
  const struct sockaddr_in6 six
      = { .sin6_family = AF_INET6, .sin6_port = htons (8081), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  const struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0a name\033" };
  const struct sockaddr_in server = { .sin_family = AF_INET,
                                      .sin_port = htons (8080),
                                      .sin_addr = { htonl (INADDR_LOOPBACK) } };
  int connected;
  int pair[2];

  (void) listen_on (AF_INET, SOCK_STREAM, &all, sizeof all);
  (void) listen_on (AF_INET, SOCK_DGRAM, &local, sizeof local);
  connected = listen_on (AF_INET, SOCK_DGRAM, &peer, sizeof peer);
  if (connect (connected, (const struct sockaddr *) &local, sizeof local) < 0
      || socketpair (AF_UNIX, SOCK_STREAM, 0, pair) < 0)
    return 1;
  (void) listen_on (AF_INET6, SOCK_STREAM, &six, sizeof six);
  (void) listen_on (AF_UNIX, SOCK_STREAM, &abstract,
                    offsetof (struct sockaddr_un, sun_path) + sizeof "\0a name\033" - 1);
  connected = socket (AF_INET, SOCK_STREAM, 0);
  if (connect (connected, (const struct sockaddr *) &server, sizeof server) < 0)
    return 1;
  for (int i = 0; i < more; i++)
    {
      const struct sockaddr_in next
          = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) (10000 + i)) };

      (void) listen_on (AF_INET, SOCK_STREAM, &next, sizeof next);
    }
  printf ("ready\n");
  fflush (stdout);
  for (;;)
    pause ();
}

/* An address of either family, as text. */
static socklen_t
read_address (const char *text, const char *port, struct sockaddr_storage *ret_address)
{
  struct sockaddr_in *ipv4 = (struct sockaddr_in *) ret_address;
  struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *) ret_address;

  memset (ret_address, 0, sizeof *ret_address);
  if (inet_pton (AF_INET, text, &ipv4->sin_addr) == 1)
    {
      ipv4->sin_family = AF_INET;
      ipv4->sin_port = htons ((uint16_t) atoi (port));
      return sizeof *ipv4;
    }
  if (inet_pton (AF_INET6, text, &ipv6->sin6_addr) != 1)
    return 0;
  ipv6->sin6_family = AF_INET6;
  ipv6->sin6_port = htons ((uint16_t) atoi (port));
  return sizeof *ipv6;
}

/* Answers everybody on @port, with both protocols and families, for ever. */
static int
serve (const char *port)
{
  struct sockaddr_storage address;
  const socklen_t size = read_address ("::", port, &address);
  const int tcp = socket (AF_INET6, SOCK_STREAM, 0);
  const int udp = socket (AF_INET6, SOCK_DGRAM, 0);
  struct pollfd polled[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };
  char bytes[64];

  if (bind (tcp, (struct sockaddr *) &address, size) < 0 || listen (tcp, 8) < 0
      || bind (udp, (struct sockaddr *) &address, size) < 0)
    return printf ("cannot serve: %s\n", strerror (errno));
  printf ("serving\n");
  fflush (stdout);
  while (poll (polled, 2, -1) > 0)
    {
      struct sockaddr_storage from;
      socklen_t from_size = sizeof from;

      if ((polled[0].revents & POLLIN) != 0)
        {
          const int fd = accept (tcp, NULL, NULL);

          (void) !write (fd, "hello\n", 6);
          (void) close (fd);
        }
      if ((polled[1].revents & POLLIN) != 0
          && recvfrom (udp, bytes, sizeof bytes, 0, (struct sockaddr *) &from, &from_size) >= 0)
        (void) sendto (udp, "hello\n", 6, 0, (struct sockaddr *) &from, from_size);
    }
  return 1;
}

/* Whether somebody answers there; waits for a second. */
static const char *
reach (const char *protocol, const char *text, const char *port)
{
  struct sockaddr_storage address;
  const socklen_t size = read_address (text, port, &address);
  const int fd
      = socket (address.ss_family, strcmp (protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
  const struct timeval patience = { .tv_sec = 1 };
  char bytes[8];

  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect (fd, (struct sockaddr *) &address, size) < 0)
    return errno == EINPROGRESS ? "no answer" : strerror (errno);
  if (strcmp (protocol, "udp") == 0 && write (fd, "hello", 5) < 0)
    return strerror (errno);
  if (read (fd, bytes, sizeof bytes) < 0)
    return errno == EAGAIN ? "no answer" : strerror (errno);
  return "reached";
}

/* As ping(8), without a right. */
static const char *
ask_echo (const char *text)
{
  struct sockaddr_storage address;
  const socklen_t size = read_address (text, "0", &address);
  const bool is_ipv4 = address.ss_family == AF_INET;
  const int fd = socket (address.ss_family, SOCK_DGRAM, is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  const struct timeval patience = { .tv_sec = 1 };
  uint8_t bytes[16] = { is_ipv4 ? 8 : 128 };

  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (fd < 0 || sendto (fd, bytes, sizeof bytes, 0, (struct sockaddr *) &address, size) < 0)
    return strerror (errno);
  return recv (fd, bytes, sizeof bytes, 0) > 0 ? "reached" : "no answer";
}

static uint16_t
internet_sum (const uint8_t *bytes, size_t size)
{
  uint32_t sum = 0;

  for (size_t i = 0; i < size; i += 2)
    sum += (uint32_t) bytes[i] << 8 | bytes[i + 1];
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t) ~sum;
}

/* Sends a datagram to port 9 by hand, in a frame from @mac and a packet from @source. */
static int
forge (const char *mac, const char *source, const char *destination)
{
  uint8_t frame[14 + 20 + 8] = { 0x02, 0x64, 0x6e, 0x02, 0x00, 0x01, [12] = 0x08, 0x00, 0x45 };
  struct sockaddr_ll address
      = { .sll_family = AF_PACKET, .sll_ifindex = (int) if_nametoindex ("eth0"), .sll_halen = 6 };
  const int fd = socket (AF_PACKET, SOCK_RAW, 0);
  unsigned parts[6];
  uint16_t sum;

  if (sscanf (mac, "%x:%x:%x:%x:%x:%x", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4],
              &parts[5])
      != 6)
    return 1;
  for (int i = 0; i < 6; i++)
    frame[6 + i] = (uint8_t) parts[i];
  frame[14 + 3] = 28;
  frame[14 + 8] = 64;
  frame[14 + 9] = IPPROTO_UDP;
  (void) inet_pton (AF_INET, source, frame + 14 + 12);
  (void) inet_pton (AF_INET, destination, frame + 14 + 16);
  sum = internet_sum (frame + 14, 20);
  frame[14 + 10] = (uint8_t) (sum >> 8);
  frame[14 + 11] = (uint8_t) sum;
  frame[34 + 1] = frame[34 + 3] = 9;
  frame[34 + 5] = 8;
  return printf ("%s\n",
                 sendto (fd, frame, sizeof frame, 0, (struct sockaddr *) &address, sizeof address)
                         == sizeof frame
                     ? "sent"
                     : strerror (errno));
}

/* Who sends datagrams to port 9, for @ms milliseconds. */
static int
gather (int ms)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (9) };
  struct pollfd polled = { socket (AF_INET, SOCK_DGRAM, 0), POLLIN, 0 };
  char bytes[64], text[INET_ADDRSTRLEN];

  if (bind (polled.fd, (struct sockaddr *) &address, sizeof address) < 0)
    return 1;
  printf ("gathering\n");
  fflush (stdout);
  while (poll (&polled, 1, ms) > 0)
    {
      struct sockaddr_in from;
      socklen_t size = sizeof from;

      if (recvfrom (polled.fd, bytes, sizeof bytes, 0, (struct sockaddr *) &from, &size) >= 0)
        printf ("from %s\n", inet_ntop (AF_INET, &from.sin_addr, text, sizeof text));
      fflush (stdout);
    }
  return 0;
}

/* A new file with that text. */
static int
put_text (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  int r = fd < 0 || write (fd, text, strlen (text)) != (ssize_t) strlen (text);

  if (r != 0)
    printf ("%s: %s\n", path, strerror (errno));
  if (fd >= 0)
    close (fd);
  return r;
}

int
main (int argc, char **argv)
{
  const char *command = argc > 1 ? argv[1] : "";
  const char *argument = argc > 2 ? argv[2] : "";

  if (strcmp (command, "exit") == 0)
    return atoi (argument);
  if (strcmp (command, "say") == 0)
    return printf ("%s\n", argument) < 0;
  if (strcmp (command, "both") == 0)
    return fprintf (stdout, "to stdout\n") < 0 || fprintf (stderr, "to stderr\n") < 0;
  if (strcmp (command, "sleep") == 0)
    for (;;)
      pause ();
  if (strcmp (command, "echo") == 0)
    return echo ();
  if (strcmp (command, "cat") == 0)
    return print_file (argument);
  if (strcmp (command, "look") == 0)
    {
      for (int i = 2; i < argc; i++)
        (void) look_at (argv[i]);
      return 0;
    }
  if (strcmp (command, "whole") == 0)
    return read_whole (argv[2], argv[3][0]);
  if (strcmp (command, "flood") == 0)
    return flood (strtoull (argument, NULL, 10));
  if (strcmp (command, "fds") == 0)
    return list_fds ();
  if (strcmp (command, "processes") == 0)
    return list_processes ();
  if (strcmp (command, "write") == 0)
    return try_write (argument);
  if (strcmp (command, "put") == 0 && argc == 4)
    return put_text (argument, argv[3]);
  if (strcmp (command, "env") == 0)
    return printf ("%s\n", getenv (argument) != NULL ? getenv (argument) : "(none)") < 0;
  if (strcmp (command, "ids") == 0)
    return printf ("%d %d\n", (int) getuid (), (int) getgid ()) < 0;
  if (strcmp (command, "unshare") == 0)
    return printf ("%s\n", unshare (CLONE_NEWUSER) < 0 ? strerror (errno) : "unshared") < 0;
  if (strcmp (command, "terminal") == 0)
    return show_terminal ();
  if (strcmp (command, "fork-and-leave") == 0)
    {
      /* A grandchild that keeps the pipes open. */
      printf ("left\n");
      fflush (stdout);
      if (fork () == 0)
        for (;;)
          pause ();
      return 0;
    }
  if (strcmp (command, "leave-a-thread") == 0)
    return leave_a_thread ();
  if (strcmp (command, "listen") == 0)
    return listen_everywhere (atoi (argument));
  if (strcmp (command, "serve") == 0)
    return serve (argument);
  if (strcmp (command, "reach") == 0 && argc == 5)
    return printf ("%s\n", reach (argument, argv[3], argv[4])) < 0;
  if (strcmp (command, "ask-echo") == 0)
    return printf ("%s\n", ask_echo (argument)) < 0;
  if (strcmp (command, "forge") == 0 && argc == 5)
    return forge (argument, argv[3], argv[4]) < 0;
  if (strcmp (command, "gather") == 0)
    return gather (atoi (argument));
  if (strcmp (command, "storm") == 0)
    storm ();
  if (strcmp (command, "hog") == 0)
    for (;;)
      {
        void *bytes = malloc (1 << 20);

        if (bytes == NULL)
          return 1;
        memset (bytes, 1, 1 << 20);
      }
  return 99;
}
