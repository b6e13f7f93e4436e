/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"

#ifndef SO_PEERPIDFD /* Linux 6.5; the same number on every architecture that we build for */
#define SO_PEERPIDFD 77
#endif

#define GROUPS_FIRST 64
#define COMM_BYTES 16 /* TASK_COMM_LEN */
#define PATH_BYTES 4096
#define CUT "..."
/* An entry of a group with thousands of members. */
#define ENTRY_BYTES_FIRST 4096
#define ENTRY_BYTES_MAX (4 * 1024 * 1024)

void
dn_caller_format_command (const char *comm, const char *path,
                          char ret_command[DN_CALLER_COMMAND_BYTES])
{
  g_autofree char *first = dn_text_clean (comm, COMM_BYTES);
  g_autofree char *second = dn_text_clean (path, PATH_BYTES);
  gsize room = DN_CALLER_COMMAND_BYTES - 1;
  const char *tail = second;

  /* U+FFFD takes three bytes for one; a process may have written anything for its own name. */
  if (strlen (first) > COMM_BYTES)
    g_strlcpy (first, "?", strlen (first) + 1);
  room -= strlen (first) + 1;
  if (strlen (second) > room)
    {
      tail = second + strlen (second) - (room - strlen (CUT));
      while ((*tail & 0xc0) == 0x80) /* not in the middle of a character */
        tail++;
    }
  g_snprintf (ret_command, DN_CALLER_COMMAND_BYTES, "%s%s%s%s", first, *second != '\0' ? " " : "",
              tail != second ? CUT : "", tail);
}

static gboolean
read_groups (int socket, DnCaller *caller, GError **error)
{
  socklen_t size = GROUPS_FIRST * sizeof (gid_t);

  G_STATIC_ASSERT (sizeof (gid_t) == sizeof (guint));
  for (;;)
    {
      socklen_t room = size;

      caller->groups = g_realloc (caller->groups, room);
      if (getsockopt (socket, SOL_SOCKET, SO_PEERGROUPS, caller->groups, &size) == 0)
        {
          caller->n_groups = size / (guint) sizeof (gid_t);
          return TRUE;
        }
      /* ERANGE says how much it takes. */
      if (errno != ERANGE || size <= room || size > DN_CALLER_GROUPS_MAX * sizeof (gid_t))
        return dn_throw_errno (error, "caller: its groups");
    }
}

/* Whether the process is still there, and so what was read by its pid until now was its own. */
static gboolean
is_alive (int pidfd)
{
  struct pollfd entry = { .fd = pidfd, .events = POLLIN };

  return poll (&entry, 1, 0) == 0;
}

/* proc(5): what the kernel's audit was told at the login; su and sudo do not change it. */
static guint
read_login_uid (int directory)
{
  dn_autofd int file = openat (directory, "loginuid", O_RDONLY | O_CLOEXEC);
  char text[16] = "";
  guint64 uid;

  if (file < 0 || read (file, text, sizeof text - 1) < 0
      || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &uid, NULL))
    return DN_CALLER_NO_LOGIN;
  return (guint) uid;
}

static void
read_command (int socket, DnCaller *caller)
{
  dn_autofd int pidfd = -1;
  socklen_t size = sizeof pidfd;
  char path[32], comm[COMM_BYTES + 1] = "", program[PATH_BYTES + 1] = "";
  dn_autofd int directory = -1, file = -1;
  guint login_uid;
  ssize_t n;

  if (caller->pid <= 0)
    return;
  /* A descriptor of the peer itself, where the kernel has one to give: its pid may be another
   * process's by now. */
  if (getsockopt (socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
    pidfd = -1;
  g_snprintf (path, sizeof path, "/proc/%d", caller->pid);
  directory = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  file = directory >= 0 ? openat (directory, "comm", O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0 || (n = read (file, comm, COMM_BYTES)) < 0)
    return;
  comm[n] = '\0';
  g_strchomp (comm);
  n = readlinkat (directory, "exe", program, PATH_BYTES);
  program[MAX (n, 0)] = '\0';
  login_uid = read_login_uid (directory);
  if (pidfd >= 0 && !is_alive (pidfd))
    return;
  caller->login_uid = login_uid;
  dn_caller_format_command (comm, program, caller->command);
}

gboolean
dn_caller_read (int socket, DnCaller *caller, GError **error)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  *caller = (DnCaller){ .login_uid = DN_CALLER_NO_LOGIN };
  if (getsockopt (socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return dn_throw_errno (error, "caller");
  caller->uid = peer.uid;
  caller->gid = peer.gid;
  caller->pid = peer.pid;
  if (!read_groups (socket, caller, error))
    return FALSE;
  read_command (socket, caller);
  return TRUE;
}

void
dn_caller_clear (DnCaller *caller)
{
  g_clear_pointer (&caller->groups, g_free);
  g_clear_pointer (&caller->user, g_free);
  g_clear_pointer (&caller->group, g_free);
  g_clear_pointer (&caller->group_names, g_strfreev);
  caller->n_groups = 0;
}

/* (transfer full): NULL where there is none, also where the database cannot be asked: whom nobody
 * knows has no rights. */
static char *
user_name (guint uid)
{
  for (gsize size = ENTRY_BYTES_FIRST; size <= ENTRY_BYTES_MAX; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      struct passwd entry, *found = NULL;
      int r = getpwuid_r (uid, &entry, buffer, size, &found);

      if (r != ERANGE)
        return r == 0 && found != NULL ? g_strdup (found->pw_name) : NULL;
    }
  return NULL;
}

static char *
group_name (guint gid)
{
  for (gsize size = ENTRY_BYTES_FIRST; size <= ENTRY_BYTES_MAX; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      struct group entry, *found = NULL;
      int r = getgrgid_r (gid, &entry, buffer, size, &found);

      if (r != ERANGE)
        return r == 0 && found != NULL ? g_strdup (found->gr_name) : NULL;
    }
  return NULL;
}

void
dn_caller_name (DnCaller *caller)
{
  if (dn_caller_is_root (caller))
    return;
  g_free (caller->user);
  g_free (caller->group);
  g_strfreev (caller->group_names);
  caller->user = user_name (caller->uid);
  caller->group = group_name (caller->gid);
  caller->group_names = g_new0 (char *, caller->n_groups + 1);
  for (guint i = 0; i < caller->n_groups; i++)
    {
      char *name = group_name (caller->groups[i]);

      caller->group_names[i] = name != NULL ? name : g_strdup ("");
    }
}

gboolean
dn_caller_is_root (const DnCaller *caller)
{
  return caller->uid == 0 || caller->uid == geteuid ();
}

DnPrincipal
dn_caller_principal (const DnCaller *caller)
{
  return (DnPrincipal){ .uid = dn_caller_is_root (caller) ? 0 : caller->uid,
                        .user = caller->user,
                        .gid = caller->gid,
                        .group = caller->group,
                        .groups = caller->groups,
                        .group_names = caller->group_names,
                        .n_groups = caller->n_groups };
}
