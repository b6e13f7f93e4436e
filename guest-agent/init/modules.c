/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "poweroff.h"

/* Reads the beginning of a file as text.  Returns its length, or -errno. */
static ssize_t
read_text (const char *path, char *ret_text, size_t size)
{
  size_t used = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return -errno;
  while (used < size - 1)
    {
      ssize_t n = read (fd, ret_text + used, size - 1 - used);

      if (n <= 0)
        break;
      used += (size_t) n;
    }
  (void) close (fd);
  ret_text[used] = '\0';
  return (ssize_t) used;
}

/* Whether @word, of @length, is one of the words of the kernel's command line. */
static bool
has_word (const char *cmdline, const char *word, size_t length)
{
  while (*cmdline != '\0')
    {
      size_t size = strcspn (cmdline, " \n");

      if (size == length && strncmp (cmdline, word, length) == 0)
        return true;
      cmdline += size;
      cmdline += strspn (cmdline, " \n");
    }
  return false;
}

bool
dn_modules_is_wanted (const char *ids, const char *pci_devices, const char *cmdline)
{
  ids += strspn (ids, " ");
  if (*ids == '\0')
    return true;

  while (*ids != '\0')
    {
      size_t length = strcspn (ids, " ");
      const char *line = pci_devices;

      if (*ids == '@' && has_word (cmdline, ids + 1, length - 1))
        return true;
      /* A line is "BBDF\tVVVVDDDD\tirq...". */
      while (length == 8 && line != NULL && *line != '\0')
        {
          const char *id = strchr (line, '\t');

          if (id == NULL)
            break;
          if (strncmp (id + 1, ids, length) == 0 && id[1 + length] == '\t')
            return true;
          line = strchr (line, '\n');
          if (line != NULL)
            line++;
        }
      ids += length;
      ids += strspn (ids, " ");
    }
  return false;
}

static void
load_one (const char *name, bool is_wanted)
{
  char path[128];
  char what[160];
  int fd;

  if (snprintf (path, sizeof path, "/modules/%s", name) >= (int) sizeof path)
    dn_poweroff_failed ("a module's name is too long", ENAMETOOLONG);

  if (is_wanted)
    {
      (void) snprintf (what, sizeof what, "load driver '%s'", name);
      fd = open (path, O_RDONLY | O_CLOEXEC);
      if (fd < 0)
        dn_poweroff_failed (what, errno);
      /* EEXIST: the kernel has it already.  ENODEV: an accelerated variant (crc32c-intel) for a
       * processor that this is not; if something needed it, loading that fails next. */
      if (syscall (SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV)
        dn_poweroff_failed (what, errno);
      (void) close (fd);
    }
  (void) unlink (path);
}

void
dn_modules_load_all (void)
{
  static char order[DN_MODULES_LIST_BYTES];
  static char pci_devices[DN_MODULES_PCI_BYTES];
  static char cmdline[DN_MODULES_CMDLINE_BYTES];
  char *saved = NULL;
  ssize_t size;

  size = read_text (DN_MODULES_ORDER, order, sizeof order);
  if (size < 0)
    dn_poweroff_failed ("read '" DN_MODULES_ORDER "'", (int) -size);
  /* A machine without PCI has no such file: then only unconditional drivers are loaded. */
  (void) read_text ("/proc/bus/pci/devices", pci_devices, sizeof pci_devices);

  (void) read_text ("/proc/cmdline", cmdline, sizeof cmdline);

  for (char *line = strtok_r (order, "\n", &saved); line != NULL;
       line = strtok_r (NULL, "\n", &saved))
    {
      char *ids = line + strcspn (line, " ");

      if (*ids == ' ')
        *ids++ = '\0';
      load_one (line, dn_modules_is_wanted (ids, pci_devices, cmdline));
    }
  (void) unlink (DN_MODULES_ORDER);
}
