/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROOT "root"
#define NAME_BYTES 32
/* The kernel takes one page. */
#define OPTIONS_BYTES 4096
#define ATTRIBUTE_BYTES 65536

static bool
make_directory (int scratch, const char *name, DnFailure *failure)
{
  return mkdirat (scratch, name, 0755) == 0 || errno == EEXIST
         || dn_fail_errno (failure, "cannot make a directory for the layers");
}

static void
name_part (const char *kind, size_t number, char ret_name[NAME_BYTES])
{
  (void) snprintf (ret_name, NAME_BYTES, "%s/%zu", kind, number);
}

static int
open_part (int scratch, const char *kind, size_t number)
{
  char name[NAME_BYTES];

  name_part (kind, number, name);
  return openat (scratch, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Names in the scratch directory are short, unlike the places where the layers are mounted: the
 * kernel takes one page for all of them. */
static bool
mount_base (const char *directory, size_t number, DnFailure *failure)
{
  char name[NAME_BYTES];

  name_part ("base", number, name);
  if (mkdir (name, 0755) < 0)
    return errno == EEXIST || dn_fail_errno (failure, "cannot make a directory for a layer below");
  return mount (directory, name, NULL, MS_BIND, NULL) == 0
         || dn_fail_errno (failure, "cannot attach layer %zu of the base", number);
}

/* The layers below, and the number of the one to unpack. */
static bool
find_layers (DnOverlay *overlay, DnFailure *failure)
{
  size_t layers = 0;
  int fds[DN_OVERLAY_LAYERS_MAX];
  int fd;

  while (layers + overlay->bases < DN_OVERLAY_LAYERS_MAX
         && (fd = open_part (overlay->scratch, "layer", layers + 1)) >= 0)
    fds[layers++] = fd;
  overlay->number = layers + 1;
  while (layers > 0)
    overlay->lowers[overlay->lowers_count++] = fds[--layers];
  for (size_t i = overlay->bases; i > 0; i--)
    {
      fd = open_part (overlay->scratch, "base", i);
      if (fd < 0)
        return dn_fail_errno (failure, "cannot open a layer below");
      overlay->lowers[overlay->lowers_count++] = fd;
    }
  if (overlay->lowers_count >= DN_OVERLAY_LAYERS_MAX)
    return dn_fail (failure, -EFBIG, "the image has more than %d layers", DN_OVERLAY_LAYERS_MAX);
  return true;
}

/* The merged root is the upper directory's own: what the layer does not say of it, it has from
 * below. */
static bool
copy_root (int from, int to, DnFailure *failure)
{
  static char names[ATTRIBUTE_BYTES];
  static char value[ATTRIBUTE_BYTES];
  struct stat status;
  ssize_t size;

  if (fstat (from, &status) < 0 || fchown (to, status.st_uid, status.st_gid) < 0
      || fchmod (to, status.st_mode & 07777) < 0
      || (size = flistxattr (from, names, sizeof names)) < 0)
    return dn_fail_errno (failure, "cannot copy the root directory");
  for (const char *name = names; name < names + size; name += strlen (name) + 1)
    {
      ssize_t length;

      if (strncmp (name, "user.", 5) != 0)
        continue;
      length = fgetxattr (from, name, value, sizeof value);
      if (length < 0 || fsetxattr (to, name, value, (size_t) length, 0) < 0)
        return dn_fail_errno (failure, "cannot copy the root directory");
    }
  return true;
}

static void
write_options (const DnOverlay *overlay, char ret_options[OPTIONS_BYTES])
{
  size_t layers = overlay->number - 1;
  size_t used;

  used = (size_t) snprintf (ret_options, OPTIONS_BYTES, "lowerdir=");
  for (size_t i = 0; i < overlay->lowers_count; i++)
    {
      bool is_layer = i < layers;

      used += (size_t) snprintf (ret_options + used, OPTIONS_BYTES - used, "%s%s/%zu",
                                 i > 0 ? ":" : "", is_layer ? "layer" : "base",
                                 is_layer ? layers - i : overlay->lowers_count - i);
    }
  /* What overlayfs writes must say all by itself: no file whose bytes are in another layer, no
   * directory that is elsewhere in it.  Nothing needs to reach the disk before its time: a guest
   * that ends has unpacked nothing. */
  (void) snprintf (ret_options + used, OPTIONS_BYTES - used,
                   ",upperdir=layer/%zu,workdir=work/%zu,redirect_dir=off,metacopy=off,index=off,"
                   "xino=off,volatile",
                   overlay->number, overlay->number);
}

static bool
mount_stack (DnOverlay *overlay, DnFailure *failure)
{
  char options[OPTIONS_BYTES];
  char work[NAME_BYTES];

  name_part ("work", overlay->number, work);
  if (!make_directory (overlay->scratch, "work", failure)
      || !make_directory (overlay->scratch, work, failure)
      || !make_directory (overlay->scratch, ROOT, failure)
      || !copy_root (overlay->lowers[0], overlay->upper, failure))
    return false;
  write_options (overlay, options);
  if (mount ("overlay", ROOT, "overlay", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, options)
      < 0)
    return dn_fail_errno (failure, "cannot mount the layers below");
  overlay->is_mounted = true;
  return true;
}

bool
dn_overlay_begin (DnOverlay *overlay, int scratch, const char *const *bases, size_t count,
                  int *ret_root, DnFailure *failure)
{
  char name[NAME_BYTES];

  *overlay = (DnOverlay){ .scratch = scratch, .bases = count, .upper = -1 };
  if (fchdir (scratch) < 0)
    return dn_fail_errno (failure, "cannot enter the scratch directory");
  if (!make_directory (scratch, "base", failure) || !make_directory (scratch, "layer", failure))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!mount_base (bases[i], i + 1, failure))
      return false;
  if (!find_layers (overlay, failure))
    return false;
  name_part ("layer", overlay->number, name);
  if (!make_directory (scratch, name, failure))
    return false;
  overlay->upper = openat (scratch, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (overlay->upper < 0)
    return dn_fail_errno (failure, "cannot open the layer");
  if (overlay->lowers_count > 0 && !mount_stack (overlay, failure))
    return false;
  *ret_root = openat (scratch, overlay->lowers_count > 0 ? ROOT : name,
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return *ret_root >= 0 || dn_fail_errno (failure, "cannot open the root");
}

bool
dn_overlay_unmount (DnOverlay *overlay, DnFailure *failure)
{
  if (!overlay->is_mounted)
    return true;
  if (umount2 (ROOT, UMOUNT_NOFOLLOW) < 0)
    return dn_fail_errno (failure, "cannot take the layers below away");
  overlay->is_mounted = false;
  return true;
}

void
dn_overlay_end (DnOverlay *overlay)
{
  if (overlay->is_mounted)
    (void) umount2 (ROOT, MNT_DETACH);
  for (size_t i = 0; i < overlay->lowers_count; i++)
    (void) close (overlay->lowers[i]);
  if (overlay->upper >= 0)
    (void) close (overlay->upper);
}
