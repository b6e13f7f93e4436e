/* SPDX-License-Identifier: Apache-2.0 */
#include "identity-use.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/paths.h"
#include "identity.h"

/* Deeper than any directory of ours. */
#define DEPTH_MAX 8
/* linux/posix_acl_xattr.h: a version, then entries of tag, permissions and id, little endian. */
#define ACL_HEADER_BYTES 4
#define ACL_ENTRY_BYTES 8
#define ACL_TAG_USER 0x02
#define ACL_BYTES_MAX 65536
/* The column of /proc/net/tcp and its like. */
#define NET_UID 7
/* Of pid 1: danchid itself may be in a network namespace of its own (PrivateNetwork=). */
#define HOST_NET "1/net"
#define COLUMNS_MAX 32

typedef struct
{
  const DnIdentityPlaces *places;
  GHashTable *uses; /* uid → text */
} Search;

G_GNUC_PRINTF (3, 4)
static void
add (Search *search, guint64 id, const char *format, ...)
{
  va_list arguments;

  if (id > G_MAXUINT || !dn_identity_owns_uid ((guint) id)
      || g_hash_table_contains (search->uses, GUINT_TO_POINTER ((guint) id)))
    return;
  va_start (arguments, format);
  g_hash_table_insert (search->uses, GUINT_TO_POINTER ((guint) id),
                       g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* "Uid:\t1\t2\t3\t4": real, effective, saved, of the file system. */
static void
add_ids_of_status (Search *search, const char *status, const char *field, const char *pid)
{
  const char *line = strstr (status, field);
  char *end;

  if (line == NULL)
    return;
  line += strlen (field);
  for (guint i = 0; i < 4; i++)
    {
      guint64 id = g_ascii_strtoull (line, &end, 10);

      if (end == line)
        return;
      add (search, id, "process %s", pid);
      line = end;
    }
}

static void
search_processes (Search *search)
{
  g_autoptr (GDir) proc = g_dir_open (search->places->proc, 0, NULL);
  const char *name;

  while (proc != NULL && (name = g_dir_read_name (proc)) != NULL)
    {
      g_autofree char *path = NULL;
      g_autofree char *status = NULL;

      if (!g_ascii_isdigit (name[0]))
        continue;
      path = g_build_filename (search->places->proc, name, "status", NULL);
      if (!g_file_get_contents (path, &status, NULL, NULL))
        continue;
      add_ids_of_status (search, status, "\nUid:", name);
      add_ids_of_status (search, status, "\nGid:", name);
    }
}

/* By descriptor and without following: the directory may be one that everybody writes to. */
static void
search_directory (Search *search, int parent, const char *name, const char *shown, guint depth)
{
  dn_autofd int fd
      = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  DIR *directory = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;

  if (directory == NULL)
    return;
  fd = -1; /* closedir() closes it */
  while ((entry = readdir (directory)) != NULL)
    {
      struct stat status;
      g_autofree char *path = NULL;

      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0
          || fstatat (dirfd (directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        continue;
      path = g_build_filename (shown, entry->d_name, NULL);
      add (search, status.st_uid, "file '%s'", path);
      add (search, status.st_gid, "file '%s'", path);
      if (S_ISDIR (status.st_mode) && depth < DEPTH_MAX)
        search_directory (search, dirfd (directory), entry->d_name, path, depth + 1);
    }
  (void) closedir (directory);
}

/* The words of a line; none is longer than the line. */
static guint
split (char *line, char **ret_words)
{
  guint count = 0;
  char *rest = NULL;

  for (char *word = strtok_r (line, " \t", &rest); word != NULL && count < COLUMNS_MAX;
       word = strtok_r (NULL, " \t", &rest))
    ret_words[count++] = word;
  return count;
}

static char **
read_lines (const Search *search, const char *directory, const char *file)
{
  /* Nor is a session's: its guests' sockets are in its own. */
  gboolean is_own = dn_paths ()->is_session && g_str_equal (directory, HOST_NET);
  g_autofree char *path
      = g_build_filename (search->places->proc, is_own ? "self/net" : directory, file, NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strsplit (text, "\n", -1) : NULL;
}

/* The columns are found by their names, since each of the three files has others. */
static void
search_sysvipc (Search *search, const char *file)
{
  static const char *const wanted[] = { "uid", "gid", "cuid", "cgid" };
  g_auto (GStrv) lines = read_lines (search, "sysvipc", file);
  char *names[COLUMNS_MAX], *words[COLUMNS_MAX];
  guint columns = lines != NULL && lines[0] != NULL ? split (lines[0], names) : 0;

  for (guint i = 1; columns > 1 && lines[i] != NULL; i++)
    {
      guint count = split (lines[i], words);

      for (guint k = 0; k < MIN (count, columns); k++)
        if (g_strv_contains (
                (const char *const[]){ wanted[0], wanted[1], wanted[2], wanted[3], NULL },
                names[k]))
          add (search, g_ascii_strtoull (words[k], NULL, 10), "System V %s %s", file, words[1]);
    }
}

static void
search_net (Search *search, const char *file)
{
  g_auto (GStrv) lines = read_lines (search, HOST_NET, file);
  char *words[COLUMNS_MAX];

  for (guint i = 1; lines != NULL && lines[0] != NULL && lines[i] != NULL; i++)
    if (split (lines[i], words) > NET_UID)
      add (search, g_ascii_strtoull (words[NET_UID], NULL, 10), "%s socket %s", file, words[1]);
}

static void
search_unix (Search *search)
{
  g_auto (GStrv) lines = read_lines (search, HOST_NET, "unix");

  for (guint i = 1; lines != NULL && lines[0] != NULL && lines[i] != NULL; i++)
    {
      /* The last column; it may hold blanks, and '@' begins an abstract name. */
      const char *path = strstr (lines[i], " /");
      struct stat status;

      if (path == NULL || lstat (path + 1, &status) < 0 || !S_ISSOCK (status.st_mode))
        continue;
      add (search, status.st_uid, "socket '%s'", path + 1);
      add (search, status.st_gid, "socket '%s'", path + 1);
    }
}

void
dn_identity_use_read_acl (const guint8 *bytes, gsize size, void (*found) (guint uid, gpointer data),
                          gpointer data)
{
  for (gsize at = ACL_HEADER_BYTES; at + ACL_ENTRY_BYTES <= size; at += ACL_ENTRY_BYTES)
    {
      guint16 tag = (guint16) (bytes[at] | bytes[at + 1] << 8);
      guint32 id = bytes[at + 4] | (guint32) bytes[at + 5] << 8 | (guint32) bytes[at + 6] << 16
                   | (guint32) bytes[at + 7] << 24;

      if (tag == ACL_TAG_USER)
        found (id, data);
    }
}

typedef struct
{
  Search *search;
  const char *path;
} AclSearch;

static void
add_acl_uid (guint uid, gpointer data)
{
  const AclSearch *acl = data;

  add (acl->search, uid, "ACL entry of '%s'", acl->path);
}

static void
search_acl (Search *search, const char *path)
{
  g_autofree guint8 *bytes = g_malloc (ACL_BYTES_MAX);
  AclSearch acl = { .search = search, .path = path };
  ssize_t size = getxattr (path, "system.posix_acl_access", bytes, ACL_BYTES_MAX);

  if (size > 0)
    dn_identity_use_read_acl (bytes, (gsize) size, add_acl_uid, &acl);
}

GHashTable *
dn_identity_use_find (const DnIdentityPlaces *places)
{
  static const char *const sysvipc[] = { "shm", "sem", "msg" };
  static const char *const net[] = { "tcp", "tcp6", "udp", "udp6", "raw", "raw6" };
  Search search = { .places = places, .uses = g_hash_table_new_full (NULL, NULL, NULL, g_free) };

  search_processes (&search);
  for (gsize i = 0; i < G_N_ELEMENTS (sysvipc); i++)
    search_sysvipc (&search, sysvipc[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (net); i++)
    search_net (&search, net[i]);
  search_unix (&search);
  for (const char *const *path = places->directories; *path != NULL; path++)
    search_directory (&search, AT_FDCWD, *path, *path, 0);
  for (const char *const *path = places->acls; *path != NULL; path++)
    search_acl (&search, *path);
  return search.uses;
}

GHashTable *
dn_identity_use_find_here (void)
{
  static const char *const acls[] = { "/dev/kvm", "/var/lib/libvirt/qemu", NULL };
  const char *const directories[]
      = { dn_paths ()->run, dn_paths ()->state, "/dev/shm", "/dev/mqueue", NULL };
  const DnIdentityPlaces here = { .proc = "/proc", .directories = directories, .acls = acls };

  return dn_identity_use_find (&here);
}
