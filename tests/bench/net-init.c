/* SPDX-License-Identifier: Apache-2.0 */
/* Process 1 of the bench's bare guest with a network card: no Danchi, no container, no rules.
 *
 * It loads the drivers of /modules/order, gives the first card 10.0.2.15/24 and a way out by
 * 10.0.2.2 (as QEMU's user network has them), and starts net-server; where the kernel's command
 * line has danchi.client=ADDRESS,PORT,SECONDS, net-client, whose line is on the console. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CARD "eth0"

static void
say (const char *text)
{
  (void) !write (STDOUT_FILENO, text, strlen (text));
}

static void
load_modules (void)
{
  FILE *order = fopen ("/modules/order", "r");
  char line[512], path[600], name[256];

  while (order != NULL && fgets (line, sizeof line, order) != NULL)
    {
      int file;

      if (sscanf (line, "%255s", name) != 1)
        continue;
      (void) snprintf (path, sizeof path, "/modules/%s", name);
      file = open (path, O_RDONLY | O_CLOEXEC);
      if (file >= 0)
        (void) syscall (SYS_finit_module, file, "", 0);
      (void) close (file);
    }
  if (order != NULL)
    (void) fclose (order);
}

static void
set_address (struct sockaddr *ret, const char *text)
{
  struct sockaddr_in *address = (struct sockaddr_in *) ret;

  address->sin_family = AF_INET;
  (void) inet_pton (AF_INET, text, &address->sin_addr);
}

static int
bring_up (int fd, const char *name, const char *address, const char *mask)
{
  struct ifreq wish = { 0 };

  (void) strcpy (wish.ifr_name, name);
  set_address (&wish.ifr_addr, address);
  if (ioctl (fd, SIOCSIFADDR, &wish) < 0)
    return -1;
  set_address (&wish.ifr_netmask, mask);
  if (ioctl (fd, SIOCSIFNETMASK, &wish) < 0)
    return -1;
  wish.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl (fd, SIOCSIFFLAGS, &wish);
}

static int
set_network (void)
{
  struct rtentry way = { .rt_flags = RTF_UP | RTF_GATEWAY };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  (void) bring_up (fd, "lo", "127.0.0.1", "255.0.0.0");
  for (int i = 0; bring_up (fd, CARD, "10.0.2.15", "255.255.255.0") < 0; i++)
    if (i == 500)
      return -1;
    else
      (void) usleep (10000);
  set_address (&way.rt_dst, "0.0.0.0");
  set_address (&way.rt_genmask, "0.0.0.0");
  set_address (&way.rt_gateway, "10.0.2.2");
  return ioctl (fd, SIOCADDRT, &way);
}

static void
run_client (char *wish)
{
  char address[64], port[16], seconds[16];

  if (sscanf (wish, "danchi.client=%63[^,],%15[^,],%15[0-9.]", address, port, seconds) != 3)
    return;
  if (fork () == 0)
    {
      (void) execl ("/net-client", "net-client", address, port, seconds, NULL);
      _exit (1);
    }
  (void) wait (NULL);
  say ("end\n");
}

int
main (void)
{
  char line[4096] = "", *wish;
  int file, console;

  (void) mount ("dev", "/dev", "devtmpfs", 0, NULL);
  console = open ("/dev/console", O_RDWR);
  (void) dup2 (console, STDOUT_FILENO);
  (void) dup2 (console, STDERR_FILENO);
  (void) mkdir ("/proc", 0755);
  (void) mount ("proc", "/proc", "proc", 0, NULL);
  file = open ("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  if (file >= 0)
    (void) !read (file, line, sizeof line - 1);
  load_modules ();
  if (set_network () < 0)
    say ("no network\n");
  wish = strstr (line, "danchi.client=");
  if (wish != NULL)
    run_client (wish);
  else if (fork () == 0)
    {
      (void) execl ("/net-server", "net-server", "9000", NULL);
      _exit (1);
    }
  say ("ready\n");
  for (;;)
    (void) pause ();
}
