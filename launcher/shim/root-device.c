/* SPDX-License-Identifier: Apache-2.0 */
#include "root-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CONTROL "/dev/loop-control"
#define DEVICES "/sys/block"
/* Another program may take the number that was free a moment ago. */
#define TRIES 64
#define MARK_DIGITS 48

static gboolean
has_option (const DnRootMount *mount, const char *option)
{
  for (gsize i = 0; i < mount->option_count; i++)
    if (g_str_equal (mount->options[i], option))
      return TRUE;
  return FALSE;
}

gboolean
dn_root_device_is (const DnRootMount *mounts, gsize count)
{
  struct stat status;

  if (count != 1 || !g_str_equal (mounts->type, "ext4") || mounts->target[0] != '\0'
      || stat (mounts->source, &status) < 0)
    return FALSE;
  return S_ISBLK (status.st_mode) || (S_ISREG (status.st_mode) && has_option (mounts, "loop"));
}

/* A number of its own for each pod, as ids may be longer than the name is. (transfer full) */
static char *
make_mark (const char *name_space, const char *pod)
{
  g_autofree char *whole = g_strconcat (name_space, "/", pod, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, whole, -1);

  return g_strdup_printf ("danchi %.*s", MARK_DIGITS, hash);
}

/* Binds @file to the free device @path.  Returns: a descriptor of it; -1 with errno */
static int
configure (const char *path, int file, const char *mark, gboolean is_readonly)
{
  dn_autofd int device = open (path, (is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  /* Past the host's page cache where the file's own file system can: QEMU fills it once already. */
  struct loop_config config
      = { .fd = (guint32) file,
          .info.lo_flags = LO_FLAGS_DIRECT_IO | (is_readonly ? LO_FLAGS_READ_ONLY : 0) };

  g_strlcpy ((char *) config.info.lo_file_name, mark, sizeof config.info.lo_file_name);
  if (device < 0 || ioctl (device, LOOP_CONFIGURE, &config) < 0)
    return -1;
  return g_steal_fd (&device);
}

static gboolean
make_loop (const DnRootMount *mount, const char *mark, DnRootDevice *device, GError **error)
{
  dn_autofd int control = open (CONTROL, O_RDWR | O_CLOEXEC);
  dn_autofd int file
      = open (mount->source, (device->is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);

  if (file < 0)
    return dn_throw_errno (error, "root '%s'", mount->source);
  for (guint i = 0; i < TRIES && control >= 0; i++)
    {
      int number = ioctl (control, LOOP_CTL_GET_FREE);
      g_autofree char *path = g_strdup_printf ("/dev/loop%d", number);
      dn_autofd int fd = number < 0 ? -1 : configure (path, file, mark, device->is_readonly);

      if (fd >= 0)
        {
          device->path = g_steal_pointer (&path);
          device->is_loop = TRUE;
          return TRUE;
        }
      if (errno != EBUSY)
        break;
    }
  return dn_throw_errno (error, "root '%s': a loop device for it", mount->source);
}

static gboolean
find_device (const DnRootMount *mount, DnRootDevice *device, GError **error)
{
  device->path = realpath (mount->source, NULL);
  return device->path != NULL || dn_throw_errno (error, "root '%s'", mount->source);
}

gboolean
dn_root_device_open (const DnRootMount *mount, const char *name_space, const char *pod,
                     DnRootDevice *ret_device, GError **error)
{
  g_autofree char *mark = make_mark (name_space, pod);
  DnRootDevice device = { .is_readonly = has_option (mount, "ro"), .fd = -1 };
  struct stat status;

  *ret_device = DN_ROOT_DEVICE_NONE;
  if (stat (mount->source, &status) < 0)
    return dn_throw_errno (error, "root '%s'", mount->source);
  if (!(S_ISBLK (status.st_mode) ? find_device (mount, &device, error)
                                 : make_loop (mount, mark, &device, error)))
    return FALSE;
  device.fd = open (device.path, O_RDONLY | O_EXCL | O_CLOEXEC);
  if (device.fd >= 0)
    {
      *ret_device = device;
      return TRUE;
    }
  if (errno == EBUSY)
    dn_throw (error, DN_ERROR_FAILED,
              "root '%s': device '%s' is mounted, or otherwise in use, on this host", mount->source,
              device.path);
  else
    dn_throw_errno (error, "root '%s': device '%s'", mount->source, device.path);
  dn_root_device_close (&device);
  return FALSE;
}

/* With whoever has it open still; then it goes with the last of these. */
static void
clear_loop (const char *path)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0 || ioctl (fd, LOOP_CLR_FD, 0) < 0)
    g_warning ("loop device '%s': %s", path, g_strerror (errno));
}

void
dn_root_device_close (DnRootDevice *device)
{
  if (device->is_loop)
    clear_loop (device->path);
  if (device->fd >= 0)
    (void) close (device->fd);
  g_free (device->path);
  *device = DN_ROOT_DEVICE_NONE;
}

static gboolean
has_mark (const char *path, const char *mark)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  struct loop_info64 info;

  return fd >= 0 && ioctl (fd, LOOP_GET_STATUS64, &info) == 0
         && strncmp ((const char *) info.lo_file_name, mark, sizeof info.lo_file_name) == 0;
}

void
dn_root_device_sweep (const char *name_space, const char *pod)
{
  g_autofree char *mark = make_mark (name_space, pod);
  g_autoptr (GDir) devices = g_dir_open (DEVICES, 0, NULL);
  const char *name;

  while (devices != NULL && (name = g_dir_read_name (devices)) != NULL)
    {
      g_autofree char *backing = g_build_filename (DEVICES, name, "loop", NULL);
      g_autofree char *path = g_strdup_printf ("/dev/%s", name);

      /* It is there for those that are bound to a file. */
      if (g_file_test (backing, G_FILE_TEST_EXISTS) && has_mark (path, mark))
        clear_loop (path);
    }
}
