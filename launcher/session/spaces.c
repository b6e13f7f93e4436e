/* SPDX-License-Identifier: Apache-2.0 */
#include "spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "subids.h"
#include "veil.h"

#define SPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)

gint
dn_spaces_find (const char *run)
{
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (proc != NULL && (name = g_dir_read_name (proc)) != NULL)
    {
      g_autofree char *path = NULL;
      g_autofree char *mark = NULL;

      if (!g_ascii_isdigit (name[0]))
        continue;
      /* Other users' processes cannot be looked into; other sessions of this user have another run
       * directory. */
      path = g_strconcat ("/proc/", name, "/root" DN_VEIL_MARK, NULL);
      if (g_file_get_contents (path, &mark, NULL, NULL) && strcmp (mark, run) == 0)
        return atoi (name);
    }
  return 0;
}

gboolean
dn_spaces_join (gint pid, GError **error)
{
  static const char *const names[] = { "user", "mnt", "net", "ipc" };
  int fds[G_N_ELEMENTS (names)];
  gboolean is_done = TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/ns/%s", pid, names[i]);

      fds[i] = open (path, O_RDONLY | O_CLOEXEC);
      is_done = is_done && fds[i] >= 0;
    }
  /* The user namespace first: it gives the right to the others. */
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      is_done = is_done && setns (fds[i], 0) == 0;
      dn_fd_clear (&fds[i]);
    }
  if (!is_done || setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0 || chdir ("/") < 0)
    return dn_throw_errno (error, "session mode: joining the namespaces of process %d", pid);
  return TRUE;
}

gboolean
dn_spaces_make (int ask_fd, int answer_fd, GError **error)
{
  char answer = 'n';

  if (unshare (CLONE_NEWUSER) < 0)
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "session mode: this host gives users no user namespaces: %s\n"
                "see user.max_user_namespaces, kernel.unprivileged_userns_clone and "
                "kernel.apparmor_restrict_unprivileged_userns of sysctl(8)",
                g_strerror (errno));
      return FALSE;
    }
  if (write (ask_fd, "?", 1) != 1 || read (answer_fd, &answer, 1) != 1 || answer != 'y')
    return dn_throw (error, DN_ERROR_FAILED, "session mode: no subordinate ids");
  if (setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0 || unshare (SPACES) < 0)
    return dn_throw_errno (error, "session mode: namespaces");
  return TRUE;
}

static gboolean
read_ids (const char *path, const char *user, DnSubids *ret_ids, GError **error)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    text = g_strdup ("");
  return dn_subids_parse (text, path, user, getuid (), ret_ids, error);
}

static gboolean
map (gint pid, const char *program, const char *file, const char *user, guint id, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *said = NULL;
  DnSubids ids;
  int status;

  if (!read_ids (file, user, &ids, error))
    return FALSE;
  words = dn_subids_map_words (program, pid, id, &ids);
  if (!g_spawn_sync (NULL, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said, &status,
                     NULL))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "session mode: '%s' is not installed\napt-get install uidmap", program);
  if (!g_spawn_check_wait_status (status, NULL))
    return dn_throw (error, DN_ERROR_CONFIG, "session mode: %s\nsee subuid(5)", g_strstrip (said));
  return TRUE;
}

gboolean
dn_spaces_map (gint pid, int ask_fd, int answer_fd, GError **error)
{
  const struct passwd *entry = getpwuid (getuid ());
  g_autofree char *user = g_strdup (entry != NULL ? entry->pw_name : "");
  char asked;
  gboolean is_done;

  /* Ended without asking: it says why itself. */
  if (read (ask_fd, &asked, 1) != 1)
    return dn_throw (error, DN_ERROR_FAILED, "session mode: no namespaces");
  is_done = map (pid, "newuidmap", "/etc/subuid", user, getuid (), error)
            && map (pid, "newgidmap", "/etc/subgid", user, getgid (), error);
  if (write (answer_fd, is_done ? "y" : "n", 1) != 1 && is_done)
    return dn_throw_errno (error, "session mode: namespaces");
  return is_done;
}
