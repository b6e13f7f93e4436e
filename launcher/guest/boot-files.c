/* SPDX-License-Identifier: Apache-2.0 */
#include "boot-files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "access.h"

/* The kernel cuts at 2048, a NUL among them. */
#define CMDLINE_MAX_BYTES 2047
#define TREE_MAX_BYTES 4096
/* The first disk, in every guest: domain-xml.h. */
#define ROOT_DISK "/dev/vda"
#define REBUILD_HINT "install the guest images anew; in a build tree: remove it and make images"
/* A copy this young may be one that a start has just made and not yet used. */
#define SWEEP_AGE_S 600
/* It boots a kernel directly in a fraction of SeaBIOS's time and is far less code. */
#define QBOOT "/usr/share/qemu/qboot.rom"

/* In the directory of images, but for the firmware. */
static const char *const names[] = { "vmlinuz",     "initramfs.cpio", "initramfs-network.cpio",
                                     "guest.erofs", "unpack.erofs",   "tuned/vmlinuz",
                                     QBOOT };

gboolean
dn_boot_files_is_refused (const char *path)
{
  static const char *const refused[] = { "/usr/", "/lib", "/bin/", "/sbin/", "/etc/" };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_has_prefix (path, refused[i]))
      return TRUE;
  return FALSE;
}

static char *
source_path (const char *name)
{
  return g_path_is_absolute (name) ? g_strdup (name)
                                   : g_build_filename (dn_paths ()->images, name, NULL);
}

void
dn_boot_files_clear (DnBootFiles *files)
{
  g_clear_pointer (&files->kernel, g_free);
  g_clear_pointer (&files->initrd, g_free);
  g_clear_pointer (&files->root, g_free);
  g_clear_pointer (&files->cmdline, g_free);
  g_clear_pointer (&files->firmware, g_free);
}

/* A flat name: "tuned/vmlinuz" becomes "tuned-vmlinuz"; of a whole path its last part. */
static char *
copy_name (const char *name, const struct stat *status)
{
  g_autofree char *flat = g_path_is_absolute (name) ? g_path_get_basename (name)
                                                    : g_strdelimit (g_strdup (name), "/", '-');

  return g_strdup_printf ("%s.%" G_GINT64_FORMAT ".%ld.%" G_GUINT64_FORMAT ".%" G_GINT64_FORMAT,
                          flat, (gint64) status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                          (guint64) status->st_ino, (gint64) status->st_size);
}

/* Copies what is in @from; the kernel shares the blocks where the file system can. */
static gboolean
copy_bytes (int from, int to, gint64 size)
{
  while (size > 0)
    {
      ssize_t n = copy_file_range (from, NULL, to, NULL, (gsize) size, 0);

      if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
        {
          char buffer[65536];

          n = read (from, buffer, sizeof buffer);
          if (n > 0 && write (to, buffer, (gsize) n) != n)
            return FALSE;
        }
      if (n <= 0)
        return FALSE;
      size -= n;
    }
  return TRUE;
}

static gboolean
copy_file (const char *source, const char *target, gint64 size, GError **error)
{
  g_autofree char *temporary = g_strconcat (target, ".XXXXXX", NULL);
  dn_autofd int from = open (source, O_RDONLY | O_CLOEXEC);
  dn_autofd int to = from >= 0 ? g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600) : -1;

  if (from < 0 || to < 0 || !copy_bytes (from, to, size) || fchmod (to, 0444) < 0 || fsync (to) < 0
      || g_rename (temporary, target) < 0)
    {
      dn_throw_errno (error, "copy of '%s' to '%s'", source, target);
      if (to >= 0)
        (void) g_unlink (temporary);
      return FALSE;
    }
  return TRUE;
}

static char *
copies_directory (void)
{
  return g_build_filename (dn_paths ()->state, "boot", NULL);
}

/* A path of @name's content that every uid can read, and no security module refuses. */
static char *
publish (const char *name, GError **error)
{
  g_autofree char *source = source_path (name);
  g_autofree char *barrier = dn_access_find_barrier (source);
  g_autofree char *directory = copies_directory ();
  g_autofree char *file = NULL;
  g_autofree char *target = NULL;
  g_autofree char *second = NULL;
  struct stat status;

  if (stat (source, &status) < 0)
    {
      dn_throw (error, DN_ERROR_CONFIG, "guest image '%s': %s\nin a build tree: make %s", source,
                g_strerror (errno), strchr (name, '/') != NULL ? "kernel" : "images");
      return NULL;
    }
  if (barrier == NULL && !dn_boot_files_is_refused (source))
    return g_steal_pointer (&source);
  if (g_mkdir_with_parents (directory, 0711) < 0)
    {
      dn_throw_errno (error, "directory '%s'", directory);
      return NULL;
    }
  file = copy_name (name, &status);
  target = g_build_filename (directory, file, NULL);
  if (access (target, F_OK) != 0 && !copy_file (source, target, status.st_size, error))
    return NULL;
  if ((second = dn_access_find_barrier (target)) != NULL)
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "guest image '%s': guests' own uids cannot get past '%s'\nchmod o+x '%s'", target,
                second, second);
      return NULL;
    }
  return g_steal_pointer (&target);
}

/* A kernel's command line: one line of text beside it. */
static char *
read_cmdline (const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->images, name, NULL);
  g_autofree char *cmdline = NULL;

  if (!g_file_get_contents (path, &cmdline, NULL, NULL))
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "kernel command line '%s': cannot be read\nin a build tree: make images", path);
      return NULL;
    }
  g_strstrip (cmdline);
  return g_steal_pointer (&cmdline);
}

/* "guest" or "unpack": the name before the dot of what belongs to a root. */
static char *
root_name (DnGuestKind kind, const char *suffix)
{
  return g_strconcat (kind == DN_GUEST_KIND_UNPACK ? "unpack" : "guest", suffix, NULL);
}

static gboolean
read_tree (DnGuestKind kind, DnHashTree *ret_tree, GError **error)
{
  g_autofree char *name = root_name (kind, ".verity");
  g_autofree char *path = g_build_filename (dn_paths ()->images, name, NULL);
  g_autofree char *text = NULL;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, NULL))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "hash of the guest's root '%s': cannot be read\nin a build tree: make images",
                     path);
  if (!dn_hash_tree_parse (text, MIN (size, TREE_MAX_BYTES), path, ret_tree, error))
    {
      g_prefix_error (error, "hash of the guest's root: ");
      return FALSE;
    }
  return TRUE;
}

/* That the tree is the root's is the guest's to find out; whether it can be is seen at once. */
static gboolean
find_root (DnGuestKind kind, DnBootFiles *files, GError **error)
{
  g_autofree char *name = root_name (kind, ".erofs");
  struct stat status;

  if (!read_tree (kind, &files->tree, error) || (files->root = publish (name, error)) == NULL)
    return FALSE;
  if (stat (files->root, &status) < 0)
    return dn_throw_errno (error, "guest image '%s'", files->root);
  if ((guint64) status.st_size != dn_hash_tree_file_bytes (&files->tree))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "guest image '%s': it has %" G_GINT64_FORMAT
                     " bytes, but its hash tree is that of %" G_GUINT64_FORMAT "\n" REBUILD_HINT,
                     files->root, (gint64) status.st_size, dn_hash_tree_file_bytes (&files->tree));
  return TRUE;
}

static gboolean
add_root_words (DnBootFiles *files, GError **error)
{
  g_autofree char *words = dn_hash_tree_to_words (&files->tree, ROOT_DISK);
  g_autofree char *cmdline = g_steal_pointer (&files->cmdline);

  files->cmdline = g_strdup_printf ("%s %s", cmdline, words);
  if (strlen (files->cmdline) > CMDLINE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_CONFIG, "kernel command line: over %d bytes with the root's",
                     CMDLINE_MAX_BYTES);
  return TRUE;
}

static gboolean
find_kernel (DnKernel kernel, gboolean has_network, DnBootFiles *files, GError **error)
{
  const char *initrd = has_network ? "initramfs-network.cpio" : "initramfs.cpio";

  switch (kernel)
    {
    case DN_KERNEL_DEBIAN:
      return (files->kernel = publish ("vmlinuz", error)) != NULL
             && (files->initrd = publish (initrd, error)) != NULL
             && (files->cmdline = read_cmdline ("cmdline", error)) != NULL;
    case DN_KERNEL_TUNED:
      return (files->kernel = publish ("tuned/vmlinuz", error)) != NULL
             && (files->cmdline = read_cmdline ("tuned/cmdline", error)) != NULL;
    }
  g_assert_not_reached ();
}

gboolean
dn_boot_files_find (DnGuestKind kind, DnKernel kernel, gboolean has_network, DnBootFiles *ret_files,
                    GError **error)
{
  g_auto (DnBootFiles) files = { 0 };

  if (!find_kernel (kernel, has_network, &files, error) || !find_root (kind, &files, error)
      || !add_root_words (&files, error))
    return FALSE;
  if (access (QBOOT, R_OK) == 0 && (files.firmware = publish (QBOOT, error)) == NULL)
    return FALSE;
  *ret_files = files;
  files = (DnBootFiles){ 0 };
  return TRUE;
}

char *
dn_boot_files_root_hash (const DnBootFiles *files)
{
  return g_strdup_printf (DN_HASH_TREE_ALGORITHM " %s", files->tree.root_hash);
}

static char *
find_damage (const char *root, const DnHashTree *tree)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *copies = copies_directory ();
  g_autofree char *bytes = NULL;
  gint64 block;
  gsize size;

  if (!g_file_get_contents (root, &bytes, &size, &error))
    return g_strdup (error->message);
  block = dn_hash_tree_find_damage (tree, (const guint8 *) bytes, size);
  if (block < 0)
    return NULL;
  return g_strdup_printf (
      "the guest's root '%s' is damaged: block %" G_GINT64_FORMAT
      " is not as its hash tree promises\n%s",
      root, block,
      g_str_has_prefix (root, copies) ? "it is a copy that danchid made: remove it" : REBUILD_HINT);
}

char *
dn_boot_files_find_damage (const DnBootFiles *files)
{
  return files->root != NULL ? find_damage (files->root, &files->tree) : NULL;
}

char *
dn_boot_files_find_damage_of (DnGuestKind kind)
{
  g_autofree char *name = root_name (kind, ".erofs");
  g_autofree char *root = g_build_filename (dn_paths ()->images, name, NULL);
  g_autoptr (GError) error = NULL;
  DnHashTree tree;

  if (access (root, R_OK) < 0)
    return NULL;
  return read_tree (kind, &tree, &error) ? find_damage (root, &tree) : g_strdup (error->message);
}

static gboolean
is_of_today (const char *file)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *source = source_path (names[i]);
      g_autofree char *wanted = NULL;
      struct stat status;

      if (stat (source, &status) < 0)
        continue;
      wanted = copy_name (names[i], &status);
      if (strcmp (wanted, file) == 0)
        return TRUE;
    }
  return FALSE;
}

GPtrArray *
dn_boot_files_sweep (void)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *directory = copies_directory ();
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);
      struct stat status;

      /* A running guest keeps its file: QEMU has it open. */
      if (!is_of_today (name) && lstat (path, &status) == 0 && S_ISREG (status.st_mode)
          && status.st_ctime + SWEEP_AGE_S < g_get_real_time () / G_USEC_PER_SEC
          && g_unlink (path) == 0)
        g_ptr_array_add (removed, g_strdup_printf ("guest image copy '%s'", path));
    }
  return g_steal_pointer (&removed);
}
