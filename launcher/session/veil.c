/* SPDX-License-Identifier: Apache-2.0 */
#include "veil.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "upstream.h"

#define KEPT_MAX 6
#define SAFE (MS_NOSUID | MS_NODEV)

typedef struct
{
  char *path; /* owned */
  int fd;     /* O_PATH, of this mount namespace */
} Kept;

char *
dn_veil_barrier (const char *path)
{
  for (const char *slash = strchr (path + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree char *parent = g_strndup (path, (gsize) (slash - path));
      struct stat status;

      if (stat (parent, &status) < 0 || (status.st_mode & S_IXOTH) == 0)
        return g_steal_pointer (&parent);
    }
  return NULL;
}

static gboolean
throw_mount (const char *what, GError **error)
{
  return dn_throw (error, DN_ERROR_LOCKDOWN, "session mode: mounting '%s': %s", what,
                   g_strerror (errno));
}

/* Nothing is kept twice, and what is not there is left out. */
static void
keep (Kept *kept, guint *count, const char *path)
{
  char real[PATH_MAX];
  int fd = realpath (path, real) != NULL ? open (real, O_PATH | O_CLOEXEC) : -1;

  if (fd >= 0)
    kept[(*count)++] = (Kept){ .path = g_strdup (real), .fd = fd };
}

static gboolean
cover (const char *barrier, const char *mode, GError **error)
{
  g_autofree char *options = g_strdup_printf ("size=16m,mode=%s", mode);

  return mount ("danchi-session", barrier, "tmpfs", SAFE, options) == 0
         || throw_mount (barrier, error);
}

/* Puts @kept where it was, below a cover. */
static gboolean
uncover (const Kept *kept, GError **error)
{
  g_autofree char *from = g_strdup_printf ("/proc/self/fd/%d", kept->fd);

  if (g_mkdir_with_parents (kept->path, 0711) < 0
      || mount (from, kept->path, NULL, MS_BIND | MS_REC, NULL) < 0)
    return throw_mount (kept->path, error);
  return TRUE;
}

static gboolean
is_below (const char *path, const char *directory)
{
  gsize size = strlen (directory);

  return strncmp (path, directory, size) == 0 && path[size] == '/';
}

/* /run goes first: what is below is covered already. */
static gboolean
cover_all (Kept *kept, guint count, GError **error)
{
  g_autoptr (GPtrArray) barriers = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (barriers, g_strdup ("/run"));
  for (guint i = 0; i < count; i++)
    {
      char *barrier = is_below (kept[i].path, "/run") ? NULL : dn_veil_barrier (kept[i].path);

      if (barrier != NULL
          && g_ptr_array_find_with_equal_func (barriers, barrier, g_str_equal, NULL))
        g_clear_pointer (&barrier, g_free);
      if (barrier != NULL)
        g_ptr_array_add (barriers, barrier);
    }
  for (guint i = 0; i < barriers->len; i++)
    if (!cover (barriers->pdata[i], i == 0 ? "0755" : "0711", error))
      return FALSE;
  for (guint i = 0; i < count; i++)
    for (guint k = 0; k < barriers->len; k++)
      if (is_below (kept[i].path, barriers->pdata[k]))
        {
          if (!uncover (&kept[i], error))
            return FALSE;
          break;
        }
  return TRUE;
}

static gboolean
write_file (const char *path, const char *text, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  return (g_mkdir_with_parents (directory, 0755) == 0
          || dn_throw_errno (error, "directory '%s'", directory))
         && g_file_set_contents (path, text, -1, error);
}

/* Nobody connects but the session's own root; QEMU runs with the ids that danchid's XML names.  No
 * mount namespace for QEMU, whose device nodes an ordinary user cannot make; no marks of owners,
 * which take a right over the file system; no security driver, whose profiles are the host's root's
 * to load; no groups of processes, which are somebody else's to divide. */
static const char qemu_conf[] = "security_driver = \"none\"\n"
                                "user = \"+1\"\ngroup = \"+1\"\n"
                                "namespaces = [ ]\n"
                                "cgroup_controllers = [ ]\n"
                                "remember_owner = 0\n";
static const char libvirtd_conf[]
    = "auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n"
      "unix_sock_ro_perms = \"0700\"\nunix_sock_rw_perms = \"0700\"\n";

/* libvirt's places are compiled in. */
static gboolean
bind_libvirt (const DnSessionPaths *paths, GError **error)
{
  static const struct
  {
    const char *name, *place;
  } all[] = { { "lib", "/var/lib/libvirt" },
              { "cache", "/var/cache/libvirt" },
              { "log", "/var/log/libvirt" },
              { "etc", "/etc/libvirt" } };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *own = g_build_filename (paths->state, "libvirt", all[i].name, NULL);

      if (g_mkdir_with_parents (own, 0711) < 0)
        return dn_throw_errno (error, "directory '%s'", own);
      if (mount (own, all[i].place, NULL, MS_BIND, NULL) < 0)
        return dn_throw (error, DN_ERROR_LOCKDOWN,
                         "session mode: mounting '%s': %s\napt-get install libvirt-daemon-system",
                         all[i].place, g_strerror (errno));
    }
  return write_file ("/etc/libvirt/qemu.conf", qemu_conf, error)
         && write_file ("/etc/libvirt/libvirtd.conf", libvirtd_conf, error);
}

/* Often a link into /run, where nothing is now. */
static gboolean
bind_resolver (GError **error)
{
  static const char own[] = "/run/danchi-resolv.conf";
  g_autofree char *link = g_file_read_link ("/etc/resolv.conf", NULL);
  g_autofree char *target = link != NULL ? g_canonicalize_filename (link, "/etc") : NULL;

  if (target != NULL && is_below (target, "/run"))
    return write_file (target, DN_UPSTREAM_RESOLV_CONF, error);
  return write_file (own, DN_UPSTREAM_RESOLV_CONF, error)
         && (mount (own, target != NULL ? target : "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0
             || errno == ENOENT || throw_mount ("/etc/resolv.conf", error));
}

gboolean
dn_veil_run (const DnSessionPaths *paths, GError **error)
{
  /* In a build tree that is all of build/, whose mark says what it is. */
  g_autofree char *programs = g_path_get_dirname (dn_paths ()->helpers);
  Kept kept[KEPT_MAX];
  guint count = 0;
  gboolean is_done;

  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return throw_mount ("/", error);
  keep (kept, &count, paths->run);
  keep (kept, &count, paths->state);
  keep (kept, &count, paths->config);
  keep (kept, &count, programs);
  keep (kept, &count, dn_paths ()->images);
  keep (kept, &count, dn_paths ()->defaults);
  is_done = cover_all (kept, count, error);
  for (guint i = 0; i < count; i++)
    {
      dn_fd_clear (&kept[i].fd);
      g_free (kept[i].path);
    }
  return is_done && (g_mkdir ("/run/lock", 0755) == 0 || dn_throw_errno (error, "/run/lock"))
         && bind_libvirt (paths, error) && bind_resolver (error)
         && write_file (DN_VEIL_MARK, paths->run, error);
}
