/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon-start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "session-mode.h"

/* What is kept of danchid's words when it does not start. */
#define WORDS_MAX_BYTES 2000

/* Our own, of the child that could not become danchid. */
#define NOT_INSTALLED "is not installed"

/* Takes the lock that makes one danchi of several start the daemon.  The directory is root's own
 * (made here with 0755 if need be), so nobody else can plant a link at the lock's name; O_NOFOLLOW
 * for a --socket in a directory that is not. */
static int
take_lock (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_strconcat (path, ".start-lock", NULL);
  dn_autofd int fd = -1;

  if (g_mkdir_with_parents (directory, 0755) < 0)
    {
      dn_throw_errno (error, "danchid: '%s'", directory);
      return -1;
    }
  fd = open (name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      dn_throw_errno (error, "danchid: '%s'", name);
      return -1;
    }
  while (flock (fd, LOCK_EX) < 0)
    if (errno != EINTR)
      {
        dn_throw_errno (error, "danchid: '%s'", name);
        return -1;
      }
  return g_steal_fd (&fd);
}

/* The child between fork and exec: only async-signal-safe calls, since the parent may have threads.
 * Nothing of the caller's is inherited but the environment and stderr (a memory file of ours):
 * every descriptor of ours is close-on-exec, and strangers' from 3 on are closed here. */
static void
become_daemon (const char *program, const char *path, int words)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null < 0 || dup2 (null, 0) < 0 || dup2 (null, 1) < 0 || dup2 (words, 2) < 0)
    _exit (127);
  (void) close_range (3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (dn_paths ()->is_session)
    (void) execl (program, "danchi-session", "start", (char *) NULL);
  else
    (void) execl (program, "danchid", "--daemonize", "--socket", path, (char *) NULL);
  dprintf (2, "%s", errno == ENOENT ? NOT_INSTALLED : "cannot be executed");
  _exit (127);
}

/* The last of danchid's messages: its line and, where there is one, the hint on the next.
 * (transfer full) */
static char *
read_words (int fd)
{
  char text[WORDS_MAX_BYTES + 1];
  off_t size = lseek (fd, 0, SEEK_END);
  ssize_t n
      = pread (fd, text, WORDS_MAX_BYTES, size > WORDS_MAX_BYTES ? size - WORDS_MAX_BYTES : 0);
  char *last;

  text[MAX (n, 0)] = '\0';
  g_strchomp (text);
  last = g_strrstr (text, "danchid: ");
  return g_strdup (last != NULL ? last + strlen ("danchid: ") : text);
}

static gboolean
run_daemon (const char *path, GError **error)
{
  gboolean is_session = dn_paths ()->is_session;
  g_autofree char *program
      = g_build_filename (dn_paths ()->helpers, is_session ? "danchi-session" : "danchid", NULL);
  dn_autofd int words = memfd_create ("danchid-words", MFD_CLOEXEC);
  int status = 0;
  pid_t child;

  if (words < 0)
    return dn_throw_errno (error, "danchid");
  child = fork ();
  if (child < 0)
    return dn_throw_errno (error, "danchid");
  if (child == 0)
    become_daemon (program, path, words);
  /* It forks itself away once its socket listens, and only then ends here with 0. */
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    continue;
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    {
      g_autofree char *text = read_words (words);

      if (g_str_equal (text, NOT_INSTALLED))
        return dn_throw (error, DN_ERROR_FAILED, "danchid: '%s' %s", program, NOT_INSTALLED);
      if (strchr (text, '\n') != NULL)
        return dn_throw (error, DN_ERROR_FAILED, "danchid: does not start: %s", text);
      return dn_throw (error, DN_ERROR_FAILED, "danchid: does not start: %s\ntry: %s %s",
                       *text != '\0' ? text : "it said nothing", program,
                       is_session ? "start" : "--foreground");
    }
  return TRUE;
}

int
dn_daemon_start (const char *path, GError **error)
{
  dn_autofd int lock = -1;
  int fd;

  if (geteuid () != 0 && !dn_paths ()->is_session)
    {
      dn_throw (error, DN_ERROR_DENIED,
                "danchid: does not run (nobody listens at '%s')\n"
                "only root may start it: sudo danchi version; --session uses one of your own",
                path);
      return -1;
    }
  lock = take_lock (path, error);
  if (lock < 0)
    return -1;
  /* Whoever had the lock before may have started it. */
  fd = dn_client_dial (path);
  if (fd >= 0 && (!dn_paths ()->is_session || dn_session_mode_is_kept ()))
    return fd;
  dn_fd_clear (&fd);
  if (!run_daemon (path, error))
    return -1;
  fd = dn_client_dial (path);
  if (fd < 0)
    dn_throw_errno (error, "danchid: started, but '%s'", path);
  return fd;
}
