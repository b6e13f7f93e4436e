/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-session: an ordinary user's own Danchi.
 *
 *     danchi-session start           the session's namespaces, libvirtd, pasta and danchid
 *     danchi-session enter [WORD...] a program, or a shell, inside the session's namespaces
 *     danchi-session end             ends all of it, where no guest runs
 *
 * `danchi --session` calls `start` where nobody listens.  What a session is, and what it promises:
 * docs/session-mode.md.
 *
 * Privilege: none; root is refused, which has the system's danchid.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../common/session-paths.h"
#include "keeper.h"
#include "spaces.h"

#define EXIT_USAGE 2
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* libvirtd's is in no ordinary user's. */
static void
widen_path (void)
{
  const char *path = g_getenv ("PATH");
  g_autofree char *wide = path != NULL ? g_strconcat (path, ":" DEFAULT_PATH, NULL) : NULL;

  (void) g_setenv ("PATH", wide != NULL ? wide : DEFAULT_PATH, TRUE);
}

static gboolean
make_directory (const char *path, guint mode, GError **error)
{
  struct stat status;

  if (g_mkdir_with_parents (path, 0700) < 0 || lstat (path, &status) < 0)
    return dn_throw_errno (error, "session mode: directory '%s'", path);
  if (!S_ISDIR (status.st_mode) || status.st_uid != geteuid ())
    return dn_throw (error, DN_ERROR_CONFIG, "session mode: directory '%s' is not yours", path);
  return (status.st_mode & 07777) == mode || chmod (path, mode) == 0
         || dn_throw_errno (error, "session mode: directory '%s'", path);
}

/* Others may pass through run and state, as guests' ids have to, and list nothing; from the host
 * nobody comes so far, since the directory above is the user's alone. */
static gboolean
make_directories (const DnSessionPaths *paths, GError **error)
{
  g_autofree char *runtime = g_path_get_dirname (paths->run);
  struct stat status;

  if (stat (runtime, &status) < 0 || status.st_uid != geteuid () || (status.st_mode & 077) != 0)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "session mode: XDG_RUNTIME_DIR '%s' is not a directory of yours alone\n"
                     "it has to be yours, with mode 0700",
                     runtime);
  return make_directory (paths->run, 0711, error) && make_directory (paths->state, 0711, error)
         && make_directory (paths->config, 0700, error);
}

static gboolean
bring_up (const DnSessionPaths *paths, GError **error)
{
  return make_directories (paths, error)
         && (dn_keeper_is_there (paths) || dn_keeper_start (paths, error));
}

/* Becomes @words in the session. */
static gboolean
enter (const DnSessionPaths *paths, char **words, GError **error)
{
  gint pid = dn_spaces_find (paths->run);

  if (pid == 0)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "session mode: no session runs");
  if (!dn_spaces_join (pid, error))
    return FALSE;
  (void) execvp (words[0], words);
  return dn_throw_errno (error, "'%s'", words[0]);
}

/* One of several at the same moment does it, the others find it done. */
static int
take_start_lock (const DnSessionPaths *paths, GError **error)
{
  g_autofree char *path = g_build_filename (paths->run, "start.lock", NULL);
  dn_autofd int fd = -1;

  if (!make_directories (paths, error))
    return -1;
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 || flock (fd, LOCK_EX) < 0)
    {
      dn_throw_errno (error, "session mode: '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

/* Whether danchid does: then the keeper was all that was missing. */
static gboolean
answers (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return g_strlcpy (address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path
         && fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
}

static gboolean
start (const DnSessionPaths *paths, GError **error)
{
  g_autofree char *danchid = g_build_filename (dn_paths ()->helpers, "danchid", NULL);
  char *words[] = { danchid,      "--session", "--daemonize", "--socket", paths->socket, "--state",
                    paths->state, "--run",     paths->run,    "--config", paths->config, NULL };
  dn_autofd int lock = take_start_lock (paths, error);

  if (lock < 0 || !bring_up (paths, error))
    return FALSE;
  /* Else the lock goes with the exec. */
  return answers (paths->socket) || enter (paths, words, error);
}

static guint
count_guests (const DnSessionPaths *paths)
{
  g_autofree char *path = g_build_filename (paths->run, "guests", NULL);
  g_autoptr (GDir) guests = g_dir_open (path, 0, NULL);
  guint count = 0;

  while (guests != NULL && g_dir_read_name (guests) != NULL)
    count++;
  return count;
}

static gboolean
end (const DnSessionPaths *paths, GError **error)
{
  g_autofree char *danchid = g_build_filename (dn_paths ()->helpers, "danchid", NULL);
  const char *const words[] = { danchid, "--session", "--end", "--socket", paths->socket, NULL };
  dn_autofd int lock = take_start_lock (paths, error);
  guint guests;

  if (lock < 0)
    return FALSE;
  guests = count_guests (paths);
  if (guests > 0)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "session mode: %u guests run\nremove their containers first: danchi --session "
                     "ps -a",
                     guests);
  (void) g_spawn_sync (NULL, (char **) words, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                       NULL, NULL, NULL);
  puts (dn_keeper_end (paths) ? "the session has ended" : "no session runs");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSessionPaths) paths = NULL;
  const char *verb = argc > 1 ? argv[1] : "";
  char *shell[] = { "/bin/sh", NULL };
  gboolean is_done = FALSE;

  if (strcmp (verb, "--version") == 0)
    {
      puts ("danchi-session " DN_VERSION);
      return EXIT_SUCCESS;
    }
  if (strcmp (verb, "start") != 0 && strcmp (verb, "end") != 0 && strcmp (verb, "enter") != 0)
    {
      fprintf (stderr, "usage: danchi-session start | end | enter [WORD...]\n");
      return EXIT_USAGE;
    }
  widen_path ();
  if (geteuid () == 0 || getuid () != geteuid ())
    dn_throw (&error, DN_ERROR_DENIED,
              "session mode: is for ordinary users\nroot has the host's danchid: leave out "
              "--session");
  else if ((paths = dn_session_paths_here (&error)) != NULL)
    {
      if (strcmp (verb, "start") == 0)
        is_done = start (paths, &error);
      else if (strcmp (verb, "end") == 0)
        is_done = end (paths, &error);
      else
        is_done = enter (paths, argc > 2 ? argv + 2 : shell, &error);
    }
  if (is_done)
    return EXIT_SUCCESS;
  fprintf (stderr, "danchid: %s\n", error->message);
  return EXIT_FAILURE;
}
