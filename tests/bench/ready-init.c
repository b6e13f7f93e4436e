/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of the benchmarks: process 1 of a guest that does nothing but say "ready".
 *
 *   danchi.bench=ready   writes the line to the console and switches the guest off
 *   danchi.bench=pump    loads the drivers of /modules/order, and writes DN_PUMP_BYTES to the first
 *                        virtio-serial port: the raw transport, with nothing of ours in between
 *
 * It takes the place of init in the very initramfs that guests boot.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DN_PUMP_BYTES (256L * 1024 * 1024)
#define DN_PUMP_PIECE 65536

static void
say (const char *text)
{
  int console = open ("/dev/console", O_WRONLY);

  if (console >= 0)
    (void) !write (console, text, strlen (text));
}

static void
load_modules (void)
{
  FILE *order = fopen ("/modules/order", "r");
  char line[512], path[600], name[256];

  while (order != NULL && fgets (line, sizeof line, order) != NULL)
    {
      int file;

      /* After the name the PCI ids of the device that needs it may follow: load it anyway. */
      if (sscanf (line, "%255s", name) != 1)
        continue;
      (void) snprintf (path, sizeof path, "/modules/%s", name);
      file = open (path, O_RDONLY | O_CLOEXEC);
      if (file >= 0)
        {
          (void) syscall (SYS_finit_module, file, "", 0);
          (void) close (file);
        }
    }
  if (order != NULL)
    (void) fclose (order);
}

static void
pump (void)
{
  static char piece[DN_PUMP_PIECE];
  char name[32];
  int port = -1;
  long left = DN_PUMP_BYTES;

  load_modules ();
  for (int i = 0; i < 200 && port < 0; i++)
    {
      /* The first number is that of the virtio device: whichever it became. */
      for (int device = 0; device < 8 && port < 0; device++)
        {
          (void) snprintf (name, sizeof name, "/dev/vport%dp1", device);
          port = open (name, O_WRONLY);
        }
      if (port < 0)
        (void) usleep (10000);
    }
  say (port >= 0 ? "ready\n" : "no port\n");
  while (port >= 0 && left > 0)
    {
      ssize_t written = write (port, piece, sizeof piece);

      if (written < 0)
        break;
      left -= written;
    }
}

int
main (void)
{
  char line[4096] = "";
  int file;

  (void) mount ("dev", "/dev", "devtmpfs", 0, NULL);
  (void) mkdir ("/proc", 0755);
  (void) mount ("proc", "/proc", "proc", 0, NULL);
  file = open ("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  if (file >= 0)
    (void) !read (file, line, sizeof line - 1);
  if (strstr (line, "danchi.bench=pump") != NULL)
    pump ();
  else
    say ("ready\n");
  (void) reboot (RB_POWER_OFF);
  for (;;)
    (void) pause ();
}
